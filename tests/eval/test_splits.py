from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path

import pytest

from eval.splits import LeakError, Split, check_leaks, k_folds, read_split, split_by_signer, write_split

CLIPS = [(f"signer{s}_sample{c}_{r}", f"sign{c}", f"signer{s}") for s in range(10) for c in range(8) for r in range(3)]
LABELS = {clip: label for clip, label, _ in CLIPS}
SIGNERS = {clip: signer for clip, _, signer in CLIPS}


def test_folds_share_no_signer_and_hold_every_clip_once() -> None:
    folds = k_folds(LABELS, SIGNERS, 5)
    assert sorted(clip for fold in folds for clip in fold.validation) == sorted(LABELS)
    for fold in folds:
        assert not {SIGNERS[c] for c in fold.train} & {SIGNERS[c] for c in fold.validation}
        assert set(Counter(LABELS[c] for c in fold.validation).values()) == {6}


def test_a_seed_fixes_the_split_whatever_the_order_of_the_input() -> None:
    shuffled = list(LABELS)
    random.Random(0).shuffle(shuffled)
    first = split_by_signer(LABELS, SIGNERS, 0.2, seed=4)
    assert split_by_signer({c: LABELS[c] for c in shuffled}, SIGNERS, 0.2, seed=4).hash == first.hash
    assert len({split_by_signer(LABELS, SIGNERS, 0.2, seed=s).hash for s in range(6)}) > 1
    assert len(first.validation) == len(LABELS) / 5


def test_rare_classes_are_no_mistake(recwarn: pytest.WarningsRecorder) -> None:
    split_by_signer({**LABELS, "signer0_once": "once"}, {**SIGNERS, "signer0_once": "signer0"})
    assert not recwarn.list


def test_leaks_are_refused_with_examples() -> None:
    train, validation = ["a", "b"], ["c", "d"]
    check_leaks(train, validation, {"a": "p", "c": "q"}, {"a": "x", "c": "y"})
    check_leaks(train, validation, {"a": "", "c": ""})
    with pytest.raises(LeakError, match=r"1 signers are on both sides of the split: p \(clips a and d\)"):
        check_leaks(train, validation, {"a": "p", "b": "r", "c": "q", "d": "p"})
    with pytest.raises(LeakError, match="1 source videos are on both sides of the split: x"):
        check_leaks(train, validation, None, {"b": "x", "c": "x"})
    with pytest.raises(LeakError, match="1 clips are on both sides"):
        check_leaks(["a"], ["a"])


def test_a_split_is_written_with_seed_and_hash(tmp_path: Path) -> None:
    split = split_by_signer(LABELS, SIGNERS, seed=3)
    write_split(tmp_path / "split.json", split, {"dataset": "planted"})
    assert read_split(tmp_path / "split.json") == split
    content = json.loads((tmp_path / "split.json").read_text(encoding="utf-8"))
    assert (content["seed"], content["dataset"], len(content["hash"])) == (3, "planted", 64)
    content["train"].append(content["validation"].pop())
    (tmp_path / "split.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ValueError, match="do not fit its hash"):
        read_split(tmp_path / "split.json")
    (tmp_path / "split.json").write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match="not a split"):
        read_split(tmp_path / "split.json")


def test_impossible_splits_are_refused() -> None:
    with pytest.raises(ValueError, match="11 folds of 10 signers"):
        k_folds(LABELS, SIGNERS, 11)
    with pytest.raises(ValueError, match=r"1 clips have no signer, e\.g\. 'x'"):
        k_folds({"x": "A"}, {}, 2)
    with pytest.raises(ValueError, match=r"share in \(0, 0\.5\]"):
        split_by_signer(LABELS, SIGNERS, 0.8)
    assert Split(("b", "a"), ()).hash == Split(("a", "b"), ()).hash
