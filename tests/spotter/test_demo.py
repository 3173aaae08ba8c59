"""The demo's worlds and the figures over several of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from spotter.demo import Scores, spread_lines


def test_spread_of_hand_computed_scores() -> None:
    scores = [Scores(1, (0.6, 0.5), (0.9, 0.8)), Scores(2, (0.7, 0.5), (0.9, 0.7)), Scores(3, (0.8, 0.5), (0.9, 0.6))]
    assert spread_lines(scores) == [
        "one-to-one@0.5 F1 from the videos: 0.700 ± 0.100 (0.600 to 0.800)",
        "challenge F1 from the videos: 0.500 ± 0.000 (0.500 to 0.500)",
        "one-to-one@0.5 F1 from exact poses: 0.900 ± 0.000 (0.900 to 0.900)",
        "challenge F1 from exact poses: 0.700 ± 0.100 (0.600 to 0.800)",
    ]


@pytest.mark.slow
def test_two_small_worlds_are_kept_apart_and_summarised(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "spotter", "demo", "--keep", str(tmp_path / "two worlds"), "--seeds", "2"]
    done = subprocess.run(
        [*command, "--signs", "2", "--seconds", "10"],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "2 worlds" in done.stdout
    assert "±" in done.stdout
    for seed in (2026, 2027):
        assert f"seed {seed}" in done.stdout
        assert (tmp_path / "two worlds" / f"seed-{seed}" / "report.html").exists()
