"""The published chain by commands alone: videos → hands → clusters → handshape network → semantic vectors →
transformer, key-frames and crops → I3D, both in an ensemble; on a small made-up corpus."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import h5py
import pytest
from typer.testing import CliRunner

from embeddings.encoders.checkpoint import load_checkpoint
from embeddings.pose import write_pose
from embeddings.pose.files import source_stamp
from embeddings.synthetic import SignWorld
from embeddings.video import write_video
from spotter.cli.app import app

from ..embeddings.encoders.overfitting import filmed

SIGNS, SIGNERS, FPS = ("HOUSE", "TREE"), 6, 12.5
SMALL = ["run.init=random", "schedule.epochs=0", "schedule.steps=2", "schedule.watch=last"]


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two signs by six signers: videos/SIGN/SIGN~SIGNER.mp4, their poses, and labels.csv."""
    root = tmp_path_factory.mktemp("corpus")
    rows = ["sample,label,split,signer"]
    world = SignWorld(5, signs=2)
    for number, sign in enumerate(SIGNS):
        for signer in range(SIGNERS):
            clip = filmed(world.clip(number, signer=signer, fps=FPS), 160)
            assert clip.frames is not None
            assert clip.pose is not None
            name = f"{sign}~{signer}"
            video = write_video(root / "videos" / sign / f"{name}.mp4", clip.frames, FPS)
            pose = replace(clip.pose, estimator="holistic")
            write_pose(root / "poses" / f"{name}.pose", pose, source_stamp(video, None))
            split = "train" if signer < SIGNERS - 2 else "validation"
            rows.append(f"{name},{sign},{split},signer-{signer}")
    (root / "labels.csv").write_text("\n".join(rows))
    (root / "validation.csv").write_text("\n".join(row for row in rows if ",train," not in row))
    return root


def run(root: Path, *arguments: str | Path) -> str:
    done = CliRunner().invoke(app, [str(a) for a in arguments])
    assert done.exit_code == 0, (arguments, done.output, done.exception)
    return done.output


def train(root: Path, recipe: str, data: str, output: str, *changes: str) -> Path:
    options = [option for change in (*SMALL, *changes) for option in ("--set", change)]
    run(root, "train", recipe, "--data", data, "-o", root / output, *options)
    return root / output / "best.safetensors"


def test_from_videos_to_an_ensemble(corpus: Path) -> None:
    root = corpus
    videos = [root / "videos" / sign for sign in SIGNS]
    poses = ("--poses", root / "poses", "-j", "1")
    hands, labels = root / "hands.h5", root / "labels.csv"
    run(root, "phonology", "hands", *videos, "-o", hands, "--confidence", "0", *poses)
    clusters = root / "clusters.h5"
    run(root, "phonology", "clusters", root / "videos", "-o", clusters, "--least", "2", "--join", "2", *poses)
    shapes = train(root, "handshape-uwb", f"clusters:{clusters}?hands={hands}", "shapes",
                   "config.backbone=mobilenet_v3_small", "config.size=32", "batch.size=4")  # fmt: skip
    run(root, "phonology", "vle", "predict", hands, "-m", shapes, "-o", root / "vle.h5", "--confidence", "0")
    semantic = root / "semantic.h5"
    run(root, "phonology", "vle", "semantic", *videos, "--vle", root / "vle.h5", "-o", semantic, *poses)
    with h5py.File(semantic) as file:
        assert len(file) == len(SIGNS) * SIGNERS
        frames, values = file["TREE~3/semantic"].shape
    assert (frames, values) == (16, 2 * 15 + 2 * 576)  # places, and this small network's embeddings

    run(root, "phonology", "keyframes", *videos, "-o", root / "keyframes.h5", *poses)
    for name, options in (("crops", ()), ("masked", ("--masked",))):
        run(root, "phonology", "crops", *videos, "-o", root / f"{name}.h5", *options, *poses)
    beside = f"labels={labels}&keyframes={root}/keyframes.h5"
    models = {
        "transformer": train(root, "vle-transformer-small-autsl", f"{semantic}?labels={labels}", "transformer",
                             f"config.values={values}", "config.width=16", "config.layers=1", "config.inner=8"),
        **{name: train(root, "i3d-resnet50-autsl", f"{root}/{name}.h5?{beside}", f"i3d-{name}",
                       "config.blocks=[1,1,1,1]", "config.base=8", "config.size=32", "batch.size=2",
                       "batch.accumulate=1") for name in ("crops", "masked")},
    }  # fmt: skip
    data = {"transformer": f"{semantic}?labels={labels}",
            "crops": f"{root}/crops.h5?{beside}", "masked": f"{root}/masked.h5?{beside}"}  # fmt: skip
    scores = []
    for name, model in models.items():
        assert load_checkpoint(model).label_set == SIGNS
        scores.append(root / f"{name}.csv")
        run(root, "classify", data[name], "-m", model, "-o", root / f"{name}-labels.csv", "--scores", scores[-1],
            "--split", "validation")  # fmt: skip
    run(root, "ensemble", "fit", *scores, "--labels", root / "validation.csv", "-o", root / "ensemble.json")
    run(root, "ensemble", "predict", root / "ensemble.json", *scores, "-o", root / "both.csv")
    with (root / "both.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["sample"] for row in rows} == {
        f"{sign}~{signer}" for sign in SIGNS for signer in (SIGNERS - 2, SIGNERS - 1)
    }
