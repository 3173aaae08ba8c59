"""The registry: every reader of files, small whole files of its kind, and what a value that it accepts must be.

A reader that is not in it is missing here: `test_fuzz.py` looks for the functions that open files.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from .. import writers
from . import seeds

__all__ = ["READERS", "Reader", "check"]


@dataclass(frozen=True)
class Reader:
    """One reader.

    Attributes:
        target: the file that is damaged, inside the folder that `seeds` fills.
        seeds: fills a folder with whole files; more than one folder's worth gives more forms of the file.
        read: reads it, given the folder's file.
        error: what it raises for damage.
    """

    target: str
    seeds: tuple[Callable[[Path], object], ...]
    read: Callable[[Path], Any]
    error: type[Exception] = ValueError


def check(value: Any) -> None:
    """Fails where a reader has accepted times, rates or sizes that cannot be.

    Raises:
        AssertionError: names the value.
    """
    for name, number in _numbers(value):
        assert math.isfinite(number), f"{name} is {number}"
        if name in ("fps", "duration", "frames", "score_fps"):
            assert number >= 0, f"{name} is {number}"


TIMES = ("start", "end", "fps", "duration", "frames", "score")


def _numbers(value: Any, depth: int = 0) -> Iterator[tuple[str, float]]:
    """Names and values of all times, rates and scores inside a value."""
    if depth > 6:
        return
    if is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            inner = getattr(value, field.name)
            if field.name in TIMES and isinstance(inner, int | float | np.generic):
                yield field.name, float(inner)
            elif field.name == "size" and isinstance(inner, tuple):
                yield from (("size", float(side)) for side in inner)
            else:
                yield from _numbers(inner, depth + 1)
        start, end = getattr(value, "start", None), getattr(value, "end", None)
        if isinstance(start, int | float) and isinstance(end, int | float):
            assert 0 <= start <= end, f"from {start} to {end}"
    elif isinstance(value, dict):
        for inner in list(value.values())[:50]:
            yield from _numbers(inner, depth + 1)
    elif isinstance(value, list | tuple):
        for inner in value[:50]:
            yield from _numbers(inner, depth + 1)
    elif hasattr(value, "facts") and hasattr(value, "vectors"):  # a gallery
        yield "vectors", float(np.abs(value.vectors).sum())
        for facts in value.facts:
            yield from ((key, float(facts[key])) for key in ("start", "end", "frames") if key in facts)


# --- readers that need more than a path -------------------------------------------------------------------------


def segments(path: Path) -> Any:
    from eval.segments import read_segments

    return read_segments(path)


def spans(path: Path) -> Any:
    from eval.segments import read_spans

    return read_spans(path)


def detections(path: Path) -> Any:
    import spotter

    return spotter.read(path)


def own_elan(path: Path) -> Any:
    """As the program reads a file that somebody has corrected, to write into it."""
    from spotter.formats.elan_bytes import decoded, parsed, scanned

    data = path.read_bytes()
    text = decoded(data, str(path)).text
    return scanned(text, str(path)), parsed(data, str(path))


def recording(path: Path) -> Any:
    """All clips of a file or folder, as any command reads them."""
    from embeddings.recordings import find_recordings, read_recording

    found = find_recordings([path], ())
    return [read_recording(one, tuple(n for n in one.holds)[:1]) for one in found]


def recording_folder(path: Path) -> Any:
    return recording(path.parent)


def frames(path: Path) -> Any:
    from embeddings.video import probe, read_frames

    seconds = [second for second, _ in read_frames(path)]
    assert all(math.isfinite(second) for second in seconds)
    return probe(path)


def images(path: Path) -> Any:
    from embeddings.video import read_frames

    return [second for second, _ in read_frames(path.parent, fps=25.0)]


def checkpoint(path: Path) -> Any:
    from embeddings.encoders.checkpoint import load_checkpoint

    network = load_checkpoint(path)
    assert all(bool(np.isfinite(v.detach().numpy()).all()) for v in network.state_dict().values())
    return network.config


def depth_network(path: Path) -> None:
    from embeddings.training.frame_network import DepthNetwork

    network = DepthNetwork()
    network.load(path)
    assert all(bool(np.isfinite(v.detach().numpy()).all()) for v in network.state_dict().values())


def gallery(path: Path) -> Any:
    from gallery import Gallery

    return Gallery.load(path.parent)


def corpus(path: Path) -> Any:
    from spotter.corpus.folder import Corpus

    opened = Corpus.open(path.parent)
    return opened.settings, opened.facts


def row_index(path: Path) -> Any:
    from gallery.corpus_index import RowIndex

    index = RowIndex.open(path.parent, 8)
    return None if index is None else index.parts


def project_settings(path: Path) -> Any:
    from spotter.project.settings import Settings

    return Settings.read(path)


def decisions(path: Path) -> Any:
    from spotter.project.exchange import read_decisions

    return read_decisions(path)


def decision_log(path: Path) -> Any:
    from spotter.project.log import DecisionLog

    with DecisionLog(path) as log:
        return log.lines(), log.searches()


def late(module: str, name: str, *arguments: Any) -> Callable[[Path], Any]:
    """A function or class method by its names, called with the path; generators are read to their end."""

    @cache
    def function() -> Callable[..., Any]:
        from importlib import import_module

        value: Any = import_module(module)
        for part in name.split("."):
            value = getattr(value, part)
        return value  # type: ignore[no-any-return]

    def read(path: Path) -> Any:
        value = function()(path, *arguments)
        return list(value) if isinstance(value, Iterator) else value

    return read


made = seeds.of_writer
W = writers
READERS: dict[str, Reader] = {
    # segments
    "segments .csv": Reader("t.csv", (made(W.make_detections("t.csv")), seeds.text("t.csv", seeds.TABLES)), segments),
    "segments .json": Reader("t.json", (made(W.make_detections("t.json")), seeds.challenge), segments),
    "segments .pkl": Reader("t.pkl", (made(W.make_detections("t.pkl")), seeds.old_pickle), segments),
    "segments .eaf": Reader("t.eaf", (made(W.make_detections("t.eaf")), seeds.foreign_elan), segments),
    "segments .vtt": Reader("t.vtt", (made(W.make_detections("t.vtt")),), segments),
    "segments .srt": Reader("t.srt", (seeds.text("t.srt", seeds.SRT),), segments),
    "segments .TextGrid": Reader("t.TextGrid", (made(W.make_detections("t.TextGrid")),), segments),
    "segments, folder of texts": Reader("f/v.txt", (seeds.text("f/v.txt", ("3,40,80\n4,100,120\n",)),),
                                        lambda path: segments(path.parent)),
    "detections .json": Reader("t.json", (made(W.make_detections("t.json")),), detections),
    "spans .csv": Reader("s.csv", (seeds.text("s.csv", seeds.SPANS),), spans),
    "ELAN, to be written into": Reader("t.eaf", (made(W.make_detections("t.eaf")), seeds.foreign_elan), own_elan),
    "pickle": Reader("t.pkl", (made(W.make_detections("t.pkl")), seeds.old_pickle, seeds.frankmocap_pickle),
                     late("safe_files.pickles", "read_pickle")),
    # recordings
    ".pose": Reader("talk.pose", (seeds.pose,), recording),
    ".pose.json": Reader("talk.pose.json", (seeds.pose,), late("embeddings.pose.formats.dot_pose", "read_header")),
    "pose store": Reader("s.h5", (seeds.pose_store,), recording),
    "pose store, header": Reader("s.h5", (seeds.pose_store,), late("embeddings.pose.formats.store", "stored_videos")),
    "packed OpenPose": Reader("p.h5", (seeds.packed,), recording),
    "hand images": Reader("hands.h5", (seeds.hands,), recording),
    "semantic vectors": Reader("sem.h5", (seeds.semantic,), recording),
    "body crops": Reader("crops.h5", (seeds.crops,), recording),
    "SPOTER CSV": Reader("t.csv", (seeds.spoter_csv,), recording),
    "OpenPose frame": Reader("o/talk_000000000001_keypoints.json", (seeds.openpose,), recording_folder),
    "landmark pack": Reader("pack.npz", (seeds.landmark_pack,), recording),
    "FrankMocap .json": Reader("f.json", (seeds.frankmocap_json,), recording),
    "FrankMocap .npz": Reader("f.npz", (seeds.frankmocap_npz,), recording),
    "FrankMocap .pkl": Reader("f.pkl", (seeds.frankmocap_pickle,), recording),
    "arrays .npz": Reader("a.npz", (seeds.arrays,), recording),
    "video": Reader("v.mp4", (made(W.make_video, "video.mp4", "v.mp4"),), frames),
    "folder of images": Reader("i/frame-1.png", (seeds.image_folder,), images),
    # what the program keeps
    "checkpoint": Reader("weights.safetensors", (made(W.make_checkpoint), seeds.small_encoder), checkpoint),
    "checkpoint, header": Reader("weights.safetensors", (made(W.make_checkpoint),),
                                 late("embeddings.encoders.checkpoint", "read_header")),
    "depth network": Reader("depth.safetensors", (made(W.make_frame_network),), depth_network),
    "prepared clips": Reader("stretches.safetensors", (made(W.make_prepared_clips),),
                             late("embeddings.training.stretches", "Stretches.load", "x")),
    "training state": Reader("state.safetensors", (made(W.make_state),),
                             late("embeddings.training.state", "read_state", "x")),
    "recipe": Reader("r.toml", (seeds.recipe,), late("embeddings.training.recipes", "read_recipe")),
    "training log": Reader("log.csv", (seeds.text("log.csv", ("step,loss,seconds\n1,2.0,0.1\n2,1.0,0.2\n",)),),
                           late("embeddings.training.log", "read_log")),
    "split": Reader("split.json", (made(W.make_split),), late("eval.splits", "read_split")),
    "gallery, head": Reader("gallery/gallery.json", (made(W.make_gallery),), gallery),
    "gallery, table": Reader("gallery/exemplars.csv", (made(W.make_gallery),), gallery),
    "gallery, vectors": Reader("gallery/index.faiss", (made(W.make_gallery),), gallery),
    "gallery, features": Reader("gallery/features.h5", (made(W.make_gallery),), gallery),
    "stored video": Reader("v.safetensors", (made(W.make_stored),), late("spotter.corpus.video", "read_stored")),
    "corpus": Reader("corpus/corpus.json", (made(W.make_corpus),), corpus),
    "corpus facts": Reader("facts.csv", (made(W.make_facts),), late("spotter.corpus.facts", "read_facts")),
    "index manifest": Reader("windows.json", (made(W.make_index),), row_index),
    "judge": Reader("judge.json", (made(W.make_judge),), late("spotter.search.calibrate", "ShippedJudge.load")),
    "cohort": Reader("cohort.safetensors", (made(W.make_cohort),), late("spotter.search.cohort", "Cohort.load")),
    "track": Reader("track.npz", (made(W.make_track),), late("spotter.search.track", "SimilarityTrack.load")),
    "hand clusters": Reader("clusters.h5", (made(W.make_clusters),),
                            late("embeddings.phonology.handshapes.cluster_files", "read_corpus_clusters")),
    "key frames": Reader("keyframes.h5", (made(W.make_keyframes),),
                         late("embeddings.phonology.keyframes", "read_keyframes")),
    "project settings": Reader("spotter.toml", (made(W.make_project_settings),), project_settings),
    "decisions .csv": Reader("decisions.csv", (made(W.make_decisions),), decisions),
    "decisions .json": Reader("decisions.json", (made(W.make_decisions),), decisions),
    "log of decisions": Reader("decisions.db", (seeds.decision_log,), decision_log),
    # isolated signs
    "vectors .csv": Reader("v.csv", (seeds.text("v.csv", ("id,a,b\nx,1.0,2.0\ny,0.5,1e-3\n",)),),
                           late("eval.isolated.files", "read_vectors")),
    "vectors .npz": Reader("v.npz", (seeds.vectors,), late("eval.isolated.files", "read_vectors")),
    "truth of clips": Reader("truth.csv", (made(W.make_truth),), late("eval.isolated.files", "read_truth")),
    "classes of clips": Reader("c.csv", (seeds.text("c.csv", ("a,TREE\nb,HOUSE\n",)),),
                               late("eval.isolated.files", "read_classes")),
    "ranked signs": Reader("labels.csv", (made(W.make_labels),), late("eval.isolated.files", "read_ranked")),
    "scores": Reader("scores.csv", (made(W.make_scores),), late("embeddings.isolated.ensemble", "read_scores")),
    "list of labels": Reader("l.csv", (seeds.text("l.csv", ("sample,label,split\na,TREE,test\n",)),),
                             late("embeddings.isolated.ensemble", "read_labels")),
    "ensemble": Reader("ensemble.json", (made(W.make_ensemble),),
                       late("embeddings.isolated.ensemble", "Ensemble.load")),
    # benchmarks
    **{
        f"benchmark {name}": Reader(file, (seed,), late(f"eval.datasets.{module}", function, *rest))
        for name, file, seed, module, function, rest in seeds.BENCHMARKS
    },
}  # fmt: skip
