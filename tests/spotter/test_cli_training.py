"""`spotter train`, `classify`, `ensemble`, `explain` as a user meets them."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest
import torch
from typer.testing import CliRunner, Result

from embeddings.encoders.checkpoint import save_checkpoint
from embeddings.encoders.spoter import ClassQuery, ClassQueryConfig
from embeddings.isolated.classify import Classifier
from embeddings.isolated.explain import attention_mask
from embeddings.pose import write_pose
from embeddings.prepared import load_clip
from embeddings.recordings import PoseSource
from embeddings.synthetic import SignWorld
from embeddings.training.settings import Optimiser
from spotter.cli.app import app

from ..embeddings.training.small_training import SMALL, as_toml


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a recipe of one's own, its training, and clips of which one is broken."""
    folder = tmp_path_factory.mktemp("training")
    recipe = replace(SMALL, optimiser=Optimiser("adamw", 5e-3, clip=1.0))
    (folder / "mine.toml").write_text(as_toml(recipe))
    torch.set_num_threads(1)
    done = run("train", folder / "mine.toml", "-o", folder / "run", "--set", "schedule.steps=4")
    assert done.exit_code == 0, done.output
    assert "16 clips for training, 4 for validation; 4 steps" in done.output
    world = SignWorld(5, 4)
    for k in range(4):
        pose = world.clip(k, signer=9).pose
        assert pose is not None
        write_pose(folder / "clips" / f"sign-{k:03d}" / "a.pose", pose)
    (folder / "clips" / "sign-000" / "b.pose").write_bytes(b"no pose")
    return folder


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_without_a_recipe_they_are_listed() -> None:
    listed = run("train")
    assert listed.exit_code == 0
    assert "sl-gcn-quick" in listed.output
    assert "vtn-pf-autsl" in listed.output


def test_a_finished_training_is_left_alone(trained: Path) -> None:
    before = (trained / "run" / "best.safetensors").stat().st_mtime_ns
    again = run("train", trained / "mine.toml", "-o", trained / "run", "--set", "schedule.steps=4")
    assert again.exit_code == 0, again.output
    assert (trained / "run" / "best.safetensors").stat().st_mtime_ns == before


def test_clips_are_classified_and_the_broken_one_is_named(trained: Path) -> None:
    (trained / "template.csv").write_text("sample,class\nsign-001/a,\nsign-000/a,\n")
    done = run(
        "classify", trained / "clips", "-m", trained / "run" / "best.safetensors", "-o", trained / "labels.csv",
        "--top", "2", "--scores", trained / "one.csv", "--submission", trained / "template.csv",
    )  # fmt: skip
    assert done.exit_code == 1
    assert "1 of 5 failed: b" in done.output
    rows = rows_of(trained / "labels.csv")
    assert [row["sample"] for row in rows[::2]] == [f"sign-{k:03d}/a" for k in range(4)]
    assert [row["rank"] for row in rows] == ["1", "2"] * 4
    assert all(float(a["probability"]) >= float(b["probability"]) for a, b in zip(rows[::2], rows[1::2], strict=True))
    filled = (trained / "template.filled.csv").read_text().splitlines()
    assert filled == ["sample,class", f"sign-001/a,{rows[2]['label']}", f"sign-000/a,{rows[0]['label']}"]
    (scores,) = [r for r in rows_of(trained / "one.csv") if r["sample"] == "sign-002/a"]
    assert sum(float(v) for k, v in scores.items() if k != "sample") == pytest.approx(1, abs=1e-5)


def test_clips_are_classified_by_one_example_a_sign(trained: Path) -> None:
    examples, found = trained / "examples", trained / "by-gallery.csv"
    world = SignWorld(5, 4)
    for k in range(4):
        pose = world.clip(k, signer=3).pose
        assert pose is not None
        write_pose(examples / f"sign-{k:03d}.pose", pose)
    assert run("enroll", examples, "-o", trained / "gallery").exit_code == 0
    done = run("classify", *(trained / "clips" / f"sign-{k:03d}" / "a.pose" for k in range(4)), "-g",
               trained / "gallery", "-o", found, "--top", "1")  # fmt: skip
    assert done.exit_code == 1, "four clips are named a: the second must be refused"
    done = run("classify", trained / "clips", "-g", trained / "gallery", "-o", found, "--top", "1")
    assert "1 of 5 failed: b" in done.output
    assert [(row["sample"], row["label"]) for row in rows_of(found)] == [
        (f"sign-{k:03d}/a", f"sign-{k:03d}") for k in range(4)
    ]
    assert "rule:" not in done.output  # one example each teaches nothing
    for k in range(4):
        pose = world.clip(k, signer=6).pose
        assert pose is not None
        write_pose(trained / "more" / f"sign-{k:03d}.pose", pose)
    assert run("enroll", trained / "more", "-o", trained / "gallery", "--add").exit_code == 0
    done = run("classify", trained / "clips", "-g", trained / "gallery", "-o", found, "--top", "1")
    assert "rule: head; of exemplars with another of their sign" in " ".join(done.output.split())
    assert [row["label"] for row in rows_of(found)] == [f"sign-{k:03d}" for k in range(4)]


def test_data_that_knows_the_answer_is_scored(trained: Path) -> None:
    done = run(
        "classify", "procedural:5?signs=4&signers=20-21", "-m", trained / "run" / "best.safetensors", "-o",
        trained / "l2.csv",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "8 of 8 clips" in done.output
    assert "top-1" in done.output
    assert "parameters" in done.output


def test_an_ensemble_is_fitted_on_validation_and_refuses_the_test_list(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("sample,X,Y\n1,.9,.1\n2,.8,.2\n3,.6,.4\n")
    (tmp_path / "b.csv").write_text("sample,Y,X\n3,.9,.1\n1,.5,.5\n2,.5,.5\n")
    (tmp_path / "val.csv").write_text("sample,label,split\n1,X,validation\n2,X,validation\n3,Y,validation\n")
    scores = (tmp_path / "a.csv", tmp_path / "b.csv")
    done = run("ensemble", "fit", *scores, "--labels", tmp_path / "val.csv", "-o", tmp_path / "e.json")
    assert done.exit_code == 0, done.output
    assert "accuracy on the 3 samples it was fitted to: 1.0000" in done.output
    both = run(
        "ensemble", "predict", tmp_path / "e.json", *scores, "-o", tmp_path / "s.csv", "--labels", tmp_path / "l.csv"
    )
    assert both.exit_code == 0, both.output
    first = {row["sample"]: row["label"] for row in rows_of(tmp_path / "l.csv") if row["rank"] == "1"}
    assert first == {"1": "X", "2": "X", "3": "Y"}
    (tmp_path / "test.csv").write_text("sample,label,split\n1,X,test\n")
    refused = run("ensemble", "fit", *scores, "--labels", tmp_path / "test.csv", "-o", tmp_path / "no.json")
    assert refused.exit_code == 1
    assert "belong to the test split" in str(refused.exception)
    assert not (tmp_path / "no.json").exists()


def test_explain_writes_pictures(trained: Path) -> None:
    encoder = ClassQuery(ClassQueryConfig(classes=2, layers=1, inner=8, window=8))
    encoder.label_set = ("A", "B")
    model = save_checkpoint(trained / "cq.safetensors", encoder)
    done = run("explain", trained / "clips" / "sign-001" / "a.pose", "-m", model, "-o", trained / "pictures")
    assert done.exit_code == 0, done.output
    assert {p.name for p in (trained / "pictures").iterdir()} == {
        "attention.png", "input_weights.csv", "input_weights.png",
    }  # fmt: skip


def test_explain_looks_at_the_window_that_classify_decides_on(trained: Path) -> None:
    """A clip with a still half: the checkpoint's windows and one over all of the clip differ."""
    torch.manual_seed(0)
    encoder = ClassQuery(ClassQueryConfig(classes=2, layers=1, inner=8, window=8))
    encoder.label_set = ("A", "B")
    sampling = {"cut": "clip", "sampling": "contiguous", "stride": 1}
    model = save_checkpoint(trained / "cq2.safetensors", encoder, {"sampling": sampling})
    clip = trained / "clips" / "sign-001" / "a.pose"
    done = run("classify", clip, "-m", model, "-o", trained / "q.csv", "--top", "1")
    assert done.exit_code == 0, done.output
    (row,) = rows_of(trained / "q.csv")
    told = run("explain", clip, "-m", model, "-o", trained / "pictures2")
    assert f"{row['label']} (probability {float(row['probability']):.3f})" in told.output
    classifier = Classifier(model)
    recording = load_clip(clip, classifier.encoder, PoseSource())
    seen: list[dict[str, torch.Tensor]] = []

    def noted(encoder: object, inputs: dict[str, torch.Tensor]) -> object:
        seen.append(inputs)
        return attention_mask(encoder, inputs)  # type: ignore[arg-type]

    with patch("embeddings.isolated.explain.attention_mask", noted):
        run("explain", clip, "-m", model, "-o", trained / "pictures2")
    torch.testing.assert_close(seen[0]["pose"], classifier.window(recording)["pose"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("train", "nonsense"), "neither a .toml file nor one of"),
        (("train", "spoter-wlasl100"), "no data of its own"),
        (("train", "sl-gcn-quick", "--set", "run.speed=9"), "run.speed is not known"),
        (("classify", "nowhere", "-m", "none.safetensors"), "no such checkpoint"),
        (("classify", "nowhere"), "neither is given"),
        (("classify", "nowhere", "-m", "none.safetensors", "-g", "gallery"), "both are given"),
        (("explain", "nowhere.mp4", "-m", "none.safetensors"), "no such checkpoint"),
    ],
)
def test_mistakes_are_said_in_one_line(arguments: tuple[str, ...], message: str, tmp_path: Path) -> None:
    done = run(*arguments, "-o", tmp_path / "x")
    assert done.exit_code == 1
    assert isinstance(done.exception, ValueError)
    assert message in str(done.exception)
    assert "\n" not in str(done.exception)
