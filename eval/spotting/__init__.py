"""Scores of spotting: F1 as the challenge counts it and one to one; curves, boundaries, false alarms, groups.

>>> from eval.spotting import one_to_one_f1
"""

from ..segments import Segments
from ..shared import nothing_shared
from .f1 import CHALLENGE_THRESHOLDS, SpottingScore, challenge_f1, match, mismatch, one_to_one_f1

__all__ = [
    "CHALLENGE_THRESHOLDS", "Segments", "SpottingScore", "challenge_f1", "match", "mismatch", "nothing_shared",
    "one_to_one_f1",
]  # fmt: skip
