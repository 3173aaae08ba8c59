"""Published systems from annotation to score: the commands of each, on its data set or on a made-up miniature of it."""

from .miniatures import MINIATURES
from .systems import SYSTEMS, Place, System

__all__ = ["MINIATURES", "SYSTEMS", "Place", "System"]
