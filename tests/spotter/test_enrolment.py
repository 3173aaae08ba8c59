from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from embeddings.clip import Clip
from embeddings.pose import write_pose
from eval.segments import Segment
from gallery import Gallery, GalleryError
from spotter import enroll
from spotter.enrolment import Exemplar, exemplar_span, find_exemplars, span_of

from .worlds import small_world


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")


def found(source: object) -> list[tuple[str, str]]:
    return [(e.label, Path(e.source).name) for e in find_exemplars(source)]


def test_a_folder_of_clips_names_its_signs_by_file(tmp_path: Path) -> None:
    touch(tmp_path, "HOUSE.mp4", "HOUSE~2.mov", "ГОРА 山.MKV", "notes.txt", ".hidden.mp4", ".cache/X.mp4")
    assert found(tmp_path) == [("HOUSE", "HOUSE.mp4"), ("HOUSE", "HOUSE~2.mov"), ("ГОРА 山", "ГОРА 山.MKV")]
    assert found(str(tmp_path / "HOUSE~2.mov")) == [("HOUSE", "HOUSE~2.mov")]


def test_a_folder_of_folders_names_them_by_folder(tmp_path: Path) -> None:
    touch(tmp_path, "HOUSE/anna.mp4", "HOUSE/ben.mp4", "TREE/anna.mp4")
    assert found(tmp_path) == [("HOUSE", "anna.mp4"), ("HOUSE", "ben.mp4"), ("TREE", "anna.mp4")]


def test_a_pose_beside_its_video_is_the_same_exemplar(tmp_path: Path) -> None:
    touch(tmp_path, "HOUSE.mp4", "HOUSE.pose", "TREE.h5")
    assert found(tmp_path) == [("HOUSE", "HOUSE.pose"), ("TREE", "TREE.h5")]


def test_a_table_names_files_signs_and_spans(tmp_path: Path) -> None:
    path = tmp_path / "signs.csv"
    path.write_text("\ufefffile,label,start,end\nclips/a.mp4,HOUSE,0.5,1.25\nb.mp4,TREE,,\n", encoding="utf-8")
    first, second = find_exemplars(path)
    assert (first.label, first.source, first.span) == ("HOUSE", tmp_path / "clips/a.mp4", (0.5, 1.25))
    assert (second.label, second.span) == ("TREE", None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,label\na,b\n", "expected file, label"),
        ("file,label\na.mp4,\n", "line 2: file or label is empty"),
        ("file,label,start,end\na.mp4,A,2,1\n", "line 2: ends at 1, before its start at 2"),
        ("file,label,start,end\na.mp4,A,x,1\n", "line 2: start 'x'"),
    ],
)
def test_a_wrong_table_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "signs.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        find_exemplars(path)


def test_nothing_to_enrol_says_so(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such file"):
        find_exemplars(tmp_path / "none")
    with pytest.raises(ValueError, match="no recording in this folder"):
        find_exemplars(tmp_path)
    with pytest.raises(ValueError, match="no exemplars given"):
        find_exemplars([])
    with pytest.raises(ValueError, match="'nameless' has no label"):
        find_exemplars([Clip("nameless", 25.0)])


def test_clips_and_pose_files_give_the_same_gallery(tmp_path: Path) -> None:
    w = small_world()
    for clip in w.exemplars[:3]:
        assert clip.pose is not None
        write_pose(tmp_path / "dictionary" / f"{clip.label}.pose", clip.pose)
    seen: list[tuple[int, int]] = []
    gallery = enroll(tmp_path / "dictionary", tmp_path / "g", w.encoder, progress=lambda *at: seen.append(at))
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert gallery.labels == w.gallery.labels[:3]
    assert gallery.encoder == w.encoder.id
    # pose files are exact to a fraction of a pixel
    assert (np.sum(gallery.vectors * w.gallery.vectors[:3], axis=1) > 0.98).all()
    loaded = Gallery.load(tmp_path / "g")
    assert loaded.facts[0]["source"] == f"{w.exemplars[0].label}.pose"
    assert loaded.facts[0]["frames"] == len(loaded.features[0])  # type: ignore[arg-type]


def test_one_bad_clip_is_reported_and_the_others_enrolled(tmp_path: Path) -> None:
    w = small_world()
    for clip in w.exemplars[:2]:
        assert clip.pose is not None
        write_pose(tmp_path / f"{clip.label}.pose", clip.pose)
    (tmp_path / "broken.pose").write_bytes(b"nothing")
    with pytest.raises(ValueError, match="broken"):
        enroll(tmp_path, encoder=w.encoder)
    errors: list[tuple[str, str]] = []
    gallery = enroll(tmp_path, encoder=w.encoder, on_error=lambda source, why: errors.append((Path(source).name, why)))
    assert len(gallery) == 2
    assert [name for name, _ in errors] == ["broken.pose"]
    assert "broken.pose" in errors[0][1]
    with pytest.raises(ValueError, match="none of 1 exemplars"):
        enroll(tmp_path / "broken.pose", encoder=w.encoder, on_error=lambda *_: None)


def test_a_span_by_hand_overrides_the_trim() -> None:
    w = small_world()
    clip = w.exemplars[0]
    automatic = exemplar_span(clip)
    assert automatic != (0, len(clip))
    assert exemplar_span(clip, trim=False) == (0, len(clip))
    assert exemplar_span(clip, (0.4, 1.2)) == (10, 30)
    with pytest.raises(ValueError, match="lies outside the clip"):
        exemplar_span(clip, (0.4, 99.0))
    by_table = enroll([clip], encoder=w.encoder, spans={clip.name: (0.4, 1.2)})
    assert (by_table.facts[0]["start"], by_table.facts[0]["end"]) == pytest.approx((0.4, 1.2))
    by_exemplar = enroll([Exemplar("X", clip, (0.4, 1.2))], encoder=w.encoder)
    np.testing.assert_array_equal(by_exemplar.vectors, by_table.vectors)
    assert by_exemplar.labels == ("X",)


def test_adding_to_a_gallery_of_another_encoder_is_refused() -> None:
    w = small_world()
    with pytest.raises(GalleryError, match="pose-cosine"):
        enroll(w.exemplars[:1], encoder=w.encoder, into=Gallery(w.encoder.dim, "pose-cosine"))


def test_an_exemplar_at_another_frame_rate_gives_the_same_vector() -> None:
    w = small_world()
    clip = w.exemplars[0]
    assert clip.pose is not None
    fast = replace(clip, pose=clip.pose.resample(50.0), fps=50.0, spans=())
    both = enroll([clip, fast], encoder=w.encoder)
    assert float(both.vectors[0] @ both.vectors[1]) > 0.95
    assert abs(both.facts[0]["frames"] - both.facts[1]["frames"]) <= 2


def test_the_organisers_spans_are_found_by_the_class_in_a_query_videos_name() -> None:
    spans = {"s20": Segment("s20", "AYUDAR", 0.4, 1.58), "HOUSE": (0.5, 1.0)}
    assert span_of("p00_s20", spans) == span_of("s20", spans) == (0.4, 1.58)
    assert span_of("HOUSE", spans) == (0.5, 1.0)
    assert [span_of(name, spans) for name in ("p00_s21", "p00_s20_n001", "house")] == [None] * 3
