"""The command line as a user meets it: exit codes, one line per mistake, results that a program can read."""

from __future__ import annotations

import csv
import json
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from embeddings.pose import write_pose

from ..conftest import REPOSITORY
from .worlds import small_world


def run(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """`spotter …` in a process of its own, from another folder."""
    code = "import sys; from spotter.cli import main; main()"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=280, env=_environment())


def _environment() -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": str(REPOSITORY), "COLUMNS": "120"}


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ten pose files of which one is broken, and exemplars."""
    folder = tmp_path_factory.mktemp("walk")
    world = small_world()
    for clip in world.exemplars[:4]:
        assert clip.pose is not None
        write_pose(folder / "dictionary" / f"{clip.label}.pose", clip.pose)
    query = world.queries[0]
    assert query.pose is not None
    for i in range(9):
        write_pose(folder / "talks" / f"talk-{i}.pose", query.pose)
    (folder / "talks" / "talk-9.pose").write_bytes(b"not a pose at all")
    return folder


def test_help_lists_the_commands_with_an_example(tmp_path: Path) -> None:
    shown = run("--help", cwd=tmp_path)
    assert shown.returncode == 0
    for name in ("demo", "pose", "enroll", "spot", "embed", "eval", "data", "phonology", "report"):
        assert name in shown.stdout
    assert "Example" in run("spot", "--help", cwd=tmp_path).stdout


@pytest.mark.parametrize("arguments", [["spot"], ["spot", "x.mp4"], ["nonsense"], ["pose", "--workers", "-2", "x"]])
def test_wrong_usage_is_exit_code_2(arguments: list[str], tmp_path: Path) -> None:
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_mistake_is_one_line_and_a_traceback_only_when_asked(tmp_path: Path) -> None:
    done = run("enroll", "nowhere/", "-o", "g", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.strip() == "error: nowhere: no such file or folder"
    assert "Traceback" in run("--debug", "enroll", "nowhere/", "-o", "g", cwd=tmp_path).stderr


def test_nine_of_ten_are_spotted_and_the_tenth_is_named(walked: Path) -> None:
    made = run("enroll", "dictionary", "-o", "gallery", "--json", cwd=walked)
    assert made.returncode == 0, made.stderr
    assert len(json.loads(made.stdout)["signs"]) == 4
    done = run("spot", "talks", "-g", "gallery", "-o", "found.csv", "--json", cwd=walked)
    assert done.returncode == 1
    assert "talk-9.pose" in done.stderr
    assert "1 of 10 failed" in done.stderr
    with (walked / "found.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    said = json.loads(done.stdout)
    found = said["detections"]
    assert [v["video"] for v in said["videos"] if v["error"]] == ["talk-9"]
    assert len(rows) == len(found) > 0
    assert len({row["video"] for row in rows}) == 9

    again = run("enroll", "dictionary", "-o", "gallery", cwd=walked)
    assert again.returncode == 1
    assert "--add" in again.stderr


def test_the_challenges_number_comes_out_to_the_last_digit(tmp_path: Path) -> None:
    cases = json.loads((REPOSITORY / "tests/eval/spotting/challenge-scoring-cases.json").read_text(encoding="utf-8"))
    case = next(c for c in cases if c["name"] == "C4_micro_missing_extra_wrongclass")
    (tmp_path / "truth.pkl").write_bytes(pickle.dumps(case["gt"]))
    (tmp_path / "found.pkl").write_bytes(pickle.dumps(case["pred"]))
    done = run("eval", "spotting", "--official", "truth.pkl", "found.pkl", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"f1": case["f1"], "tp": case["tp"], "fp": case["fp"], "fn": case["fn"]}


def test_embed_writes_unit_rows_with_their_times(walked: Path) -> None:
    import numpy as np

    done = run("embed", "talks/talk-0.pose", "-o", "vectors", cwd=walked)
    assert done.returncode == 0, done.stderr
    with np.load(walked / "vectors" / "talk-0.npz", allow_pickle=False) as data:
        np.testing.assert_allclose(np.linalg.norm(data["vectors"], axis=1), 1, atol=1e-4)
        assert len(data["start"]) == len(data["end"]) == len(data["vectors"])
        assert (data["start"] <= data["end"]).all()


def test_phonology_describes_and_compares(walked: Path) -> None:
    clips = sorted((walked / "dictionary").glob("*.pose"))
    described = run("phonology", "describe", clips[0], "-o", "described", cwd=walked)
    assert described.returncode == 0, described.stderr
    assert {p.suffix for p in (walked / "described").iterdir()} == {".eaf", ".csv", ".html"}
    compared = run("phonology", "compare", clips[0], clips[0], "--json", cwd=walked)
    assert compared.returncode == 0, compared.stderr
    assert json.loads(compared.stdout)["differ"] == []


def test_ctrl_c_is_told_how_to_go_on(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from unittest.mock import patch

    from spotter.cli import main

    monkeypatch.setattr(sys, "argv", ["spotter", "cache"])
    with patch("embeddings.pose.cache.cache_folder", side_effect=KeyboardInterrupt), pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 130
    assert "the same command goes on from there" in capsys.readouterr().err
