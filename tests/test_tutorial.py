"""Every command of docs/tutorial.md, as it stands there, in a new folder with a space in its name."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import REPOSITORY

PAGE = (REPOSITORY / "docs" / "tutorial.md").read_text("utf-8")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_tutorials_commands_run_as_written(tmp_path: Path) -> None:
    folder = tmp_path / "my signs"
    folder.mkdir()
    spotter = tmp_path / "bin" / "spotter"
    spotter.parent.mkdir()
    spotter.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m spotter "$@"\n', encoding="utf-8")
    spotter.chmod(0o755)
    settings = {
        **os.environ,
        "SPOTTER_CACHE": str(tmp_path / "cache"),
        "PATH": f"{spotter.parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(REPOSITORY),
    }
    commands = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.S) for line in block.splitlines()]
    assert len(commands) >= 6
    poses: dict[str, int] = {}
    for command in commands:
        done = subprocess.run(["sh", "-c", command], cwd=folder, env=settings, capture_output=True, text=True)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        poses = poses if poses else cached(settings)
    made = {path.name for path in folder.iterdir()}
    assert {"world", "gallery", "one-sign", "found.csv", "found.html", "corpus", "hits.csv"} <= made
    assert any(name.endswith(".eaf") for name in made)
    (python,) = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    done = subprocess.run([sys.executable, "-c", python], cwd=folder, env=settings, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (folder / "talk-1.vtt").is_file()
    assert len(poses) == 4
    assert cached(settings) == poses, "every pose is estimated once, by the demo"


def cached(settings: dict[str, str]) -> dict[str, int]:
    """Poses in the cache; the number changes when a file is written again."""
    return {path.name: path.stat().st_ino for path in Path(settings["SPOTTER_CACHE"]).rglob("*.h5")}
