"""One-shot sign spotting: show it one example of a sign, it finds the sign in hours of signing.

>>> import spotter
>>> gallery = spotter.enroll("dictionary/")              # folder of exemplar clips, one per sign
>>> detections = spotter.spot("lecture.mp4", gallery)    # list of Detection
>>> spotter.write("lecture.eaf", detections)             # by ending: .eaf .csv .json .vtt .pkl

Nothing heavy is loaded before it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from _sign_spotter import module_name

from .detection import Detection

if TYPE_CHECKING:
    from eval.segments import Segment, read_segments
    from gallery import Gallery

    from .enrolment import enroll
    from .formats import read, write
    from .pipeline import Companion, SpottingOptions, SpottingResult, spot, spot_videos
    from .report.page import write_report
    from .scoring import score

__all__ = [
    "Companion", "Detection", "Gallery", "Segment", "SpottingOptions", "SpottingResult", "enroll", "read",
    "read_segments", "score", "spot", "spot_videos", "write", "write_report",
]  # fmt: skip

_HOMES = {
    "Companion": "spotter.pipeline",
    "Gallery": "gallery",
    "Segment": "eval.segments",
    "SpottingOptions": "spotter.pipeline",
    "SpottingResult": "spotter.pipeline",
    "enroll": "spotter.enrolment",
    "read": "spotter.formats",
    "read_segments": "eval.segments",
    "score": "spotter.scoring",
    "spot": "spotter.pipeline",
    "spot_videos": "spotter.pipeline",
    "write": "spotter.formats",
    "write_report": "spotter.report.page",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(module_name(_HOMES[name])), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
