from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gallery import Gallery, GalleryError
from gallery.index import to_gpu


def unit_rows(count: int, dim: int, seed: int = 0) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def small() -> Gallery:
    gallery = Gallery(4, "net-1")
    rows = np.eye(4, dtype=np.float32)
    gallery.add(
        rows[:3],
        ["HOUSE", "TREE", "HOUSE"],
        facts=[{"source": "h.mp4", "start": 0.2, "end": 1.4, "frames": 30}, {}, {"donor": "talk"}],
        features=[np.arange(6, dtype=np.float32).reshape(3, 2), None, np.ones((2, 2), np.float32)],
    )
    return gallery


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 30), st.integers(1, 12), st.integers(1, 6), st.integers(1, 40), st.integers(0, 10_000))
def test_search_is_what_sorting_every_cosine_gives(rows: int, queries: int, dim: int, k: int, seed: int) -> None:
    vectors, asked = unit_rows(rows, dim, seed), unit_rows(queries, dim, seed + 1)
    gallery = Gallery(dim)
    gallery.add(vectors, [f"s{i % 5}" for i in range(rows)], ids=[f"e{i}" for i in range(rows)])
    scores, ids = gallery.search(asked, k)
    assert scores.shape == ids.shape == (queries, min(k, rows))
    for w in range(queries):
        cosines = [float(np.dot(asked[w], v)) for v in vectors]
        np.testing.assert_allclose(scores[w], sorted(cosines, reverse=True)[: min(k, rows)], atol=1e-5)
        # each id really has the score it is listed with, and none is listed twice
        np.testing.assert_allclose([cosines[int(i[1:])] for i in ids[w]], scores[w], atol=1e-5)
        assert len(set(ids[w])) == len(ids[w])


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 20), st.integers(1, 5), st.integers(0, 10_000))
def test_similarity_is_the_best_exemplar_of_each_sign(rows: int, signs: int, seed: int) -> None:
    vectors, asked = unit_rows(rows, 3, seed), unit_rows(4, 3, seed + 1)
    labels = [f"s{i % signs}" for i in range(rows)]
    gallery = Gallery(3)
    gallery.add(vectors, labels)
    found = gallery.similarity(asked)
    assert found.shape == (4, len(gallery.labels))
    for w in range(4):
        for column, label in enumerate(gallery.labels):
            expected = max(float(asked[w] @ v) for v, name in zip(vectors, labels, strict=True) if name == label)
            assert found[w, column] == pytest.approx(expected, abs=1e-5)


def test_of_equal_scores_the_earlier_exemplar_wins() -> None:
    gallery = Gallery(2)
    gallery.add(np.tile([[1.0, 0.0]], (5, 1)), list("EDCBA"))
    for k in (1, 2, 5):
        scores, ids = gallery.search(np.array([[1.0, 0.0]]), k)
        assert list(ids[0]) == list("EDCBA")[:k]
        np.testing.assert_array_equal(scores[0], 1.0)


def test_an_empty_gallery_finds_nothing_and_never_an_id_of_minus_one() -> None:
    scores, ids = Gallery(3).search(unit_rows(2, 3), k=4)
    assert scores.shape == ids.shape == (2, 0)
    assert Gallery(3).similarity(unit_rows(2, 3)).shape == (2, 0)


def test_more_asked_for_than_there_is_gives_what_there_is() -> None:
    scores, ids = small().search(np.eye(4, dtype=np.float32)[:1], k=50)
    assert ids.shape == (1, 3)
    assert ids[0, 0] == "HOUSE"
    assert np.isfinite(scores).all()


def test_adding_and_removing_leave_only_the_rest() -> None:
    gallery = small()
    assert gallery.ids == ["HOUSE", "TREE", "HOUSE~2"]
    gallery.search(np.eye(4, dtype=np.float32)[:1])  # an index exists already
    gallery.remove(["HOUSE"])
    assert gallery.labels == ("TREE", "HOUSE")
    assert gallery.search(np.eye(4, dtype=np.float32)[:1], 1)[0][0, 0] == pytest.approx(0.0)
    gallery.add([[1.0, 0, 0, 0]], ["HOUSE"])
    assert gallery.ids[-1] == "HOUSE"  # the name is free again
    assert gallery.search(np.eye(4, dtype=np.float32)[:1], 1)[1][0, 0] == "HOUSE"


def test_exemplars_that_are_added_one_by_one_are_those_added_at_once() -> None:
    vectors = unit_rows(40, 4)
    labels = [f"S{i % 3}" for i in range(40)]
    gallery, together = Gallery(4), Gallery(4)
    together.add(vectors, labels)
    for i, (vector, label) in enumerate(zip(vectors, labels, strict=True)):
        before = gallery.vectors
        gallery.add([vector], [label])
        assert len(before) == i
    assert gallery.ids == together.ids
    assert gallery.ids[-1] == "S0~14"
    np.testing.assert_array_equal(gallery.vectors, vectors)
    part = gallery.only(["S1"])
    part.add(vectors[:1], ["S1"])
    gallery.add(vectors[1:2], ["S1"])
    assert part.ids[-1] == gallery.ids[-1] == "S1~14"
    np.testing.assert_array_equal(part.vectors[-1], vectors[0])  # a copy has room of its own
    np.testing.assert_array_equal(gallery.vectors[-1], vectors[1])


def test_a_failed_change_changes_nothing() -> None:
    gallery = small()
    with pytest.raises(GalleryError, match="NOBODY"):
        gallery.remove(["HOUSE", "NOBODY"])
    with pytest.raises(GalleryError, match="not unique: TREE"):
        gallery.add(np.eye(4)[:2], ["A", "B"], ids=["new", "TREE"])
    assert gallery.ids == ["HOUSE", "TREE", "HOUSE~2"]
    assert len(gallery) == len(gallery.features) == len(gallery.facts) == 3


@pytest.mark.parametrize(
    ("vectors", "labels", "message"),
    [
        (np.eye(3), list("ABC"), r"\(3, 3\).*\(N, 4\)"),
        (np.eye(4) * 2, list("ABCD"), "length 2.0000; expected unit rows"),
        (np.full((1, 4), np.nan), ["A"], "vector 0 is not finite"),
        (np.eye(4)[:2], ["A"], "1 labels for 2 vectors"),
        (np.eye(4)[:2], ["A", "  "], "label is empty"),
    ],
)
def test_wrong_exemplars_are_refused(vectors: np.ndarray, labels: list[str], message: str) -> None:
    with pytest.raises(GalleryError, match=message):
        Gallery(4).add(vectors, labels)


def test_wrong_searches_are_refused() -> None:
    with pytest.raises(GalleryError, match="k is 0"):
        small().search(np.eye(4)[:1], 0)
    with pytest.raises(GalleryError, match="expected unit rows"):
        small().search(np.ones((1, 4)))
    with pytest.raises(GalleryError, match=r"net-1.*net-2"):
        small().check_encoder("net-2")
    small().check_encoder("net-1")


def test_a_gallery_of_some_signs_is_independent() -> None:
    gallery = small()
    part = gallery.only(["HOUSE"])
    assert part.ids == ["HOUSE", "HOUSE~2"]
    part.remove(["HOUSE"])
    assert len(gallery) == 3
    with pytest.raises(GalleryError, match="no exemplar of FISH"):
        gallery.only(["FISH"])


STRANGE = ["NA", "007", "  spaced ", 'a "quoted", comma', "ГОРА 山 ✋", "line\nbreak", "nan", "-1"]


def test_labels_of_any_characters_survive_saving(tmp_path: Path) -> None:
    gallery = Gallery(8, "net-1")
    gallery.add(np.eye(8), STRANGE)
    loaded = Gallery.load(gallery.save(tmp_path / "g"))
    assert list(loaded.labels) == STRANGE
    assert loaded.ids == STRANGE


def test_what_is_saved_is_what_is_loaded(tmp_path: Path) -> None:
    gallery = small()
    loaded = Gallery.load(gallery.save(tmp_path / "deep" / "g"))
    assert {f.name for f in (tmp_path / "deep" / "g").iterdir()} == {
        "index.faiss", "exemplars.csv", "gallery.json", "features.h5",
    }  # fmt: skip
    np.testing.assert_array_equal(loaded.vectors, gallery.vectors)
    assert (loaded.dim, loaded.encoder, loaded.ids) == (4, "net-1", gallery.ids)
    assert loaded.facts == gallery.facts
    for mine, theirs in zip(gallery.features, loaded.features, strict=True):
        assert (mine is None) == (theirs is None)
        if mine is not None and theirs is not None:
            np.testing.assert_array_equal(mine, theirs)
    assert list(loaded.exemplars.columns) == [
        "id",
        "label",
        "source",
        "start",
        "end",
        "donor",
        "frames",
        "path",
        "thumbnail",
    ]
    empty = Gallery.load(Gallery(5, "e").save(tmp_path / "empty"))
    assert (len(empty), empty.dim) == (0, 5)


def test_saving_again_replaces_and_leaves_no_litter(tmp_path: Path) -> None:
    folder = tmp_path / "g"
    small().save(folder)
    gallery = small()
    gallery.remove(["TREE"])
    gallery.save(folder)
    assert len(Gallery.load(folder)) == 2
    assert [p.name for p in tmp_path.iterdir()] == ["g"]


def test_a_folder_that_is_no_gallery_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(GalleryError, match="is no gallery"):
        small().save(tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"


KILLED = """
import os, sys
import numpy as np
from pathlib import Path
from gallery import Gallery
from safe_files import whole
folder, nth = Path(sys.argv[1]), int(sys.argv[2])
renames = 0
original = Path.rename
def rename(self, target):
    global renames
    renames += 1
    if renames == nth:
        os.kill(os.getpid(), 9)
    return original(self, target)
Path.rename = rename
whole._exchange = lambda one, other: False  # as on a system that needs two renames
gallery = Gallery(2, "new")
gallery.add(np.eye(2), ["NEW", "NEWER"])
gallery.save(folder)
"""


@pytest.mark.parametrize(("nth", "encoder"), [(1, "old"), (2, "old"), (9, "new")])
def test_a_killed_save_leaves_the_old_gallery_or_the_new_one(tmp_path: Path, nth: int, encoder: str) -> None:
    folder = tmp_path / "g"
    old = Gallery(2, "old")
    old.add(np.eye(2)[:1], ["OLD"])
    old.save(folder)
    done = subprocess.run([sys.executable, "-c", KILLED, str(folder), str(nth)], check=False, timeout=60)
    assert done.returncode == (-signal.SIGKILL if nth < 9 else 0)
    assert Gallery.load(folder).encoder == encoder
    again = Gallery(2, "third")
    again.add(np.eye(2), ["A", "B"])
    again.save(folder)
    assert Gallery.load(folder).encoder == "third"


def test_damaged_folders_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(GalleryError, match="no gallery here"):
        Gallery.load(tmp_path / "none")
    folder = small().save(tmp_path / "g")
    rows = (folder / "exemplars.csv").read_text().splitlines()
    (folder / "exemplars.csv").write_text("\n".join(rows[:-1]) + "\n")
    with pytest.raises(GalleryError, match=r"3 vectors.*2 rows"):
        Gallery.load(folder)
    (folder / "exemplars.csv").write_text("no,columns\n1,2\n")
    with pytest.raises(GalleryError, match=r"exemplars.csv"):
        Gallery.load(folder)
    small().save(folder)
    (folder / "index.faiss").write_bytes(b"not an index")
    with pytest.raises(ValueError, match=r"index.faiss"):
        Gallery.load(folder)
    small().save(folder)
    head = json.loads((folder / "gallery.json").read_text())
    (folder / "gallery.json").write_text(json.dumps({**head, "version": 99}))
    with pytest.raises(GalleryError, match="version 99"):
        Gallery.load(folder)
    (folder / "gallery.json").write_text("{")
    with pytest.raises(GalleryError, match=r"gallery.json: damaged"):
        Gallery.load(folder)


def test_a_gpu_is_asked_for_in_vain_with_words() -> None:
    import faiss

    if hasattr(faiss, "StandardGpuResources") and faiss.get_num_gpus():
        pytest.skip("this machine has a GPU for FAISS")
    with pytest.raises(ImportError, match="sees no GPU"):
        to_gpu(faiss.IndexFlatIP(2))


def test_an_unwritable_place_says_so(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        (tmp_path / "file").write_text("x")
        target = tmp_path / "file" / "g"
    else:
        tmp_path.chmod(0o500)
        target = tmp_path / "g"
    with pytest.raises((GalleryError, OSError)):
        small().save(target)
