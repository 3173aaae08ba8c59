"""Every format with every command: it works and its output is right, or the error says why it cannot."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from typer.testing import CliRunner, Result

from embeddings.encoders.checkpoint import save_checkpoint
from embeddings.pose import read_pose
from embeddings.recordings import find_recordings
from spotter.cli.app import app

from ..conftest import REPOSITORY
from .formats_and_commands import COMMANDS, FORMATS, Made, cell, make, markdown_table

SIGNS = ("HOUSE", "TREE")
NEEDS_OF = {"pose": {"pose"}, "frames": {"frames"}, "hands": {"frames", "pose"}, "rotations": {"rotations"},
            "hand": {"hand"}, "semantic": {"semantic"}}  # fmt: skip


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def encoders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A tiny encoder with a classifier for every kind of input."""
    from embeddings.encoders.handshape import Handshape, HandshapeConfig
    from embeddings.encoders.pose_transformer import SemanticTransformer, SemanticTransformerConfig
    from embeddings.encoders.sl_gcn import SLGCN3D, SLGCN3DConfig
    from embeddings.encoders.spoter import ClassQuery, ClassQueryConfig
    from embeddings.encoders.vtn import VTN, VTNHC, VTNConfig

    torch.manual_seed(0)
    vtn = VTNConfig(classes=2, backbone="resnet18", layers=1, window=4, size=32, fps=12.5)
    gcn = SLGCN3DConfig(classes=2, widths=(8, 8, 8, 8), head_units=1, part_dim=4, groups=4, kernel=3, window=12)
    made = {
        "pose": ClassQuery(ClassQueryConfig(classes=2, layers=1, inner=8, window=8)),
        "frames": VTN(vtn),
        "hands": VTNHC(vtn),
        "rotations": SLGCN3D(gcn),
        "hand": Handshape(HandshapeConfig(classes=2, size=32)),
        "semantic": SemanticTransformer(
            SemanticTransformerConfig(classes=2, width=16, layers=1, heads=2, inner=8)
        ),
    }  # fmt: skip
    folder = tmp_path_factory.mktemp("encoders")
    for encoder in made.values():
        encoder.label_set = SIGNS
    return {kind: save_checkpoint(folder / f"{kind}.safetensors", e) for kind, e in made.items()}


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Made]:
    """Each format's files, made when first asked for."""
    made: dict[str, Made] = {}

    def of(format: str) -> Made:
        if format not in made:
            made[format] = make(format, tmp_path_factory.mktemp("format"))
        return made[format]

    return of


def run(*arguments: str | Path | float) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments])


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def message(done: Result) -> str:
    assert done.exit_code == 1, done.output
    return done.output + str(done.exception or "")


def fits(kind: str, format: str) -> bool:
    return NEEDS_OF[kind] <= FORMATS[format].holds


# --- commands that read what their encoder needs -----------------------------------------------------------------


class Case:
    """A format's files, an encoder, and an empty folder for what the command writes."""

    def __init__(self, format: str, made: Made, kind: str, model: Path, folder: Path) -> None:
        self.format, self.made, self.kind, self.model, self.folder = format, made, kind, model, folder
        self.labels = [name.partition("~")[0].removeprefix("data_") for name in made.names]
        if made.names[0].startswith("t-"):
            self.labels = ["HOUSE", "HOUSE", "TREE", "TREE"]
        self.encoder = ("-e", model, "--poses", made.poses, "-j", 1, "--fps", 12.5)
        self.model_options = ("-m", model, "--poses", made.poses, "--fps", 12.5)

    def enroll(self) -> Result:
        return run("enroll", self.made.many, "-o", self.folder / "gallery", *self.encoder)


def enroll(case: Case) -> Result:
    done = case.enroll()
    if done.exit_code == 0:
        from gallery import Gallery

        gallery = Gallery.load(case.folder / "gallery")
        assert sorted(gallery.exemplar_labels) == sorted(case.labels)
        np.testing.assert_allclose(np.linalg.norm(gallery.vectors, axis=1), 1, atol=1e-4)
    return done


def spot(case: Case) -> Result:
    made = case.enroll()
    if made.exit_code:
        assert "none of" in message(made)
        _gallery_of_poses(case)
    found, page = case.folder / "found.csv", case.folder / "found.html"
    done = run(
        "spot", case.made.many, "-g", case.folder / "gallery", "-o", found, "--threshold", -1, "--report", page,
        *case.encoder,
    )  # fmt: skip
    if done.exit_code == 0:
        assert {row["video"] for row in rows(found)} == set(case.made.names)
        assert all(0 <= float(row["start"]) < float(row["end"]) < 10 for row in rows(found))
        assert page.stat().st_size > 1000
    return done


def _gallery_of_poses(case: Case) -> None:
    """A gallery of the case's encoder, made by hand where the format gives it nothing to enrol."""
    from embeddings.encoders import load_encoder
    from gallery import Gallery

    encoder = load_encoder(case.model)
    gallery = Gallery(encoder.dim, encoder.id)
    gallery.add(np.eye(1, encoder.dim, dtype=np.float32), ["HOUSE"], facts=[{"source": "x", "frames": 8}])
    gallery.save(case.folder / "gallery")


def embed(case: Case) -> Result:
    done = run("embed", case.made.many, "-o", case.folder / "vectors", *case.encoder)
    if done.exit_code == 0:
        for name in case.made.names:
            with np.load(case.folder / "vectors" / f"{name}.npz") as data:
                np.testing.assert_allclose(np.linalg.norm(data["vectors"], axis=1), 1, atol=1e-4)
                assert len(data["start"]) == len(data["vectors"]) > 1
    return done


def index(case: Case) -> Result:
    done = run("index", case.made.many, "-o", case.folder / "corpus", "--json", *case.encoder)
    if done.exit_code == 0:
        assert json.loads(done.stdout)["videos"] == len(case.made.names)
        again = run("index", case.made.many, "-o", case.folder / "corpus", "--check", *case.encoder)
        assert again.exit_code == 0, again.output
    return done


def search(case: Case) -> Result:
    if index(case).exit_code:
        from embeddings.encoders import load_encoder
        from spotter.corpus.folder import Corpus
        from spotter.corpus.indexing import settings_for

        assert Corpus.open(case.folder / "corpus").settings == settings_for(load_encoder(case.model))
    hits = case.folder / "hits.csv"
    done = run("search", case.folder / "corpus", case.made.one, "-o", hits, *case.encoder)
    if done.exit_code == 0:
        assert {row["sign"] for row in rows(hits)} == {case.labels[0]}
        assert rows(hits)[0]["video"] in case.made.names
    return done


def classify(case: Case) -> Result:
    labels = case.folder / "labels.csv"
    done = run("classify", case.made.many, "-o", labels, *case.model_options)
    if done.exit_code == 0:
        assert sorted({row["sample"] for row in rows(labels)}) == sorted(case.made.names)
        assert {row["label"] for row in rows(labels)} == set(SIGNS)
    return done


def explain(case: Case) -> Result:
    done = run("explain", case.made.one, "-o", case.folder / "pictures", *case.model_options)
    if case.kind == "rotations" and "needs" not in message(done):
        # what there is to see of this network is nothing, whatever the format
        assert "'sl-gcn-3d' has no pictures, attention or input weights to explain" in message(done)
        done.exit_code = 0
    elif done.exit_code == 0:
        assert list((case.folder / "pictures").glob("*.png"))
    return done


def train(case: Case) -> Result:
    from embeddings.encoders.checkpoint import load_checkpoint

    encoder = load_checkpoint(case.model)
    config = "\n".join(
        f"{k} = {json.dumps(v)}" for k, v in vars(encoder.config).items() if k not in ("classes",) and v is not None
    )
    (case.folder / "tiny.toml").write_text(
        f'network = "{encoder.name}"\n[config]\n{config}\n[data]\nvalidation = 0.0\n[augmentation]\nkind = "none"\n'
        '[batch]\nsampler = "shuffle"\nsize = 4\n[schedule]\nkind = "constant"\nsteps = 1\n'
        "[loss]\ncross_entropy = 1.0\n"
    )
    done = run(
        "train", case.folder / "tiny.toml", "--data", case.made.labelled, "-o", case.folder / "run", "--poses",
        case.made.poses, "--fps", 12.5,
    )  # fmt: skip
    if done.exit_code == 0:
        assert f"{len(case.made.names)} clips for training" in done.output
        (checkpoint,) = (p for p in (case.folder / "run").glob("*.safetensors") if p.stem != "state")
        assert load_checkpoint(checkpoint).label_set == tuple(sorted(set(case.labels)))
    return done


def eval_isolated(case: Case) -> Result:
    truth = case.folder / "truth.csv"
    # a file of many calls its clips as it likes, a folder by the files' names
    clips = zip(case.made.names, case.labels, strict=True)
    truth.write_text("sample,label\n" + "\n".join(f"{name},{label}" for name, label in clips), encoding="utf-8")
    named = run("eval", "isolated", truth, case.made.many, "--json", *case.model_options)
    if named.exit_code == 0:
        assert json.loads(named.stdout)["clips"] == len(case.made.names)
    done = run(
        "eval", "isolated", truth, case.made.many, "--one-shot", "-e", case.model, "--poses", case.made.poses,
        "--fps", 12.5, "--json", "--draws", 3,
    )  # fmt: skip
    assert done.exit_code == named.exit_code, (done.output, named.output)
    if done.exit_code == 0:
        assert json.loads(done.stdout)["clips"] == len(case.made.names)
    # without an encoder a recording is not taken for a file of vectors
    refused = message(run("eval", "isolated", truth, case.made.one.partition("#")[0], "--one-shot"))
    array = FORMATS[case.format].kind == "arrays (.npz)"
    assert ("no readable vectors" if array else "holds recordings, neither predictions nor vectors") in refused
    return done


BY_ENCODER: dict[str, Callable[[Case], Result]] = {
    "enroll": enroll, "spot": spot, "embed": embed, "index": index, "search": search, "classify": classify,
    "explain": explain, "train": train, "eval isolated": eval_isolated,
}  # fmt: skip


@pytest.mark.parametrize("command", list(BY_ENCODER))
@pytest.mark.parametrize("format", list(FORMATS))
def test_with_encoders(
    format: str, command: str, material: Callable[[str], Made], encoders: dict[str, Path], tmp_path: Path
) -> None:
    """With an encoder that takes what the format holds it works; with one that does not, the error says so."""
    made = material(format)
    suited = [kind for kind in encoders if fits(kind, format)]
    assert suited or format == "depth maps"  # which no encoder reads alone
    if format in ("arrays: frames", "body crops") and command != "embed":
        suited = ["frames"]  # of arrays no pose is kept: once is enough
    for kind in suited if command == "embed" else suited[:2]:
        (tmp_path / kind).mkdir()
        done = BY_ENCODER[command](Case(format, made, kind, encoders[kind], tmp_path / kind))
        assert done.exit_code == 0, (kind, done.output, done.exception)
    refused = "rotations" if "pose" in FORMATS[format].holds else "pose"
    (tmp_path / "refused").mkdir()
    said = message(BY_ENCODER[command](Case(format, made, refused, encoders[refused], tmp_path / "refused")))
    asked = {"pose": "a pose", "rotations": "joint rotations"}[refused]
    assert f"({FORMATS[format].kind}): holds " in said, said
    assert f"needs {asked}; give " in said, said


# --- commands that read poses or pictures ------------------------------------------------------------------------


def pose(made: Made, folder: Path) -> Result:
    done = run("pose", made.one, "-o", folder, "--fps", 12.5, "-j", 1)
    if done.exit_code == 0:
        (file,) = folder.glob("*.pose")
        (recording,) = find_recordings([made.one])
        assert file.stem == recording.name
        read = read_pose(file)
        assert np.isfinite(read.xy[:, read.joint("left_shoulder")]).any()
        again = run("pose", made.one, "-o", folder, "--fps", 12.5, "-j", 1)
        assert "1 were there" in again.output
    return done


def phonology(command: str, output: str, check: Callable[[Path, list[str]], None]) -> Callable[[Made, Path], Result]:
    def with_format(made: Made, folder: Path) -> Result:
        target = folder / output
        done = run("phonology", *command.split(), made.one, "-o", target, "--poses", made.poses, "--fps", 12.5, "-j", 1)
        if done.exit_code == 0:
            check(target, [r.name for r in find_recordings([made.one])])
        return done

    return with_format


def in_hdf5(*members: str) -> Callable[[Path, list[str]], None]:
    def check(path: Path, names: list[str]) -> None:
        with h5py.File(path) as file:
            assert sorted(file) == names
            assert all(len(file[name][member]) for name in names for member in members or (...,))

    return check


def in_csv(path: Path, names: list[str]) -> None:
    assert {row["video"] for row in rows(path)} <= set(names)
    assert path.read_text().startswith("video,")


def described(path: Path, names: list[str]) -> None:
    assert {f.name for f in path.iterdir()} == {f"{n}{e}" for n in names for e in (".eaf", ".csv", ".html")}


def compare(made: Made, folder: Path) -> Result:
    done = run("phonology", "compare", made.one, made.one, "--poses", made.poses, "--fps", 12.5, "--json")
    if done.exit_code == 0:
        assert json.loads(done.stdout)["differ"] == []
    return done


def clusters(made: Made, folder: Path) -> Result:
    target = folder / "c.h5"
    done = run("phonology", "clusters", made.one, "-o", target, "--poses", made.poses, "--fps", 12.5, "-j", 1)
    if done.exit_code == 0:
        assert "1 videos, 1 signers" in done.output
        assert target.exists()
    return done


def semantic(made: Made, folder: Path) -> Result:
    names = [r.name for r in find_recordings([made.one])]
    with h5py.File(folder / "vle.h5", "w") as file:
        for name in names:
            for side in ("left", "right"):
                file[f"{name}/{side}_hand/frames"] = np.arange(3)
                file[f"{name}/{side}_hand/embeddings"] = np.ones((3, 1280), np.float32)
    target = folder / "semantic.h5"
    done = run(
        "phonology", "vle", "semantic", made.one, "--vle", folder / "vle.h5", "-o", target, "-n", 4, "--poses",
        made.poses, "--fps", 12.5, "-j", 1,
    )  # fmt: skip
    if done.exit_code == 0:
        with h5py.File(target) as file:
            assert file[f"{names[0]}/semantic"].shape == (4, 2590)
    return done


def report_shows_pictures(made: Made, folder: Path) -> bool:
    (name,) = [r.name for r in find_recordings([made.one])]
    (folder / "found.csv").write_text(f"video,sign,start,end,score\n{name},HOUSE,0.2,0.6,0.9\n")
    done = run("report", folder / "page.html", folder / "found.csv", "--video", made.one)
    assert done.exit_code == 0, (done.output, done.exception)
    page = (folder / "page.html").read_text(encoding="utf-8")
    assert name in page
    plays = re.search(r'"src":"[^"]', page) is not None
    assert ("data:image/" in page) == plays
    return plays


BY_POSE: dict[str, Callable[[Made, Path], Result]] = {
    "pose": pose,
    "phonology describe": phonology("describe", "described", described),
    "phonology compare": compare,
    "phonology keyframes": phonology("keyframes", "k.h5", in_hdf5()),
    "phonology locations": phonology("locations", "l.h5", in_hdf5("vector", "place")),
    "phonology movements": phonology("movements", "m.csv", in_csv),
    "phonology orientations": phonology("orientations", "o.csv", in_csv),
    "phonology clusters": clusters,
    "phonology vle semantic": semantic,
    "phonology crops": phonology("crops", "b.h5", in_hdf5("crops")),
    "phonology hands": phonology("hands", "h.h5", in_hdf5("right_hand")),
}


@pytest.mark.parametrize("command", list(BY_POSE))
@pytest.mark.parametrize("format", list(FORMATS))
def test_with_poses_and_pictures(format: str, command: str, material: Callable[[str], Made], tmp_path: Path) -> None:
    done = BY_POSE[command](material(format), tmp_path)
    expected = cell(format, COMMANDS[command])
    if expected.startswith("yes"):
        assert done.exit_code == 0, (done.output, done.exception)
    else:
        assert f"({FORMATS[format].kind}): holds " in message(done)
        assert {"no: no pose": "needs a pose; give ", "no: no pictures": "needs pictures"}[expected] in message(done)


@pytest.mark.parametrize("format", list(FORMATS))
def test_the_handshape_network_takes_hand_images(
    format: str, material: Callable[[str], Made], encoders: dict[str, Path], tmp_path: Path
) -> None:
    target = tmp_path / "vle.h5"
    done = run("phonology", "vle", "predict", material(format).many, "-m", encoders["hand"], "-o", target)
    if cell(format, "hand") == "yes":
        assert done.exit_code == 0, done.output
        with h5py.File(target) as file:
            assert sorted(file) == ["HOUSE~1", "HOUSE~2", "TREE~1", "TREE~2"]
    else:
        assert "the handshape network needs hand images; give " in message(done)


@pytest.mark.parametrize("format", list(FORMATS))
def test_the_report_shows_pictures_of_videos(format: str, material: Callable[[str], Made], tmp_path: Path) -> None:
    assert report_shows_pictures(material(format), tmp_path) == (cell(format, "video") == "yes")


def test_every_command_of_the_table_is_tested() -> None:
    assert {*BY_ENCODER, *BY_POSE, "phonology vle predict", "report"} == set(COMMANDS)
    assert {f.kind for f in FORMATS.values()} == {*_kinds()}


def _kinds() -> list[str]:
    from embeddings.recordings import KINDS

    return list(KINDS)


def test_the_guide_has_the_table() -> None:
    assert markdown_table() in (REPOSITORY / "docs" / "inputs.md").read_text(encoding="utf-8")
