"""The 2022 challenge's own names and tables: from its query videos to its official score."""

import json
import pickle
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from embeddings.clip import Clip
from embeddings.pose import write_pose
from eval.segments import read_segments
from eval.spotting import challenge_f1
from gallery import Gallery
from spotter.cli.app import app
from spotter.enrolment import find_exemplars

from .worlds import said, small_world

TRIMS = "CLASS;SIGN;BEGIN;END\n20;AYUDAR;406;1581\n5;DOLOR;40;900\n"


def touch(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"")


def test_a_query_videos_sign_is_its_class_as_in_the_ground_truth(tmp_path: Path) -> None:
    touch(tmp_path / "q", "p00_s20.mp4", "p03_s05.mp4", "p00_s20_n001.mp4", "HOUSE~2.mp4")
    labels = {Path(e.source).stem: e.label for e in find_exemplars(tmp_path / "q")}
    assert labels == {"p00_s20": "20", "p03_s05": "5", "p00_s20_n001": "p00_s20_n001", "HOUSE~2": "HOUSE"}


def test_the_manifest_of_the_queries_can_be_enrolled(tmp_path: Path) -> None:
    touch(tmp_path / "q", "p00_s20.mp4", "p03_s05.mp4")
    (tmp_path / "trims.csv").write_text(TRIMS)
    made = ("data", "oslwl-queries", tmp_path / "q", "-o", tmp_path / "prepared", "--trims", tmp_path / "trims.csv")
    assert CliRunner().invoke(app, [str(a) for a in made]).exit_code == 0
    manifest = tmp_path / "prepared" / "manifest.csv"
    exemplars = {e.label: e for e in find_exemplars(manifest, media=tmp_path / "q")}
    assert exemplars["20"].span == pytest.approx((0.406, 1.581))
    assert exemplars["5"].span == pytest.approx((0.04, 0.9))
    assert Path(exemplars["20"].source) == tmp_path / "q" / "p00_s20.mp4"
    with pytest.raises(ValueError, match=r"its clips, such as p03_s05\.mp4, are not in .*prepared; .*--media"):
        find_exemplars(manifest)


def test_trims_are_for_queries_alone(tmp_path: Path) -> None:
    (tmp_path / "trims.csv").write_text(TRIMS)
    done = CliRunner().invoke(
        app, ["data", "folder", str(tmp_path), "-o", str(tmp_path / "o"), "--trims", str(tmp_path / "trims.csv")]
    )
    assert "--trims is for oslwl-queries" in str(done.exception)


@pytest.fixture(scope="module")
def challenge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Queries of classes 0 to 3, search clips named for the one sign in each, the organisers' files."""
    folder = tmp_path_factory.mktemp("challenge")
    world = small_world()
    truth: dict[str, list[list[int]]] = {}
    rows = ["CLASS;SIGN;BEGIN;END"]
    for number, clip in enumerate(world.exemplars[:4]):
        write(folder / "queries" / f"p00_s{number:02d}.pose", clip)
        (span,) = clip.spans
        rows.append(f"{number};{clip.label};{span.start * 40};{span.end * 40}")
    for number in range(4):
        clip = replace(said(world.world, [number], number + 1), name=f"p0{number + 1}_s{number:02d}_n001")
        write(folder / "search" / f"{clip.name}.pose", clip)
        (span,) = clip.spans
        truth[clip.name] = [[number, round(span.start * 40), round(span.end * 40)]]
    (folder / "gt.pkl").write_bytes(pickle.dumps(truth))
    (folder / "trims.csv").write_text("\n".join(rows) + "\n")
    (folder / "known.csv").write_text("".join(f"{name},{listed[0][0]}\n" for name, listed in truth.items()))
    return folder


def write(path: Path, clip: Clip) -> None:
    assert clip.pose is not None
    write_pose(path, clip.pose)


def test_from_queries_to_the_official_score(challenge: Path) -> None:
    run, at = CliRunner(), lambda name: str(challenge / name)
    done = run.invoke(app, ["enroll", at("queries"), "-o", at("gallery"), "--spans", at("trims.csv")])
    assert done.exit_code == 0, done.output
    assert "spans of 4 clips, 4 of the 4 clips here are among them" in " ".join(done.output.split())
    found = ["-o", at("predictions.pkl"), "--known", at("known.csv")]
    done = run.invoke(app, ["spot", at("search"), "-g", at("gallery"), *found])
    assert done.exit_code == 0, done.output
    gallery = Gallery.load(challenge / "gallery")
    assert sorted(gallery.labels) == ["0", "1", "2", "3"]
    spans = [clip.spans[0] for clip in small_world().exemplars[:4]]
    assert [(f["start"] * 25, f["end"] * 25) for f in gallery.facts] == [pytest.approx((s.start, s.end)) for s in spans]
    predictions = read_segments(challenge / "predictions.pkl")
    assert challenge_f1(read_segments(challenge / "gt.pkl"), predictions).f1 > 0.4
    raw = pickle.loads((challenge / "predictions.pkl").read_bytes())
    assert all(isinstance(sign, int) for listed in raw.values() for sign, *_ in listed)
    scored = run.invoke(app, ["eval", "spotting", "--official", "--json", at("gt.pkl"), at("predictions.pkl")])
    assert json.loads(scored.stdout)["tp"] > 0


def test_the_sign_to_look_for_can_be_a_manifest_and_must_be_one(challenge: Path, tmp_path: Path) -> None:
    from spotter.cli.search_options import known_signs

    manifest = tmp_path / "manifest.csv"
    manifest.write_text("id,path,label\np01_s20_n001,p01_s20_n001.mp4,20\n")
    assert known_signs(manifest) == {"p01_s20_n001": "20"}
    manifest.write_text("video,sign\ntalks/a.mp4,HOUSE\na,TREE\n")
    with pytest.raises(ValueError, match="a has the sign HOUSE already"):
        known_signs(manifest)
    manifest.write_text("a.mp4,HOUSE\nb.mp4\n")
    with pytest.raises(ValueError, match="line 2: expected video,sign"):
        known_signs(manifest)
