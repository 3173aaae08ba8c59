"""One-shot sign spotting: show it one example of a sign, it finds the sign in hours of signing.

>>> import spotter
>>> gallery = spotter.enroll("dictionary/")              # folder of exemplar clips, one per sign
>>> detections = spotter.spot("lecture.mp4", gallery)    # list of Detection
>>> spotter.write("lecture.eaf", detections)             # by ending: .eaf .csv .json .vtt .srt .TextGrid .pkl
>>> corpus = spotter.index("archive/", "corpus/")        # every window of every video, once
>>> spotter.search_corpus(corpus, "HOUSE.mp4")           # and then any sign in seconds

`docs/api.md` lists all of it. Nothing heavy is loaded before it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from _sign_spotter import module_name

from .detection import Detection

if TYPE_CHECKING:
    from embeddings.clip import Clip, Pose
    from embeddings.encoders import load_encoder
    from embeddings.pose import estimate, make_estimator, read_pose, write_pose
    from embeddings.recordings import PoseSource
    from eval.segments import Segment, read_segments
    from gallery import Gallery

    from .archive import index, search_corpus
    from .corpus.folder import Corpus
    from .corpus.options import IndexOptions, SearchOptions
    from .enrolment import enroll
    from .formats import read, write
    from .fusion.ensemble import Ensemble, Member
    from .pipeline import spot, spot_videos
    from .report.page import write_report
    from .results import Detections, SpottingResult
    from .scoring import score
    from .search.options import Selection, SpottingOptions, TransferOptions
    from .search.track import SimilarityTrack

    __version__: str

_HOMES = {
    "Clip": "embeddings.clip",
    "Corpus": "spotter.corpus.folder",
    "Detections": "spotter.results",
    "Ensemble": "spotter.fusion.ensemble",
    "Gallery": "gallery",
    "IndexOptions": "spotter.corpus.options",
    "Member": "spotter.fusion.ensemble",
    "Pose": "embeddings.clip",
    "PoseSource": "embeddings.recordings",
    "SearchOptions": "spotter.corpus.options",
    "Segment": "eval.segments",
    "Selection": "spotter.search.options",
    "SimilarityTrack": "spotter.search.track",
    "SpottingOptions": "spotter.search.options",
    "SpottingResult": "spotter.results",
    "TransferOptions": "spotter.search.options",
    "enroll": "spotter.enrolment",
    "estimate": "embeddings.pose",
    "index": "spotter.archive",
    "load_encoder": "embeddings.encoders",
    "make_estimator": "embeddings.pose",
    "read": "spotter.formats",
    "read_pose": "embeddings.pose",
    "read_segments": "eval.segments",
    "score": "spotter.scoring",
    "search_corpus": "spotter.archive",
    "spot": "spotter.pipeline",
    "spot_videos": "spotter.pipeline",
    "write": "spotter.formats",
    "write_pose": "embeddings.pose",
    "write_report": "spotter.report.page",
}

__all__ = [
    "Clip", "Corpus", "Detection", "Detections", "Ensemble", "Gallery", "IndexOptions", "Member", "Pose", "PoseSource",
    "SearchOptions", "Segment", "Selection", "SimilarityTrack", "SpottingOptions", "SpottingResult", "TransferOptions",
    "__version__", "enroll", "estimate", "index", "load_encoder", "make_estimator", "read", "read_pose",
    "read_segments", "score", "search_corpus", "spot", "spot_videos", "write", "write_pose", "write_report",
]  # fmt: skip


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("oneshot-sign-spotter")
    if name in _HOMES:
        return getattr(import_module(module_name(_HOMES[name])), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
