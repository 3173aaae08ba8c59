"""Predictions in both forms, vectors in three, and ranks among given exemplars."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from eval.isolated.files import read_ranked, read_vectors
from eval.isolated.retrieval import exemplar_ranks


def test_both_forms_of_predictions_say_the_same(tmp_path: Path) -> None:
    wide, long = tmp_path / "wide.csv", tmp_path / "long.csv"
    wide.write_text("sample,class\na,X,Y\nb,Y\n", encoding="utf-8")
    long.write_text("sample,rank,label,probability\na,2,Y,0.1\na,1,X,0.9\nb,1,Y,0.8\n", encoding="utf-8")
    assert read_ranked(wide) == read_ranked(long) == {"a": ["X", "Y"], "b": ["Y"]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sample,rank,label\na,1,X\na,1,Y\n", "'a' has the rank 1 twice"),
        ("sample,rank,label\na,first,X\n", "expected sample, whole rank, label"),
        ("name,rank,label\na,1,X\n", "has no column sample"),
        ("sample,rank,label\n", "holds no row"),
    ],
)
def test_broken_predictions_name_the_row(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "found.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=said):
        read_ranked(path)


def test_vectors_of_every_form(tmp_path: Path) -> None:
    vectors = np.arange(6.0).reshape(2, 3)
    np.savez(tmp_path / "v.npz", ids=np.array(["a", "b"]), vectors=vectors)
    (tmp_path / "v.csv").write_text("id,1,2,3\na,0,1,2\nb,3,4,5\n", encoding="utf-8")
    (tmp_path / "each").mkdir()
    for clip, row in zip("ab", vectors, strict=True):
        np.savez(tmp_path / "each" / f"{clip}.npz", vectors=np.stack([row - 1, row + 1]), start=[0, 1], end=[1, 2])
    for name in ("v.npz", "v.csv", "each"):
        ids, read = read_vectors(tmp_path / name)
        assert ids == ["a", "b"]
        np.testing.assert_array_equal(read, vectors)


@pytest.mark.parametrize("text", ["", "a,1,2\na,3,4\n", "a,1,2\nb,3\n", "a,1,nan\n", "a,1,x\n"])
def test_broken_vectors_are_said(text: str, tmp_path: Path) -> None:
    path = tmp_path / "v.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"v\.csv: "):
        read_vectors(path)


def test_rank_is_the_worst_of_equals_and_the_best_exemplar_of_a_sign_counts() -> None:
    similarity = np.array([[0.1, 0.9, 0.5, 0.2], [0.5, 0.4, 0.5, 0.1], [0.3, 0.3, 0.3, 0.3]])
    ranks = exemplar_ranks(similarity, ["B", "A", "C"], ["A", "A", "B", "C"])
    assert ranks.tolist() == [2, 2, 3]
    with pytest.raises(ValueError, match="'Z' has no exemplar"):
        exemplar_ranks(similarity, ["Z", "A", "C"], ["A", "A", "B", "C"])
    with pytest.raises(ValueError, match="NaN"):
        exemplar_ranks(np.full((1, 1), np.nan), ["A"], ["A"])
