"""The whole path on real recordings, as a user walks it: `spotter pose`, `enroll`, `spot` from the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from embeddings.video import read_frames, write_video

pytestmark = [pytest.mark.real, pytest.mark.slow]

SIGNS = ("good", "meet", "want")


def run(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "spotter", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=280)


@pytest.fixture(scope="module")
def clips(real_data: Path) -> Path:
    folder = real_data / "ksl77_koala_videos"
    if not folder.is_dir():
        pytest.skip(f"no real videos at {folder}")
    return folder


def test_a_sign_of_one_signer_is_looked_for_in_the_signing_of_another(clips: Path, tmp_path: Path) -> None:
    dictionary = tmp_path / "dictionary"
    dictionary.mkdir()
    for sign in SIGNS:
        (dictionary / f"{sign}.mp4").symlink_to(clips / f"{sign}_example1.mp4")
    stream, where = [], {}
    for sign in SIGNS:
        start = len(stream) / 15
        stream += [frame for _, frame in read_frames(clips / f"{sign}_example2.mp4", 15)]
        where[sign] = (start, len(stream) / 15)
    write_video(tmp_path / "talk.mp4", stream, 15)

    made = run("pose", dictionary, tmp_path / "talk.mp4", "-o", "poses", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert len(list((tmp_path / "poses").glob("*.pose"))) == 4
    enrolled = run("enroll", "dictionary", "-o", "gallery", "--poses", "poses", "--json", cwd=tmp_path)
    assert enrolled.returncode == 0, enrolled.stderr
    assert sorted(json.loads(enrolled.stdout)["signs"]) == sorted(SIGNS)
    found = run(
        "spot", "talk.mp4", "-g", "gallery", "--poses", "poses", "--threshold", "0.02", "--save-track", "tracks",
        "-o", "talk.eaf", "-o", "talk.csv", "--report", "talk.html", "--json", cwd=tmp_path,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    assert (tmp_path / "talk.eaf").exists()
    assert (tmp_path / "talk.html").stat().st_size > 5000
    with np.load(tmp_path / "tracks" / "talk.npz", allow_pickle=False) as track:
        assert track["values"].shape[1] == len(SIGNS)
        centres, values, signs = track["centres"] / track["fps"], track["values"], json.loads(str(track["signs"]))
    # each sign's own stretch must look more like its exemplar than the other signs' stretches do, for most signs
    right = 0
    for column, sign in enumerate(signs):
        peaks = {s: values[(centres >= a) & (centres < b), column].max() for s, (a, b) in where.items()}
        right += max(peaks, key=peaks.__getitem__) == sign
    assert right >= 2
