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
MAY_ASK = {
    "embeddings/training/": {"eval"},
    "embeddings/training/source_kinds.py": {"gallery"},
    "embeddings/isolated/ensemble.py": {"eval"},
}
"""Places in `embeddings` that may ask `eval` for data sets, splits and validation figures, and `gallery` to trim clips
for training as exemplars are trimmed."""
HEAVY = ("torch", "torchvision", "mediapipe", "faiss", "pandas", "matplotlib", "cv2", "scipy", "sklearn", "av", "h5py")


def imported_rooms(file: Path) -> list[tuple[int, str]]:
    """(line, top-level package of ours) of each import."""
    found = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module or ""]
        else:
            continue
        found += [(node.lineno, n.split(".")[0]) for n in names if n.split(".")[0] in ROOMS]
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_imports_go_one_way(room: str) -> None:
    wrong = []
    for file in sorted((REPOSITORY / room).rglob("*.py")):
        place = file.relative_to(REPOSITORY).as_posix()
        allowed = MAY_IMPORT[room].union(*(rooms for start, rooms in MAY_ASK.items() if place.startswith(start)))
        wrong += [
            f"{file.relative_to(REPOSITORY)}:{n}: imports {r}" for n, r in imported_rooms(file) if r not in allowed
        ]
    assert not wrong, "\n".join(wrong)


def test_import_spotter_loads_the_noun_of_eval_and_nothing_else_of_it() -> None:
    code = "import sys, spotter, spotter.cli; print(sorted(m for m in sys.modules if m.split('.')[0] == 'eval'))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert out.stdout.strip() == "['eval', 'eval.annotations', 'eval.segments']"


def test_what_finds_the_packages_needs_python_alone() -> None:
    tree = ast.parse((REPOSITORY / "_sign_spotter.py").read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = [getattr(node, "module", None) or node.names[0].name for node in imports]
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names


def test_import_spotter_loads_nothing_heavy() -> None:
    code = f"import sys, spotter, spotter.cli; print([m for m in {HEAVY!r} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert out.stdout.strip() == "[]"
