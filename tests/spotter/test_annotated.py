"""Exemplars and clips from annotations: ELAN, detections, decisions, a project; and commands on galleries."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import spotter
from embeddings.pose import read_pose, write_pose
from eval.annotations.elan import media_of
from eval.segments import Segment
from gallery import Gallery, GalleryError, merge, rename_sign
from spotter.annotated import is_annotation_file, read_annotated
from spotter.cli.app import app
from spotter.exemplars import find_exemplars

from .worlds import small_world


@pytest.fixture(scope="module")
def talks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a space in its name: poses of two videos, and an ELAN file with two tiers, of the first."""
    folder = tmp_path_factory.mktemp("my talks")
    for clip in small_world().queries:
        write_pose(folder / "poses" / f"{clip.name}.pose", clip.pose)
    spans = [Segment("query-1", s.label, s.start / 25, s.end / 25) for s in small_world().queries[0].spans]
    spotter.write(folder / "query-1.eaf", spans[:3])
    return folder


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, [str(a) for a in arguments])


def said(done: Any) -> str:
    """What a failed command says: `spotter.cli.main` prints the error that the application raises."""
    return " ".join(f"{done.output} {done.exception}".split())


def spans_of(gallery: Gallery) -> list[tuple[str, int, int]]:
    return [
        (label, round(1000 * f["start"]), round(1000 * f["end"]))
        for label, f in zip(gallery.exemplar_labels, gallery.facts, strict=True)
    ]


def test_an_elan_file_is_enrolled_by_tier_and_not_twice(talks: Path, tmp_path: Path) -> None:
    eaf, clip = talks / "query-1.eaf", small_world().queries[0]
    first = clip.spans[0]
    command = ("enroll", eaf, "--tier", first.label, "--media", talks / "poses", "-o", tmp_path / "g")
    done = run(*command)
    assert done.exit_code == 0, done.output
    gallery = Gallery.load(tmp_path / "g")
    assert spans_of(gallery) == [(first.label, 40 * first.start, 40 * first.end)]
    again = run(*command, "--add")
    assert again.exit_code == 0, again.output
    assert "1 of 1 exemplars were there already" in again.output
    assert len(Gallery.load(tmp_path / "g")) == 1
    every = run(*command[:2], *command[4:], "--add")
    assert every.exit_code == 0, every.output
    assert len(Gallery.load(tmp_path / "g")) == 3


def test_a_video_with_many_exemplars_is_prepared_once(talks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from spotter import enrolment

    asked = []
    real = enrolment.prepared
    monkeypatch.setattr(enrolment, "prepared", lambda source, *rest: asked.append(source) or real(source, *rest))
    clips = small_world().queries
    rows = [Segment(c.name, s.label, s.start / 25, s.end / 25) for c in clips for s in c.spans]
    spotter.write(talks / "mixed.csv", rows)
    exemplars = find_exemplars(talks / "mixed.csv", media=talks / "poses")
    spotter.enroll(exemplars, encoder=small_world().encoder)
    assert len(exemplars) == len(rows)
    assert len(asked) == 2


def test_where_the_videos_are_not_found_the_message_says_what_to_give(talks: Path, tmp_path: Path) -> None:
    done = run("enroll", talks / "query-1.eaf", "-o", tmp_path / "g")
    assert done.exit_code == 1
    assert "no recording of query-1 is found; name the folder of the videos with --media" in said(done)
    done = run("enroll", talks / "query-1.eaf", "--tier", "NONE", "--media", talks / "poses", "-o", tmp_path / "g")
    assert done.exit_code == 1
    assert "no tier NONE" in said(done)


def test_a_table_of_clips_stays_a_table_of_clips(tmp_path: Path) -> None:
    for name, text, is_annotations in (
        ("clips.csv", "file,label,start,end\na.mp4,A,0,1\n", False),
        ("manifest.csv", "path,label\na.mp4,A\n", False),
        ("detections.csv", "video,sign,start,end,score\na,A,0,1,0.5\n", True),
        ("gloss.tsv", "video\tgloss\tstart\tend\na\tA\t0\t1\n", True),
        ("talk.json", json.dumps({"a": [["A", 0, 1]]}), True),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
        assert is_annotation_file(tmp_path / name) is is_annotations, name


def test_decisions_give_what_was_accepted_as_it_was_corrected(talks: Path, tmp_path: Path) -> None:
    place = {"video": "query-1", "sign": "A", "start": 1.0, "end": 2.0, "score": 0.5}
    lines = [
        {"n": 1, "at": "2026-01-01T00:00:00Z", "who": "anna", "action": "accept", "hit": "h1", "token": "1", **place},
        {"n": 2, "at": "2026-01-01T00:00:01Z", "who": "anna", "action": "span", "hit": "h1", "token": "2", **place,
         "detail": {"start": 1.2, "end": 1.8}},
        {"n": 3, "at": "2026-01-01T00:00:02Z", "who": "anna", "action": "reject", "hit": "h2", "token": "3",
         **(place | {"start": 3.0, "end": 4.0})},
    ]  # fmt: skip
    path = tmp_path / "decisions.json"
    log = {"format": "sign-spotter decisions", "version": 1, "searches": [], "lines": lines}
    path.write_text(json.dumps(log), encoding="utf-8")
    read = read_annotated(path, [talks / "poses"])
    assert [(s.video, s.sign, s.start, s.end) for s in read.segments] == [("query-1", "A", 1.2, 1.8)]
    assert read.recordings["query-1"].path == talks / "poses" / "query-1.pose"


def test_an_elan_file_finds_the_media_it_links(tmp_path: Path) -> None:
    (tmp_path / "films" / "a b").mkdir(parents=True)
    film = tmp_path / "films" / "a b" / "täglich 1.mp4"
    film.write_bytes(b"")
    eaf = spotter.write(tmp_path / "x.eaf", [Segment("täglich 1", "A", 0, 1)], media=film)[0]
    assert [path.resolve() for path in media_of(eaf)] == [film]
    moved = tmp_path / "elsewhere" / "x.eaf"
    moved.parent.mkdir()
    moved.write_bytes(eaf.read_bytes())  # the relative path is wrong here, the absolute one holds
    assert [path.resolve() for path in media_of(moved)] == [film]
    film.unlink()
    assert media_of(eaf) == []


def test_elan_offers_the_signs_and_links_the_video_beside_a_pose(tmp_path: Path) -> None:
    from xml.etree import ElementTree

    eaf = spotter.write(tmp_path / "x.eaf", [Segment("x", "TREE", 0, 1), Segment("x", "Ä&<", 2, 3)])[0]
    root = ElementTree.parse(eaf).getroot()
    (vocabulary,) = root.iter("CONTROLLED_VOCABULARY")
    assert [value.text for value in vocabulary.iter("CVE_VALUE")] == ["TREE", "Ä&<"]
    types = {t.get("LINGUISTIC_TYPE_ID"): t.get("CONTROLLED_VOCABULARY_REF") for t in root.iter("LINGUISTIC_TYPE")}
    assert types["sign"] == vocabulary.get("CV_ID")
    more = spotter.write(tmp_path / "y.eaf", [Segment("x", "TREE", 0, 1)], glosses=["HOUSE", "TREE"])[0]
    values = [value.text for value in ElementTree.parse(more).getroot().iter("CVE_VALUE")]
    assert values == ["HOUSE", "TREE"]


def test_a_pose_named_alone_knows_the_video_beside_it(talks: Path, tmp_path: Path) -> None:
    from embeddings.recordings import find_recordings, with_media

    pose = tmp_path / "query-1.pose"
    pose.write_bytes((talks / "poses" / "query-1.pose").read_bytes())
    assert find_recordings([pose])[0].media is None
    film = tmp_path / "films" / "query-1.mov"
    film.parent.mkdir()
    film.write_bytes(b"")
    assert with_media(find_recordings([pose]), [film.parent])[0].media == film
    with pytest.raises(ValueError, match="no video called query-1"):
        with_media(find_recordings([pose]), [film.rename(film.with_name("other.mov"))])
    beside = film.with_name("other.mov").rename(pose.with_suffix(".mov"))
    assert find_recordings([pose])[0].media == beside


def test_subrip_holds_the_glosses_in_order(tmp_path: Path) -> None:
    rows = [Segment("talk", "B & C", 61.5, 62.0004, 0.9), Segment("talk", "A", 0, 0.5, 0.5)]
    (path,) = spotter.write(tmp_path / "talk.srt", rows)
    assert path.read_text(encoding="utf-8").split("\n\n")[0] == "1\n00:00:00,000 --> 00:00:00,500\nA"
    assert "\n00:01:01,500 --> 00:01:02,000\nB &amp; C" in path.read_text(encoding="utf-8")
    back = [(s.sign, s.start, s.end) for s in spotter.read_segments(path)["talk"]]
    assert back == [("A", 0, 0.5), ("B & C", 61.5, 62.0)]


# --- galleries --------------------------------------------------------------------------------------------------


def small_gallery(*labels: str, seed: int = 0) -> Gallery:
    vectors = np.random.default_rng(seed).normal(size=(len(labels), 4))
    gallery = Gallery(4, "e")
    facts = [{"source": f"{label}.mp4", "start": 0.5, "end": 1.5} for label in labels]
    gallery.add(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), list(labels), facts=facts)
    return gallery


def test_renaming_onto_a_sign_gives_it_more_exemplars() -> None:
    gallery = small_gallery("A", "A", "B", "C")
    assert rename_sign(gallery, "A", "B") == ["B~2", "B~3"]
    assert (gallery.exemplar_labels, gallery.ids) == (["B", "B", "B", "C"], ["B~2", "B~3", "B", "C"])
    assert rename_sign(gallery, "C", "A") == ["A"]
    with pytest.raises(GalleryError, match="no sign 'Z'"):
        rename_sign(gallery, "Z", "Y")
    with pytest.raises(GalleryError, match="blank"):
        rename_sign(gallery, "A", "  ")


def test_an_exemplar_added_after_a_renaming_has_an_id_of_its_own() -> None:
    gallery = Gallery(2, "e")
    gallery.add(np.eye(2, dtype=np.float32), ["A", "B"])
    gallery.add(np.eye(2, dtype=np.float32)[:1], ["C"])
    assert rename_sign(gallery, "A", "D") == ["D"]
    assert gallery.add(np.eye(2, dtype=np.float32), ["D", "A"]) == ["D~2", "A"]
    assert len(set(gallery.ids)) == len(gallery)


def test_merging_takes_an_exemplar_once_and_its_picture_along() -> None:
    one, two = small_gallery("A", "B"), small_gallery("A", "C", seed=1)
    two.set_thumbnail("C", b"\xff\xd8 C")
    shared = one.only(["B"])
    shared.facts[0]["source"] = "B.pose"  # the same clip by its pose
    merge(two, shared)
    done = merge(one, two)
    assert (done.added, done.there) == (("A~2", "C"), ("B",))
    assert one.thumbnail("C") == b"\xff\xd8 C"
    other = Gallery(4, "another")
    with pytest.raises(GalleryError, match="another"):
        merge(one, other)


def test_thumbnails_follow_their_exemplars_through_saving_and_removing(tmp_path: Path) -> None:
    gallery = small_gallery("A", "B", "C")
    for name in gallery.ids:
        gallery.set_thumbnail(name, b"\xff\xd8" + name.encode())
    gallery.save(tmp_path / "g")
    early = Gallery.load(tmp_path / "g")
    late = Gallery.load(tmp_path / "g")
    late.remove(["A"])
    late.save(tmp_path / "g")
    assert [late.thumbnail(name) for name in ("B", "C")] == [b"\xff\xd8B", b"\xff\xd8C"]
    assert [early.thumbnail(name) for name in "ABC"] == [None, b"\xff\xd8B", b"\xff\xd8C"]
    assert len(list((tmp_path / "g" / "thumbnails").iterdir())) == 2
    with pytest.raises(GalleryError, match="no JPEG"):
        late.set_thumbnail("B", b"text")
    with pytest.raises(GalleryError, match="no exemplar with the id Z"):
        late.thumbnail("Z")


def test_a_gallery_written_before_there_were_pictures_is_read(tmp_path: Path) -> None:
    folder = small_gallery("A", "B").save(tmp_path / "g")
    with (folder / "exemplars.csv").open(encoding="utf-8", newline="") as file:
        rows = [row[:7] for row in csv.reader(file)]
    with (folder / "exemplars.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    gallery = Gallery.load(folder)
    assert (gallery.ids, gallery.thumbnail("A"), gallery.facts[1]["source"]) == (["A", "B"], None, "B.mp4")


def test_commands_on_galleries(tmp_path: Path) -> None:
    one, two = small_gallery("A", "A", "B").save(tmp_path / "one"), small_gallery("C", seed=1).save(tmp_path / "two")
    listed = json.loads(run("gallery", "list", one, "--json").stdout)
    assert listed["signs"] == {"A": 2, "B": 1}
    shown = json.loads(run("gallery", "show", one, "B", "--json").stdout)
    assert [(row["id"], row["source"], row["start"]) for row in shown] == [("B", "B.mp4", 0.5)]
    assert run("gallery", "show", one, "Z").exit_code == 1
    assert run("gallery", "rename", one, "B", "D").exit_code == 0
    assert run("gallery", "remove", one, "--exemplar", "A~2").exit_code == 0
    assert Gallery.load(one).ids == ["A", "D"]
    refused = run("gallery", "remove", one, "D", "--exemplar", "nobody")
    assert refused.exit_code == 1
    assert Gallery.load(one).ids == ["A", "D"]
    assert run("gallery", "merge", one, two, "-o", tmp_path / "both").exit_code == 0
    assert Gallery.load(tmp_path / "both").labels == ("A", "D", "C")
    assert run("gallery", "merge", one, two, "-o", tmp_path).exit_code == 1
    assert run("gallery", "thumbnails", one).exit_code == 0


def test_poses_without_a_video_are_drawn_and_reports_show_them(talks: Path, tmp_path: Path) -> None:
    clip = small_world().queries[0]
    sign = clip.spans[0].label
    done = run("enroll", talks / "query-1.eaf", "--media", talks / "poses", "-o", tmp_path / "g")
    assert done.exit_code == 0, done.output
    gallery = Gallery.load(tmp_path / "g")
    assert all((gallery.thumbnail(name) or b"").startswith(b"\xff\xd8") for name in gallery.ids)
    page = tmp_path / "gallery.html"
    assert run("gallery", "thumbnails", tmp_path / "g", "-o", page).exit_code == 0
    assert page.read_text(encoding="utf-8").count("data:image/jpeg") == len(gallery)
    spotter.write_report(tmp_path / "r.html", [spotter.Detection("x", sign, 1, 2, 0.5)], gallery=tmp_path / "g")
    assert '"examples":{"0":"data:image/' in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_report_refuses_exemplars_of_other_signs(talks: Path, tmp_path: Path) -> None:
    spotter.write(tmp_path / "found.csv", [spotter.Detection("x", "TREE", 1, 2, 0.5)])
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "HOUSE.mp4").write_bytes(b"")
    done = run("report", tmp_path / "r.html", tmp_path / "found.csv", "--exemplar", tmp_path / "examples")
    assert done.exit_code == 1
    assert "none fits" in said(done)


# --- clips ------------------------------------------------------------------------------------------------------


def test_hits_in_a_file_are_cut_out_and_enrolled(talks: Path, tmp_path: Path) -> None:
    rows = [Segment("query-1", "A/B", 1.0, 1.8, 0.9), Segment("query-1", "C", 2.0, 2.6, 0.2)]
    rows.append(Segment("query-9", "C", 2.0, 2.6, 0.9))
    spotter.write(tmp_path / "found.csv", rows)
    cut = ("clips", tmp_path / "found.csv", "--media", talks / "poses", "-o", tmp_path / "cut out", "--threshold", 0.5)
    done = run(*cut)
    assert done.exit_code == 1  # one video is not there
    assert "query-9" in done.output
    with (tmp_path / "cut out" / "index.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["label"], row["start"], row["end"]) == ("A/B", "0.200", "1.000")
    pose, whole = (read_pose(p) for p in (tmp_path / "cut out" / row["file"], talks / "poses" / "query-1.pose"))
    assert len(pose) == 30  # 1.2 s of 25 frames a second
    np.testing.assert_allclose(pose.xy, whole.xy[20:50], atol=0.51)
    (exemplar,) = find_exemplars(tmp_path / "cut out" / "index.csv")
    assert (exemplar.label, exemplar.span) == ("A/B", (0.2, 1.0))
    assert "1 were there already" in run(*cut).output
    assert "none of its 3 hits" in said(run(*cut, "--sign", "Z"))
