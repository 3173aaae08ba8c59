"""One small call of each function that writes files; what it writes goes into the folder it is given.

`python -m tests.writers FOLDER POINT` runs each in a process of its own that is killed at that fault point, and prints
a line per writer (`tests/test_writers.py` reads them).
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import numpy as np

if TYPE_CHECKING:
    from embeddings.clip import Pose

__all__ = ["WRITERS"]


@cache
def pose() -> Pose:
    from embeddings.synthetic import SignWorld

    clip = SignWorld(seed=3, signs=2).clip("sign-000", skeleton="mediapipe-holistic")
    assert clip.pose is not None
    return clip.pose


class Inputs:
    """Files that the writers read, made once: `prepare` makes them before anything is made to fail."""

    def __init__(self) -> None:
        self._temporary = TemporaryDirectory(prefix="writers-")
        self.folder = Path(self._temporary.name)

    @cached_property
    def pose(self) -> Path:
        from embeddings.pose import write_pose

        return write_pose(self.folder / "talk.pose", pose())

    @cached_property
    def hands(self) -> Path:
        from embeddings.phonology.handshapes.images import write_hand_images
        from safe_files import GroupedHDF5

        with GroupedHDF5(self.folder / "hands.h5") as store, store.add("talk") as group:
            write_hand_images(group, pictures(2), pose()[:2], 0.0)
        return self.folder / "hands.h5"

    @cached_property
    def network(self) -> Any:
        import torch

        from embeddings.encoders.handshape import Handshape, HandshapeConfig

        torch.manual_seed(0)
        return Handshape(HandshapeConfig(classes=2, size=32)).eval()

    @cached_property
    def log(self) -> Path:
        return self._text("log.csv", "step,loss,seconds\n1,2.0,0.1\n2,1.0,0.2\n")

    @cached_property
    def parts(self) -> Path:
        from eval.datasets.landmark_table import make_table

        make_table(samples()[:1], self.folder, self.folder / "parts", lambda path: np.zeros((2, 75, 3)))
        return self.folder / "parts"

    @cached_property
    def list(self) -> Path:
        from eval.datasets.manifest import write

        write(self.folder / "manifest.csv", samples())
        return self.folder / "manifest.csv"

    @cached_property
    def template(self) -> Path:
        return self._text("template.csv", "a,\n")

    @cached_property
    def empty(self) -> Path:
        (self.folder / "empty").mkdir()
        return self.folder / "empty"

    @cached_property
    def video(self) -> Path:
        from embeddings.video import write_video

        return write_video(self.folder / "film.mp4", (np.full((32, 48, 3), 9 * k, np.uint8) for k in range(12)), 25.0)

    @cached_property
    def project(self) -> Path:
        """A project with the pose file as its video and an accepted hit in it."""
        from spotter.project.folder import Project
        from spotter.project.log import Line

        project = Project.create(self.folder / "project", "A project")
        project.add_videos([self.pose])
        project.record("search", detections()[:1], "e", {"signs": ["TREE"]}, "ann")
        (hit,) = project.state().hits
        project.log.append([Line("accept", hit, "ann", "token", at="2001-01-01T00:00:00.000Z")])
        project.close()
        return project.folder

    def _text(self, name: str, content: str) -> Path:
        (self.folder / name).write_text(content)
        return self.folder / name

    def prepare(self) -> None:
        assert all((self.pose, self.hands, self.network, self.log, self.parts, self.list, self.template, self.empty))
        assert all((self.video, self.project))


INPUTS = Inputs()


def quietly(command: Callable[..., object], *arguments: Any, **options: Any) -> None:
    """A command of the command line, without what it prints."""
    from spotter.cli import console

    def refuse(self: Any, what: Any, why: Any) -> None:
        raise why if isinstance(why, BaseException) else ValueError(str(why))

    with open(os.devnull, "w") as nowhere, patch.object(console.Failures, "add", refuse):
        console.out.file = nowhere
        try:
            command(*arguments, **options)
        finally:
            console.out.file = None  # type: ignore[assignment]


def detections() -> list[Any]:
    from spotter import Detection

    return [Detection("talk", "TREE", 1.0, 1.5, 0.9), Detection("talk", "HOUSE", 2.0, 2.4, 0.7)]


def samples() -> list[Any]:
    from eval.datasets.sample import Sample

    return [Sample("a", "3", "a.mp4", "ann", "train", "v1", 0, 10, fps=25.0, number=3),
            Sample("b", "4", "b.mp4", "bea", "test", "v2", 5, 12, fps=25.0, number=4)]  # fmt: skip


def gestures() -> list[Any]:
    from eval.datasets.sample import Sample

    return [Sample("v^1", "B0A", "v.avi", "", "train", "v", 0, 10, fps=30.0, number=2)]


def instances() -> list[Any]:
    from dataclasses import replace

    extra = {"bbox": [0, 0, 9, 9], "instance_id": 0, "source": "x", "url": "u", "variation_id": 0}
    return [replace(sample, signer="7", extra=extra) for sample in samples()]


def stretches() -> list[Any]:
    from embeddings.phonology.describe import ParameterValue

    return [
        ParameterValue("location", "right", "chin", 0.0, 0.4, 0.9),
        ParameterValue("orientation", "left", "up", 0.1, 0.3, 0.5),
    ]


# --- spotter ---------------------------------------------------------------------------------------------------


def make_embed(folder: Path) -> None:
    from spotter.cli.embed import embed

    quietly(embed, videos=[INPUTS.pose], output=folder / "vectors", encoder="pose-cosine")


def make_rows(folder: Path) -> None:
    from spotter.cli.phonology.files import write_rows

    write_rows(folder / "rows.csv", ("video", "value"), [("talk", 1.5)])


@contextmanager
def of_a_pose_file(module: Any) -> Iterator[None]:
    """Pictures for a pose file, which has none."""
    with (
        patch("embeddings.recordings.read_pictures", lambda recording, fps: pictures(len(pose()))),
        patch.object(module, "FILMED", ("pose",)),
    ):
        yield


def make_crops(folder: Path) -> None:
    from spotter.cli.phonology import hands

    with of_a_pose_file(hands):
        quietly(hands.crops, [INPUTS.pose], folder / "crops.h5")


def make_hands(folder: Path) -> None:
    from spotter.cli.phonology import hands

    with of_a_pose_file(hands):
        quietly(hands.hands, [INPUTS.pose], folder / "hands.h5", 0.0)


def pictures(count: int) -> Any:
    width, height = pose().size
    return (np.full((height, width, 3), k % 250, np.uint8) for k in range(count))


def make_semantic(folder: Path) -> None:
    from spotter.cli.phonology import handshapes

    def track(*_: Any) -> Any:
        return np.arange(4), np.ones((4, 10), np.float32)

    with patch("embeddings.phonology.semantic_vector.semantic_track", track):
        quietly(handshapes.semantic, [INPUTS.pose], folder / "vle.h5", folder / "semantic.h5")


def make_keyframes(folder: Path) -> None:
    from spotter.cli.phonology import tables

    quietly(tables.keyframes, [INPUTS.pose], folder / "keyframes.h5", 4)


def make_locations(folder: Path) -> None:
    from spotter.cli.phonology import tables

    quietly(tables.locations, [INPUTS.pose], folder / "locations.h5")


def make_comparison(folder: Path) -> None:
    from spotter.comparison.figures import MethodRow, write_comparison
    from spotter.comparison.sets import ComparisonSet

    write_comparison(folder, ComparisonSet("none", []), [MethodRow("m", 0.1, 0.2, 0.1, 0.3, 1, 2, 3, 0.4, 0.5, 60.0)])


def make_facts(folder: Path) -> None:
    from spotter.corpus.facts import write_facts

    write_facts(folder / "facts.csv", {"talk": {"signer": "ann", "date": "2001"}})


def settings() -> Any:
    from spotter.corpus.folder import CorpusSettings

    return CorpusSettings("e", 2, 25.0)


def make_corpus(folder: Path) -> None:
    from spotter.corpus.folder import Corpus

    Corpus.create(folder / "corpus", settings())


def make_corpus_run(folder: Path) -> None:
    from spotter.corpus.progress import RunRecord

    RunRecord(folder / "whole.json", ("talk",), {"talk": "no such file"}).write()


def make_corpus_table(folder: Path) -> None:
    from spotter.corpus.folder import Corpus

    Corpus(folder, settings()).write_table()


def make_stored(folder: Path) -> None:
    from spotter.corpus.video import write_stored

    facts = {"name": "v", "source": "v.mp4", "stamp": "1", "fps": 25.0, "frames": 3, "duration": 0.1, "encoder": "e",
             "lengths": [16], "stride": 2}  # fmt: skip
    write_stored(folder / "v.safetensors", np.ones((2, 2), np.float16), np.ones((3, 2), np.float16), facts)


def make_demo(folder: Path) -> None:
    from eval.segments import Segment
    from spotter import demo

    with patch.object(demo, "_in_parallel", lambda jobs: iter([[Segment("talk-1", "sign-000", 0.5, 1.0)]])):
        demo.make_world(folder / "demo", demo.DemoOptions())


def make_run(folder: Path) -> None:
    from embeddings.recordings import one_recording
    from spotter.results import SpottingResult
    from spotter.runs.record import RunFolder

    recording = one_recording(INPUTS.pose)
    clock = patch("spotter.runs.record.time.monotonic", return_value=0.0)
    now = patch("spotter.runs.record._now", return_value="2026-01-01T00:00:00+00:00")
    with clock, now, patch("sys.argv", ["spotter"]):
        record = RunFolder(folder / "found.run", [recording])
        record.begin({}, [])
        record.keep(recording, SpottingResult(recording.name), "made")


def make_own_eaf(folder: Path) -> None:
    from spotter.formats.elan_into import eaf_with, write_into

    write_into(folder / "found.eaf", eaf_with(folder / "found.eaf", [], "talk"))


def make_detections(name: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        import spotter

        spotter.write(folder / name, detections())

    return make


@contextmanager
def opened_project() -> Iterator[Any]:
    """A copy: some writers add a line to its log."""
    import shutil

    from spotter.project.folder import Project

    with TemporaryDirectory(prefix="writers-") as folder:
        project = Project.open(shutil.copytree(INPUTS.project, Path(folder) / "project", symlinks=True))
        try:
            yield project
        finally:
            project.close()


def make_thumbnail_page(folder: Path) -> None:
    from gallery import Gallery
    from spotter.report.thumbnails import thumbnail_page

    thumbnail_page(folder / "gallery.html", Gallery(2, "e"), "gallery")


def make_clips(folder: Path) -> None:
    from spotter.project.clips import write_clips

    with opened_project() as project:
        write_clips(project, folder / "clips")


def make_decisions(folder: Path) -> None:
    from spotter.project.exchange import export_log

    with opened_project() as project:
        export_log(project, folder / "decisions.csv")
        export_log(project, folder / "decisions.json")


def make_project_eaf(folder: Path) -> None:
    from spotter.project.export import export_project

    with opened_project() as project:
        export_project(project, ["eaf"], folder=folder)


def make_project_settings(folder: Path) -> None:
    from spotter.project.settings import new_settings

    new_settings(folder / "spotter.toml", "A project")


def make_playable_copy(folder: Path) -> None:
    from spotter.review.media import make_playable

    make_playable(INPUTS.video, folder / "copy.mp4")


def make_still(folder: Path) -> None:
    from spotter.review.media import Media, media_id

    media = Media(folder / "cache")
    media.add("video", {"film": INPUTS.video})
    media.picture(media_id("video", "film"), 0.1, 24)


def make_session(folder: Path) -> None:
    from spotter.review import security

    with patch.object(security.secrets, "token_urlsafe", lambda length: length * "s"):
        security.session_secret(folder / "session" / "secret")


def make_address(folder: Path) -> None:
    from types import SimpleNamespace

    from spotter.review import server

    with patch.object(server, "free_port", lambda wanted: wanted), patch.object(server, "session_secret", lambda _: ""):
        server.address_of(SimpleNamespace(at=SimpleNamespace(cache=folder)), 8231)  # type: ignore[arg-type]


def make_skeleton(folder: Path) -> None:
    from spotter.review.tasks import skeleton

    skeleton(None, lambda share: None, str(INPUTS.pose), str(folder / "talk.npy"))  # type: ignore[arg-type]


def make_report(folder: Path) -> None:
    from spotter.report.page import write_report

    write_report(folder / "report.html", detections())


def make_description(name: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        from spotter.report.phonology import write_description

        write_description(folder / name, stretches(), "talk")

    return make


def make_judge(folder: Path) -> None:
    from spotter.search.calibrate import Calibration, ShippedJudge

    one = Calibration({"match": (0.0, 1.0)}, {"match": 1.0}, 0.0)
    ShippedJudge(one, one, {}).save(folder / "judge.json")


def make_cohort(folder: Path) -> None:
    from spotter.search.cohort import Cohort

    Cohort(np.eye(3, dtype=np.float32), (np.ones((4, 2), np.float32),)).save(folder / "cohort.safetensors")


def make_track(folder: Path) -> None:
    from spotter.search.track import SimilarityTrack

    ones = np.ones((3, 1), np.float32)
    SimilarityTrack("talk", 25.0, np.arange(3.0), ("TREE",), ones, ones).save(folder / "track.npz")


# --- embeddings ------------------------------------------------------------------------------------------------


def make_checkpoint(folder: Path) -> None:
    from embeddings.encoders.checkpoint import save_checkpoint
    from embeddings.encoders.pose_cosine import PoseCosine

    save_checkpoint(folder / "weights.safetensors", PoseCosine())


def make_labels(folder: Path) -> None:
    from embeddings.isolated.classify import write_labels

    write_labels(folder / "labels.csv", {"a": [("TREE", 0.8), ("HOUSE", 0.2)]})


def make_scores(folder: Path) -> None:
    from embeddings.isolated.ensemble import Scores, write_scores

    write_scores(folder / "scores.csv", Scores("m", ("a", "b"), ("TREE", "HOUSE"), np.full((2, 2), 0.5)))


def make_ensemble(folder: Path) -> None:
    from embeddings.isolated.ensemble import Ensemble

    Ensemble(("m",), ("TREE",), (1.0,), "soft", 1.0, ("a",)).save(folder / "ensemble.json")


def make_saliency(folder: Path) -> None:
    from embeddings.isolated.explain_pictures import draw_saliency

    frames = np.zeros((2, 8, 8, 3), np.uint8)
    draw_saliency(folder / "heat.png", {"frames": frames}, {"frames": np.ones((2, 4, 4), np.float32)})


def make_weights_table(folder: Path) -> None:
    import pandas as pd

    from embeddings.isolated.explain_pictures import write_table

    write_table(folder / "weights.csv", pd.DataFrame({"landmark": ["nose"], "x": [1.0]}))


def make_clusters(folder: Path) -> None:
    from embeddings.phonology.handshapes.cluster_files import write_corpus_clusters
    from embeddings.phonology.handshapes.corpus import CorpusHands, HandSample

    hand = HandSample("talk", "TREE", 3, "right")
    one, sure = np.zeros(1, np.int64), np.ones(1, np.float32)
    joints = np.zeros((1, 21, 2), np.float32)
    hands = CorpusHands((hand,), joints, sure, one, one, one, frozenset({0}), {"TREE": []})
    write_corpus_clusters(folder / "clusters.h5", hands)


def make_predictions(folder: Path) -> None:
    from embeddings.phonology.handshapes.network import predict_store

    predict_store(INPUTS.network, INPUTS.hands, folder / "vle.h5", 0.0)


def make_picture(folder: Path) -> None:
    from embeddings.phonology.pictures import write_picture

    write_picture(folder / "picture.jpg", np.zeros((8, 8, 3), np.uint8))


def make_drawing(folder: Path) -> None:
    from embeddings.phonology.pictures import draw_confusion

    draw_confusion(folder / "confusion.png", {"places": (("a", "b"), np.eye(2, dtype=np.int64))})


def make_pose(folder: Path) -> None:
    from embeddings.pose import write_pose

    write_pose(folder / "talk.pose", pose())


def make_spoter_csv(folder: Path) -> None:
    from embeddings.pose.formats.spoter_csv import write_spoter_csv

    write_spoter_csv(folder / "spoter.csv", [(pose(), "1")])


def make_store(folder: Path) -> None:
    from embeddings.pose.formats.store import write_store

    write_store(folder / "poses.h5", {"talk": pose()})


def make_fused(folder: Path) -> None:
    from spotter.fusion.calibration import FusedCalibration

    FusedCalibration(("a",), False, {"0": (0.0, (1.0,))}, {}).save(folder / "fused.json")


def make_ensemble_file(folder: Path) -> None:
    from spotter.fusion.ensemble import write_ensemble

    write_ensemble(folder / "ensemble.toml", [("default", "gallery", 1.0)])


def make_views(folder: Path) -> None:
    from embeddings.crops import write_crops

    crops = ([np.full((64, 64, 3), k, np.uint8)] for k in range(2))
    write_crops([folder / "talk.centre-64.h5"], crops, [64], 25.0, [{}])


def make_packed(folder: Path) -> None:
    from embeddings.pose.formats.store import write_packed

    write_packed(folder / "packed.h5", [("talk", pose())])


def make_miniature(folder: Path) -> None:
    from spotter.reproduce import miniatures

    with patch.object(miniatures, "_film", lambda *arguments, **options: ()):
        miniatures.autsl(folder)


def make_lists_of_recordings(folder: Path) -> None:
    from spotter.reproduce.lists import write_lists

    write_lists(INPUTS.list, INPUTS.folder, folder)


def make_card(folder: Path) -> None:
    from embeddings.training.card import write_model_card

    weights = Path(__file__).parents[1] / "embeddings" / "weights"
    write_model_card(weights / "sign-tcn.safetensors", folder / "card.md")


def make_log(folder: Path) -> None:
    from embeddings.training.log import TrainingLog

    with patch("torch.utils.tensorboard.SummaryWriter"), TrainingLog(folder, 0, ("triplet",)):
        pass


def make_losses(folder: Path) -> None:
    from embeddings.training.log import draw_losses

    draw_losses(INPUTS.log, folder / "losses.png")


def make_frame_network(folder: Path) -> None:
    import torch

    from embeddings.training.frame_network import DepthNetwork

    torch.manual_seed(0)
    DepthNetwork().save(folder / "depth.safetensors", {"steps": 1})


def make_prepared_clips(folder: Path) -> None:
    from embeddings.training.stretches import Stretches

    rows = np.arange(12, dtype=np.float16).reshape(6, 2)
    Stretches(rows, np.array([[0, 6]]), np.array([[0, 1, 4, 0]])).save(folder / "stretches.safetensors", "x")


def make_state(folder: Path) -> None:
    import torch

    from embeddings.training.state import Progress, write_state

    torch.manual_seed(0)
    network = torch.nn.Linear(2, 2)
    write_state(folder / "state.safetensors", network, torch.optim.SGD(network.parameters(), 0.1), Progress(), "x")


def make_training_folder(folder: Path) -> None:
    from embeddings.training.recipes import read_recipe
    from embeddings.training.train import _open_folder
    from eval.splits import Split

    _open_folder(folder / "training", read_recipe("sl-gcn-quick"), Split(("a",), ("b",), 0), [], True)


def make_video(folder: Path) -> None:
    from embeddings.video import write_video

    write_video(folder / "video.mp4", (np.full((32, 32, 3), 20 * k, np.uint8) for k in range(8)), 25.0)


# --- gallery and eval ------------------------------------------------------------------------------------------


def make_gallery(folder: Path) -> None:
    from gallery import Gallery

    gallery = Gallery(2, "e")
    gallery.add(np.eye(2), ["TREE", "HOUSE"], features=[np.ones((4, 3), np.float32), None])
    gallery.set_thumbnail("TREE", b"\xff\xd8 a picture")
    gallery.save(folder / "gallery")


def make_index(folder: Path) -> None:
    from gallery.corpus_index import IndexLayout, Part, build_index

    rows = np.random.default_rng(0).normal(size=(64, 8)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    build_index(folder, [Part("v", "1", 64)], lambda part: rows, 8, IndexLayout(2, "SQ8", 1, 64))


def dataset(module: str, function: str, name: str, rows: Callable[[], Any] = samples) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        from importlib import import_module

        getattr(import_module(f"eval.datasets.{module}"), function)(folder / name, rows())

    return make


def make_frames(folder: Path) -> None:
    from eval.datasets.frames import extract_frames

    def read(path: Path, start: float, end: float | None) -> Any:
        return ((k / 25, np.full((8, 8, 3), 40 * k, np.uint8)) for k in range(3))

    raise_errors(extract_frames(samples()[:1], folder, folder / "frames", read))


def make_landmarks(folder: Path) -> None:
    from eval.datasets.landmark_table import make_table

    raise_errors(make_table(samples()[:1], folder, folder / "parts", lambda path: np.zeros((2, 75, 3))))


def raise_errors(failed: Mapping[str, str]) -> None:
    """These report errors in place of raising them."""
    from safe_files import WriteError

    for error in failed.values():
        raise WriteError(error)


def make_joined(folder: Path) -> None:
    from eval.datasets.landmark_table import join

    join(samples()[:1], INPUTS.parts, folder / "table.csv")


def make_compact(folder: Path) -> None:
    from eval.datasets.ipn_compact import compact

    compact(folder / "ipn.csv", gestures(), lambda video: np.zeros((10, 21, 2)))


def make_prepared(folder: Path) -> None:
    from eval.datasets.prepare import prepare

    prepare("manifest", INPUTS.list, folder / "prepared")


def make_lists(folder: Path) -> None:
    from eval.datasets.report import Published, check

    check(samples(), Published(2), INPUTS.empty).write_lists(folder)


def make_trims(folder: Path) -> None:
    from eval.datasets.oslwl import write_trims

    write_trims(folder / "trims.csv", {0: ("TREE", 10.0, 500.0)})


def make_confusion(folder: Path) -> None:
    from eval.isolated.confusion import draw_confusion

    draw_confusion(np.eye(2, dtype=np.int64), ["a", "b"], folder / "confusion.png")


def make_pairs(folder: Path) -> None:
    from eval.isolated.confusion import ConfusedPair
    from eval.isolated.confusion_page import write_pairs_page

    write_pairs_page([ConfusedPair("A", "B", 1, 2, ("x",))], {}, folder / "pairs.html")


def make_truth(folder: Path) -> None:
    from eval.isolated.files import write_truth

    write_truth(folder / "truth.csv", {"a": ("TREE", "test", "ann")})


def make_submission(folder: Path) -> None:
    from eval.isolated.files import fill_template

    fill_template(INPUTS.template, {"a": ["TREE"]}, folder / "submission.csv")


def make_segments(folder: Path) -> None:
    from eval.annotations.challenge import write_submission
    from eval.segments import Segment

    write_submission(folder / "truth.json", {"v": [Segment("v", "TREE", 0.0, 0.4)]})


def make_split(folder: Path) -> None:
    from eval.splits import Split, write_split

    write_split(folder / "split.json", Split(("a",), ("b",), 1))


def make_plots(folder: Path) -> None:
    from eval.spotting.plots import draw_spotting
    from eval.spotting.report import spotting_report

    truth = {"v": [("TREE", 0, 400)], "w": [("TREE", 100, 400)]}
    draw_spotting({"same": spotting_report(truth, truth)}, folder / "figures.png")


WRITERS: dict[str, Callable[[Path], object]] = {
    "spotter/cli/embed.py:embed": make_embed,
    "spotter/cli/phonology/files.py:write_rows": make_rows,
    "spotter/cli/phonology/hands.py:crops": make_crops,
    "spotter/cli/phonology/hands.py:hands": make_hands,
    "spotter/cli/phonology/handshapes.py:semantic": make_semantic,
    "spotter/cli/phonology/tables.py:keyframes": make_keyframes,
    "spotter/cli/phonology/tables.py:locations": make_locations,
    "spotter/comparison/figures.py:write_comparison": make_comparison,
    "spotter/corpus/facts.py:write_facts": make_facts,
    "spotter/reproduce/lists.py:write_lists": make_lists_of_recordings,
    "spotter/reproduce/miniatures.py:autsl": make_miniature,
    "spotter/corpus/folder.py:Corpus.create": make_corpus,
    "spotter/corpus/folder.py:Corpus.write_table": make_corpus_table,
    "spotter/corpus/progress.py:RunRecord.write": make_corpus_run,
    "spotter/corpus/video.py:write_stored": make_stored,
    "spotter/demo.py:make_world": make_demo,
    "spotter/formats/elan_into.py:write_into": make_own_eaf,
    "spotter/runs/record.py:RunFolder.write": make_run,
    "spotter/runs/record.py:RunFolder.keep": make_run,
    "spotter/formats/elan.py:EafDocument.save": make_detections("found.eaf"),
    "spotter/formats/table.py:write_csv": make_detections("found.csv"),
    "spotter/formats/table.py:write_json_table": make_detections("found.json"),
    "spotter/formats/textgrid.py:write_textgrid": make_detections("found.TextGrid"),
    "spotter/formats/subtitles.py:write_srt": make_detections("found.srt"),
    "spotter/formats/subtitles.py:write_vtt": make_detections("found.vtt"),
    "spotter/cutting.py:write_cuts": make_clips,
    "spotter/project/exchange.py:export_log": make_decisions,
    "spotter/project/export.py:_eaf_files": make_project_eaf,
    "spotter/project/settings.py:new_settings": make_project_settings,
    "spotter/review/media.py:Media.picture": make_still,
    "spotter/review/media.py:make_playable": make_playable_copy,
    "spotter/review/security.py:session_secret": make_session,
    "spotter/review/server.py:address_of": make_address,
    "spotter/review/tasks.py:skeleton": make_skeleton,
    "spotter/report/page.py:write_report": make_report,
    "spotter/report/thumbnails.py:thumbnail_page": make_thumbnail_page,
    "spotter/report/phonology.py:_write_csv": make_description("description.csv"),
    "spotter/report/phonology.py:_write_page": make_description("description.html"),
    "spotter/search/calibrate.py:ShippedJudge.save": make_judge,
    "spotter/search/cohort.py:Cohort.save": make_cohort,
    "spotter/search/track.py:SimilarityTrack.save": make_track,
    "embeddings/encoders/checkpoint.py:save_checkpoint": make_checkpoint,
    "embeddings/isolated/classify.py:write_labels": make_labels,
    "embeddings/isolated/ensemble.py:write_scores": make_scores,
    "embeddings/isolated/ensemble.py:Ensemble.save": make_ensemble,
    "embeddings/isolated/explain_pictures.py:_save": make_saliency,
    "embeddings/isolated/explain_pictures.py:write_table": make_weights_table,
    "embeddings/phonology/handshapes/cluster_files.py:write_corpus_clusters": make_clusters,
    "embeddings/phonology/handshapes/network.py:predict_store": make_predictions,
    "embeddings/phonology/pictures.py:write_picture": make_picture,
    "embeddings/phonology/pictures.py:_save": make_drawing,
    "embeddings/pose/files.py:write_pose": make_pose,
    "embeddings/pose/formats/spoter_csv.py:write_spoter_csv": make_spoter_csv,
    "embeddings/crops/store.py:write_crops": make_views,
    "spotter/fusion/calibration.py:FusedCalibration.save": make_fused,
    "spotter/fusion/ensemble.py:write_ensemble": make_ensemble_file,
    "embeddings/pose/formats/store.py:write_store": make_store,
    "embeddings/pose/formats/store.py:write_packed": make_packed,
    "embeddings/training/card.py:write_model_card": make_card,
    "embeddings/training/log.py:TrainingLog.__init__": make_log,
    "embeddings/training/log.py:draw_losses": make_losses,
    "embeddings/training/frame_network.py:FrameNetwork.save": make_frame_network,
    "embeddings/training/stretches.py:Stretches.save": make_prepared_clips,
    "embeddings/training/state.py:write_state": make_state,
    "embeddings/training/train.py:_open_folder": make_training_folder,
    "embeddings/video.py:write_video": make_video,
    "gallery/corpus_index.py:build_index": make_index,
    "gallery/corpus_index.py:_whole": make_index,
    "gallery/corpus_index.py:_finish": make_index,
    "gallery/gallery.py:Gallery.save": make_gallery,
    "gallery/gallery.py:Gallery._write": make_gallery,
    "eval/datasets/asl_citizen.py:write_split": dataset("asl_citizen", "write_split", "split.csv"),
    "eval/datasets/autsl.py:write_labels": dataset("autsl", "write_labels", "labels.csv"),
    "eval/datasets/boston104.py:write_words": dataset("boston104", "write_words", "words.csv"),
    "eval/datasets/frames.py:_one": make_frames,
    "eval/datasets/gsl.py:write": dataset("gsl", "write", "gsl.txt"),
    "eval/datasets/include.py:write_split": dataset("include", "write_split", "include.txt"),
    "eval/datasets/ipn.py:write_list": dataset("ipn", "write_list", "list.txt", gestures),
    "eval/datasets/ipn.py:write_annotations": dataset("ipn", "write_annotations", "annotations.txt", gestures),
    "eval/datasets/ipn_compact.py:compact": make_compact,
    "eval/datasets/landmark_table.py:_one": make_landmarks,
    "eval/datasets/landmark_table.py:join": make_joined,
    "eval/datasets/manifest.py:write": dataset("manifest", "write", "manifest.csv"),
    "eval/datasets/msasl.py:write_split": dataset("msasl", "write_split", "msasl.json"),
    "eval/datasets/oslwl.py:write_trims": make_trims,
    "eval/datasets/prepare.py:prepare": make_prepared,
    "eval/datasets/report.py:DatasetReport.write_lists": make_lists,
    "eval/datasets/wlasl.py:write_json": dataset("wlasl", "write_json", "wlasl.json", instances),
    "eval/datasets/wlasl.py:write_csv": dataset("wlasl", "write_csv", "wlasl.csv", instances),
    "eval/datasets/wlasl.py:write_nslt": dataset("wlasl", "write_nslt", "nslt.json"),
    "eval/isolated/confusion.py:draw_confusion": make_confusion,
    "eval/isolated/confusion_page.py:write_pairs_page": make_pairs,
    "eval/isolated/files.py:write_truth": make_truth,
    "eval/isolated/files.py:fill_template": make_submission,
    "eval/annotations/challenge.py:write_submission": make_segments,
    "eval/splits.py:write_split": make_split,
    "eval/spotting/plots.py:draw_spotting": make_plots,
}


def killed(writer: Callable[[Path], object], folder: Path, point: str) -> str:
    """How a process ended that ran a writer and was to be killed at a fault point."""
    from safe_files.faults import fault

    child = os.fork()
    if child == 0:
        code = 1
        try:
            with fault(point, "kill"):
                writer(folder)
            code = 0
        finally:
            os._exit(code)
    ending = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return "killed" if ending == -signal.SIGKILL else f"ended with {ending}"


def main(root: Path, point: str) -> None:
    INPUTS.prepare()
    for number, (name, writer) in enumerate(WRITERS.items()):
        folder = root / str(number)
        folder.mkdir(parents=True)
        print(f"{name}\t{killed(writer, folder, point)}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
