"""What users get without any option is one thing: from the command line, from Python, and in the tables."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from embeddings.pose import write_pose
from spotter import Detection, Selection, SpottingOptions, enroll, spot, spot_videos
from spotter.cli.app import app
from spotter.comparison.methods import METHODS, WindowMethod
from spotter.search import judge

from ..conftest import REPOSITORY
from .worlds import small_world


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`exemplars/`, `queries/` and `signs/`, the gallery."""
    world, place = small_world(), tmp_path_factory.mktemp("defaults")
    for clip in world.exemplars:
        assert clip.pose is not None
        write_pose(place / "exemplars" / f"{clip.label}.pose", clip.pose)
    for query in world.queries:
        assert query.pose is not None
        write_pose(place / "queries" / f"{query.name}.pose", query.pose)
    enroll(place / "exemplars").save(place / "signs")
    return place


def spotted(folder: Path, *options: str) -> list[Detection]:
    """What the command finds, and its printed lines must not get in the way."""
    done = CliRunner().invoke(app, ["spot", str(folder / "queries"), "-g", str(folder / "signs"), "--json", *options])
    assert done.exit_code == 0, done.output
    return [Detection(**row) for row in json.loads(done.stdout)["detections"]]


def test_the_command_the_function_and_the_method_of_the_tables_find_the_same(folder: Path) -> None:
    from embeddings.pose import read_pose
    from gallery import Gallery

    files = sorted((folder / "queries").glob("*.pose"))
    from_python = spot(files, Gallery.load(folder / "signs"))
    assert len(from_python) > 5
    assert spotted(folder) == from_python
    ours = METHODS["sign-spotter"]
    assert isinstance(ours, WindowMethod)
    assert (ours.encoder, ours.options, ours.threshold) == ("default", SpottingOptions(), judge.THRESHOLD)
    assert SpottingOptions().transfer is None
    world = small_world()
    exemplars = [_posed(c, read_pose(folder / "exemplars" / f"{c.label}.pose")) for c in world.exemplars]
    queries = [_posed(q, read_pose(folder / "queries" / f"{q.name}.pose")) for q in world.queries]
    compared = ours.detections(exemplars, queries)
    assert [d for name in sorted(compared) for d in compared[name]] == from_python


def _posed(clip, pose):  # type: ignore[no-untyped-def]
    from dataclasses import replace

    return replace(clip, pose=pose, spans=())


def test_the_readme_says_what_the_default_is() -> None:
    text = " ".join((REPOSITORY / "README.md").read_text(encoding="utf-8").split())
    assert f"a probability of at least {judge.THRESHOLD:g}" in text
    assert "Top-K transfer is off by default" in text


def test_operating_points_from_the_command_line(folder: Path) -> None:
    plain = spotted(folder)
    assert [d.score for d in plain] == [d.score for d in plain if d.score >= judge.THRESHOLD]
    best = spotted(folder, "--best", "3")
    assert sorted(d.score for d in best) == sorted(d.score for d in plain)[-3:]
    seconds = sum(r.duration for r in spot_videos(sorted((folder / "queries").glob("*.pose")), _gallery(folder)))
    few = spotted(folder, "--false-alarms", f"{0.5 / seconds * 60}/min")
    assert sum(1 - d.score for d in few) <= 0.5
    sure = spotted(folder, "--precision", "0.9")
    assert sum(d.score for d in sure) >= 0.9 * len(sure)
    rare, often = (spotted(folder, "--expect", rate, "--precision", "0.01") for rate in ("150/h", "300/h"))
    assert sum(d.score for d in rare) < sum(d.score for d in often)
    assert sum(d.score for d in rare) == pytest.approx(150 * 8 * seconds / 3600, rel=0.05)
    wrong = CliRunner().invoke(
        app, ["spot", str(folder / "queries"), "-g", str(folder / "signs"), "--expect", "two a day"]
    )
    assert "expected a rate such as 2/h" in str(wrong.exception)


def _gallery(folder: Path):  # type: ignore[no-untyped-def]
    from gallery import Gallery

    return Gallery.load(folder / "signs")


def test_what_needs_probabilities_says_so(folder: Path) -> None:
    files = sorted((folder / "queries").glob("*.pose"))
    for options in (
        SpottingOptions(calibrated=False, select=Selection(precision=0.9)),
        SpottingOptions(calibrated=False, expect=2.0),
    ):
        with pytest.raises(ValueError, match="gives cosines, not probabilities"):
            spot(files, _gallery(folder), options=options)
    best = spot(files, _gallery(folder), options=SpottingOptions(calibrated=False, select=Selection(best=4)))
    assert len(best) == 4


def test_the_expected_number_of_hits_is_told(folder: Path) -> None:
    page = folder / "report.html"
    done = CliRunner().invoke(
        app, ["spot", str(folder / "queries"), "-g", str(folder / "signs"), "--report", str(page)]
    )
    assert done.exit_code == 0, done.output
    found = spotted(folder)
    right = f"{sum(d.score for d in found):.0f}"
    assert f"about {right} of {len(found)}" in done.output
    assert "Expected to be right" in page.read_text(encoding="utf-8")
