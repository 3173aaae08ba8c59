"""Sets are for choosing or for reporting, and code that chooses cannot open the others."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.real.catalogue import REAL_SETS, for_choosing, open_sets, purpose_of

from ..conftest import REPOSITORY


@pytest.mark.parametrize(
    "name", ["procedural:77", "procedural:81?tempo=2.2", "haystack", "korean-in-swiss@4", "boston104", "rendered:3050"]
)
def test_a_reported_set_is_refused_to_code_that_chooses(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"is for reporting: nothing may be chosen on it"):
        for_choosing(["procedural:21?signs=2&videos=1&each=2", name], tmp_path)


def test_a_world_for_choosing_is_opened() -> None:
    name = "procedural:21?signs=2&videos=1&each=2"
    assert list(for_choosing([name])) == [name]
    assert purpose_of("asl-9@1.3") == "choosing"
    assert purpose_of("filmed:9503") == "choosing"


def test_the_threshold_of_a_rival_is_not_found_on_a_reported_world() -> None:
    command = [sys.executable, "scripts/make/fit_baselines.py", "--seeds", "77", "--methods", "pose-cosine"]
    done = subprocess.run(
        command, cwd=REPOSITORY, capture_output=True, text=True, env={"PYTHONPATH": str(REPOSITORY), "PATH": ""}
    )
    assert done.returncode != 0
    assert "'procedural:77?videos=4' is for reporting" in done.stderr


@pytest.mark.parametrize("name", ["asl-99", "procedural:x", "nonsense:3"])
def test_an_unknown_set_is_an_error(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        purpose_of(name)


def test_real_sets_need_their_folder(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the folder that holds them is needed"):
        open_sets(["asl-9"])
    for name in REAL_SETS:
        with pytest.raises(ValueError, match=name):
            open_sets([name], tmp_path)


OPENERS = {"open_sets", "open_set", "procedural_set", "real_streams", "haystacks", "rendered_set", "pooled"}
"""What opens a set without asking what it is for."""


@pytest.mark.parametrize("script", sorted((REPOSITORY / "scripts" / "make").glob("*.py")), ids=lambda p: p.stem)
def test_scripts_that_make_what_is_shipped_open_sets_for_choosing_alone(script: Path) -> None:
    tree = ast.parse(script.read_text(encoding="utf-8"))
    names = {
        alias.name.rpartition(".")[2]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert not names & OPENERS


def test_the_docs_name_every_set_under_its_purpose() -> None:
    lines = (REPOSITORY / "docs" / "benchmarks.md").read_text(encoding="utf-8").splitlines()
    for name, purpose in REAL_SETS.items():
        assert any(line.startswith("|") and f"`{name}`" in line and f"| {purpose} |" in line for line in lines), name
