from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from eval.isolated import compare_isolated, isolated_score, rank_labels
from eval.isolated.confusion import confused_pairs, confusion_matrix, draw_confusion, pairs_table
from eval.isolated.files import fill_template, read_classes, read_truth, write_truth
from eval.isolated.retrieval import cosine_similarity, one_shot_retrieval

TRUTH = {"a1": "A", "a2": "A", "a3": "A", "b1": "B", "c1": "C"}
FOUND = {"c1": ["A", "C"], "b1": ["B"], "a1": ["A", "B"], "a2": ["B", "C"], "a3": ["A"]}
SIGNERS = {"a1": "Ann", "a2": "Ann", "a3": "Bo", "b1": "Bo", "c1": "Bo"}


def test_counts_by_id_whatever_the_order() -> None:
    score = isolated_score(TRUTH, FOUND, SIGNERS, k=2, facts={"parameters": 1200})
    assert (score.clips, score.correct, score.correct_k) == (5, 3, 4)
    assert score.per_class == {"A": (2, 3), "B": (1, 1), "C": (0, 1)}
    assert score.per_signer == {"Ann": (1, 2), "Bo": (2, 3)}
    assert score.macro == pytest.approx((2 / 3 + 1 + 0) / 3)
    assert score.interval.low < score.top1 < score.interval.high
    assert "1200" in score.table().text()
    assert score.class_table().rows[0][0] == "C"
    assert json.loads(json.dumps(score.as_dict()))["top2"] == 0.8


def test_a_missing_prediction_is_wrong_and_said() -> None:
    with pytest.warns(UserWarning, match="1 of 5 clips have no prediction, e.g. 'c1'"):
        score = isolated_score(TRUTH, {k: v for k, v in FOUND.items() if k != "c1"})
    assert (score.correct, score.missing, score.signer_interval) == (3, 1, None)
    assert "counted as wrong" in score.table().text()


def test_ranking_breaks_ties_in_the_order_of_the_labels() -> None:
    ranked = rank_labels(["x", "y"], [[0.1, 0.5, 0.5], [1, 0, 2]], ["A", "B", "C"], k=2)
    assert ranked == {"x": ["B", "C"], "y": ["C", "A"]}
    with pytest.raises(ValueError, match=r"expected \(1 ids, 2 labels\)"):
        rank_labels(["x"], [[0.1]], ["A", "B"])
    with pytest.raises(ValueError, match="'x' has the score NaN"):
        rank_labels(["x"], [[np.nan, 1]], ["A", "B"])
    with pytest.raises(ValueError, match="given twice"):
        rank_labels(["x", "x"], [[0, 1], [0, 1]], ["A", "B"])


def test_two_systems_are_compared_over_signers() -> None:
    truth = {f"{s}_{i}": "A" for s in range(10) for i in range(10)}
    signers = {clip: clip.split("_")[0] for clip in truth}
    good = {clip: ["A"] for clip in truth}
    poor = {clip: ["A" if int(clip.split("_")[1]) % 2 else "B"] for clip in truth}
    result = compare_isolated(truth, good, poor, signers)
    assert (result.first, result.second) == (1.0, 0.5)
    assert result.p_value < 0.01
    assert compare_isolated(truth, good, good).p_value == 1.0


def test_confusions_with_their_clips() -> None:
    labels, matrix = confusion_matrix(TRUTH, FOUND)
    assert labels == ["A", "B", "C"]
    assert matrix.tolist() == [[2, 1, 0], [0, 1, 0], [1, 0, 0]]
    pairs = confused_pairs(TRUTH, FOUND)
    assert [(p.sign, p.taken_for, p.count, p.clips_of_sign, p.clips) for p in pairs] == [
        ("C", "A", 1, 1, ("c1",)),
        ("A", "B", 1, 3, ("a2",)),
    ]
    assert "[c1](clips/c1.mp4)" in pairs_table(pairs, {"c1": "clips/c1.mp4"}).markdown()


@pytest.mark.parametrize("classes", [2, 12, 60])
def test_the_picture_is_drawn_for_few_and_many_classes(tmp_path: Path, classes: int) -> None:
    from PIL import Image

    generator = np.random.default_rng(0)
    matrix = np.diag(generator.integers(5, 20, classes)) + generator.integers(0, 2, (classes, classes))
    draw_confusion(matrix, [f"sign {i}" for i in range(classes)], tmp_path / "deep" / "confusion.png")
    with Image.open(tmp_path / "deep" / "confusion.png") as picture:
        assert min(picture.size) > 400
        assert len(picture.convert("RGB").getcolors(1 << 20)) > 50
    with pytest.raises(ValueError, match="the matrix is"):
        draw_confusion(matrix, ["one"], tmp_path / "wrong.png")


def test_retrieval_with_perfect_chance_and_constant_vectors() -> None:
    generator = np.random.default_rng(0)
    labels = [f"s{i % 20}" for i in range(200)]
    signers = [f"p{i // 20 % 5}" for i in range(200)]
    centres = generator.normal(size=(20, 30))
    near = centres[np.arange(200) % 20] + 0.01 * generator.normal(size=(200, 30))
    perfect = one_shot_retrieval(cosine_similarity(near), labels, signers, draws=5)
    assert perfect.mrr.tolist() == [1.0] * 5
    chance = one_shot_retrieval(cosine_similarity(generator.normal(size=(200, 30))), labels, signers, draws=30)
    assert chance.recall[1].mean() == pytest.approx(1 / 20, abs=0.02)
    assert chance.recall[5].mean() == pytest.approx(5 / 20, abs=0.04)
    assert one_shot_retrieval(np.ones((200, 200)), labels, draws=2, ks=(1, 20)).recall[1].tolist() == [0.0, 0.0]
    assert "chance" in chance.table().text()


def test_retrieval_asks_only_across_signers() -> None:
    labels, signers = ["A", "A", "A", "B", "B"], ["p", "p", "q", "p", "q"]
    similarity = np.eye(5)
    similarity[:2, :2] = similarity[3:, 3:] = 1  # within p a clip of A finds A; across, nothing finds A
    score = one_shot_retrieval(similarity, labels, signers, draws=200, ks=(1,))
    assert set(score.queries.tolist()) <= {2, 3}
    again = one_shot_retrieval(similarity, labels, signers, draws=200, ks=(1,))
    np.testing.assert_array_equal(score.mrr, again.mrr)
    with pytest.raises(ValueError, match="no query is left"):
        one_shot_retrieval(similarity, labels, ["p"] * 5)
    with pytest.raises(ValueError, match="at least 2"):
        one_shot_retrieval(np.eye(2), ["A", "A"])
    with pytest.raises(ValueError, match="vector 1 is zero"):
        cosine_similarity([[1, 0], [0, 0]])


def test_a_template_keeps_its_rows_order_and_line_ends(tmp_path: Path) -> None:
    (tmp_path / "template.csv").write_bytes(b"signer1_sample2,0\r\nsigner1_sample1,0\r\n")
    (tmp_path / "found.csv").write_text("sample,class\nsigner1_sample1,7,3\nsigner1_sample2,5\n", encoding="utf-8")
    found = read_classes(tmp_path / "found.csv")
    assert found["signer1_sample1"] == ["7", "3"]
    assert fill_template(tmp_path / "template.csv", found, tmp_path / "out.csv") == 2
    assert (tmp_path / "out.csv").read_bytes() == b"signer1_sample2,5\r\nsigner1_sample1,7\r\n"
    with pytest.raises(ValueError, match="1 of 2 rows have no prediction: signer1_sample2"):
        fill_template(tmp_path / "template.csv", {"signer1_sample1": ["7"]}, tmp_path / "none.csv")
    assert not (tmp_path / "none.csv").exists()


def test_labels_by_id_split_and_signer(tmp_path: Path) -> None:
    write_truth(tmp_path / "t.csv", {"a": ("A, 1", "train", "Ann"), "b": ("B", "test", ""), "c": ("C", "test", "Bo")})
    assert read_truth(tmp_path / "t.csv", "test") == ({"b": "B", "c": "C"}, {"c": "Bo"})
    assert read_truth(tmp_path / "t.csv")[0]["a"] == "A, 1"
    for text, message in {
        "sample,label,split\na,A,test\na,B,test\n": ":3: 'a' is given twice",
        "sample,label,split\na,,test\n": ":2: the label is empty",
        "sample,split\na,test\n": ":1: has the columns sample, split",
        "sample,label,split\na,A,train\n": "holds no row of the split 'test'",
    }.items():
        (tmp_path / "t.csv").write_text(text, encoding="utf-8")
        with pytest.raises(ValueError, match=message):
            read_truth(tmp_path / "t.csv", "test")


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "holds no row"), ("a\n", "1: is 'a'"), ("a,1\na,2\n", "2: 'a' is given twice")],
)
def test_broken_prediction_files_are_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "found.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=f"found.csv:? ?{message}"):
        read_classes(tmp_path / "found.csv")


@pytest.mark.parametrize(
    ("predictions", "why"),
    [
        ({"clip-1": ["HOUSE"]}, "no clip in common: a, b in the ground truth, clip-1 on the other side"),
        ({"a": ["0"], "b": ["1", "0"]}, "no label in common: HOUSE, TREE in the ground truth, 0, 1 on the other side"),
    ],
)
def test_predictions_of_other_clips_or_labels_are_told(predictions: dict[str, list[str]], why: str) -> None:
    with pytest.warns(UserWarning, match=why):
        assert isolated_score({"a": "HOUSE", "b": "TREE"}, predictions).correct == 0
