"""`spotter eval isolated` on labels and predictions as users have them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from spotter.cli.app import app


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """Ten clips of two signs by two signers, and one of another split."""
    rows = [f"c{i},{'AB'[i % 2]},test,s{i // 5}" for i in range(10)] + ["c10,A,train,s2"]
    (tmp_path / "labels.csv").write_text("sample,label,split,signer\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return tmp_path / "labels.csv"


def isolated(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["eval", "isolated", *map(str, arguments)])


def test_figures_pairs_and_picture(labels: Path) -> None:
    # two of five clips of B are taken for A
    found = labels.with_name("found.csv")
    rows = [f"c{i},A,B" if i in (1, 3) else f"c{i},{'AB'[i % 2]}" for i in range(10)]
    found.write_text("sample,class\n" + "\n".join(rows) + "\n", encoding="utf-8")
    picture = labels.with_name("confusion.png")
    shown = isolated(labels, found, "--split", "test", "--confusion", picture, "--json")
    assert shown.exit_code == 0, shown.output
    figures = json.loads(shown.stdout)
    assert (figures["top1"], figures["top5"], figures["clips"]) == (0.8, 1.0, 10)
    assert figures["macro"] == pytest.approx((1 + 3 / 5) / 2)
    assert figures["over_signers"][0] < 0.8 < figures["over_signers"][1]
    assert figures["confused"] == [{"sign": "B", "taken_for": "A", "count": 2, "clips": ["c1", "c3"]}]
    assert picture.read_bytes().startswith(b"\x89PNG")
    table = isolated(labels, found, "--split", "test", "--classes").output
    assert "95 % Wilson" in table
    assert "B A 2 5 c1, c3" in " ".join(table.split())


def test_one_shot_retrieval_asks_other_signers(labels: Path) -> None:
    vectors = np.array([[1.0, 0.1 * i] if i % 2 == 0 else [0.1 * i, -1.0] for i in range(10)])
    np.savez(labels.with_name("v.npz"), ids=np.array([f"c{i}" for i in range(10)]), vectors=vectors)
    shown = isolated(labels, labels.with_name("v.npz"), "--one-shot", "--draws", "3", "--json")
    assert shown.exit_code == 0, shown.output
    figures = json.loads(shown.stdout[shown.stdout.index("{") :])
    assert (figures["recall"]["1"], figures["mrr"], figures["clips"], figures["signs"]) == (1.0, 1.0, 10, 2)
    assert figures["by_other_signers"]
    assert all(0 < asked <= 8 for asked in figures["queries"])
    other = labels.with_name("w.csv")
    other.write_text("x,1,2\n", encoding="utf-8")
    assert "no vector of the ground truth's clips" in str(isolated(labels, other, "--one-shot").exception)


def test_the_page_of_confused_pairs_links_the_clips(labels: Path) -> None:
    found = labels.with_name("found.csv")
    rows = [f"c{i},A" for i in range(10)]
    found.write_text("sample,class\n" + "\n".join(rows) + "\n", encoding="utf-8")
    clips = labels.with_name("clips")
    clips.mkdir()
    (clips / "c1.mp4").write_bytes(b"")
    page = labels.with_name("confused.html")
    shown = isolated(labels, found, "--split", "test", "--page", page, "--clips", clips)
    assert shown.exit_code == 0, shown.output
    text = page.read_text(encoding="utf-8")
    assert '<a href="clips/c1.mp4">c1</a>' in text
    assert "c3 (no file)" in text
    assert "B taken for A: 5 of 5 clips" in text
