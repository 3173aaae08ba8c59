"""The house's one rule that a program can hold: imports go one way, and `import spotter` is light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import REPOSITORY

ROOMS = ("spotter", "embeddings", "gallery", "eval", "safe_files")
MAY_IMPORT = {
    "safe_files": {"safe_files"},
    "eval": {"eval", "safe_files"},
    "gallery": {"gallery", "safe_files"},
    "embeddings": {"embeddings", "safe_files"},
    "spotter": {"spotter", "embeddings", "gallery", "eval", "safe_files"},
}
MAY_ASK_EVAL = ("embeddings/training/", "embeddings/isolated/ensemble.py")
"""Places in `embeddings` that may ask `eval` for data sets, splits and validation figures."""
HEAVY = ("torch", "torchvision", "mediapipe", "faiss", "pandas", "matplotlib", "cv2", "scipy", "sklearn", "av", "h5py")


def imported_rooms(file: Path) -> list[tuple[int, str, bool]]:
    """(line, top-level package of ours, at module level?) of each import."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    inside = {id(n) for f in ast.walk(tree) if isinstance(f, ast.FunctionDef) for n in ast.walk(f)}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module or ""]
        else:
            continue
        found += [(node.lineno, n.split(".")[0], id(node) not in inside) for n in names if n.split(".")[0] in ROOMS]
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_imports_go_one_way(room: str) -> None:
    wrong = []
    for file in sorted((REPOSITORY / room).rglob("*.py")):
        asks = file.relative_to(REPOSITORY).as_posix().startswith(MAY_ASK_EVAL)
        allowed = MAY_IMPORT[room] | ({"eval"} if asks else set())
        wrong += [
            f"{file.relative_to(REPOSITORY)}:{n}: imports {r}" for n, r, _ in imported_rooms(file) if r not in allowed
        ]
    assert not wrong, "\n".join(wrong)


def test_spotter_does_not_import_eval_at_module_level() -> None:
    """A user's own eval.py must not break `import spotter`."""
    wrong = [
        f"{file.relative_to(REPOSITORY)}:{line}"
        for file in sorted((REPOSITORY / "spotter").rglob("*.py"))
        for line, room, module_level in imported_rooms(file)
        if room == "eval" and module_level
    ]
    assert not wrong, "\n".join(wrong)


def test_import_spotter_loads_nothing_heavy() -> None:
    code = f"import sys, spotter, spotter.cli; print([m for m in {HEAVY!r} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert out.stdout.strip() == "[]"
