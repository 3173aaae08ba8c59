"""Every file that the program writes goes through `safe_files`, and each writer survives a full disk."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from safe_files import WriteError, sweep
from safe_files.faults import POINTS, fault

from .conftest import REPOSITORY
from .writers import INPUTS, WRITERS

PACKAGES = ("spotter", "embeddings", "gallery", "eval", "scripts")
DOORS = {
    "whole_file", "open_whole", "whole_folder", "whole_hdf5", "write_text", "write_bytes", "write_json", "write_npz",
    "GroupedHDF5",
}  # fmt: skip
"""The functions of `safe_files`."""

METHODS = {
    "write_text", "write_bytes", "savefig", "to_csv", "to_json", "to_html", "to_latex", "to_markdown", "to_parquet",
    "to_excel", "to_hdf", "to_pickle", "to_file", "imwrite", "imsave", "tofile", "savetxt", "savez", "savez_compressed",
    "save", "save_file", "dump", "write_index", "rename", "copy", "copyfile", "copy2", "copytree", "move", "symlink_to",
    "link_to", "hardlink_to", "touch", "VideoWriter", "NamedTemporaryFile", "mkstemp", "save_image",
}  # fmt: skip
"""Calls that create or change files; more than one thing bears some of these names, see `INSIDE` and `HARMLESS`."""

INSIDE = {
    "gallery/gallery.py:Gallery._write": "writes into the folder of `whole_folder`",
    "gallery/gallery.py:Gallery._write_thumbnails": "the same",
    "gallery/index.py:write_index": "given the temporary name",
    "gallery/index.py:merge_lists": "into the folder of a build that has no name yet; `build_index` gives it one",
    "gallery/corpus_index.py:build_index": "moves a finished file onto the temporary name",
    "embeddings/training/log.py:TrainingLog.__init__": "a log grows line by line; a cut last line is passed over",
    "spotter/corpus/folder.py:Corpus.writing": "opens the lock, an empty file",
    "spotter/project/folder.py:_make_link": "the system makes a link whole",
    "spotter/review/serve_tasks.py:in_memory": "memory, or a temporary file that is deleted after",
    "scripts/quality/faults.py:_small_disk.full": "fills a disk that was made for it",
    "scripts/quality/decisions.py:begun_project": "a working copy, made anew by every run",
    "scripts/quality/batch.py:make_videos": "made-up videos, in the folder given for work",
    "scripts/quality/packaging.py:build": "a copy to build from, in the folder given for work",
    "scripts/quality/packaging.py:prove": "decoys and an environment, in the same folder",
    "scripts/quality/mutations.py:copy_repository": "a copy to spoil, in a temporary folder",
    "scripts/quality/mutations.py:seen": "the copy's own files",
    "scripts/bench/review.py:made_project": "a made-up project in a temporary folder",
    "scripts/bench/review.py:long_video": "the same",
    "scripts/bench/scoring.py:autsl_folder": "made-up annotations in a temporary folder",
    "scripts/bench/scoring.py:wlasl_file": "the same",
    "scripts/bench/pipeline.py:stages": "copies of a made-up video in a temporary folder",
}
"""Places that write without one of the doors around them, and why that is right."""

HARMLESS = (
    r"^os\.devnull",  # nothing is written
    r"^sys\.stdout",
    r"^buffer$",  # memory
)
"""First arguments that are no file."""

OWN = (
    "gallery.save", "ensemble.save", "calibration.save", "document.save", "result.track.save", "network.save",
    "stretches.save", "shipped.save", "cohort.save", "self.save", "record.save",
)  # fmt: skip
"""Writers of ours, whose own functions are looked at."""


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call, bool]]:
    """(qualified name of the function, call, whether it stands in the block of a door) of every call."""

    def walk(node: ast.AST, name: tuple[str, ...], covered: bool) -> Iterator[tuple[str, ast.Call, bool]]:
        for child in ast.iter_child_nodes(node):
            inner, inside = name, covered
            if isinstance(child, (ast.FunctionDef, ast.ClassDef)):
                inner, inside = (*name, child.name), False
            if isinstance(child, ast.With):
                inside = inside or any(door_of(item.context_expr) for item in child.items)
            if isinstance(child, ast.Call):
                yield ".".join(inner), child, covered
            yield from walk(child, inner, inside)

    yield from walk(tree, (), False)


def door_of(node: ast.AST) -> str:
    """The name of the door that an expression calls, or "" for none."""
    name = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
    return name if name in DOORS else ""


def writes(call: ast.Call) -> bool:
    """Whether a call can create or change a file."""
    text = ast.unparse(call.func)
    name = text.rsplit(".", 1)[-1]
    first = ast.unparse(call.args[0]) if call.args else ""
    if any(re.match(pattern, one) for pattern in HARMLESS for one in (first, *map(ast.unparse, call.args[1:2]))):
        return False
    if text in OWN:
        return False
    if text.startswith(("os.replace", "os.rename", "shutil.copy", "shutil.move")):
        return True
    if name in ("open", "File", "fdopen"):
        modes = [*call.args[:2], *(k.value for k in call.keywords if k.arg == "mode")]
        given = [m.value for m in modes if isinstance(m, ast.Constant) and isinstance(m.value, str)]
        return any(re.fullmatch(r"[rwaxbt+]{1,3}", m) and set(m) & set("wax+") for m in given)
    if isinstance(call.func, ast.Attribute) and name == "replace":
        return len(call.args) == 1 and not call.keywords  # Path.replace; that of a string takes two
    if name == "copy":  # of arrays and figures, unless it is given two places
        return text.startswith("shutil.")
    if name in ("to_csv", "to_latex", "to_markdown"):  # without a place they return text
        return bool(call.args) or any(k.arg in ("path_or_buf", "buf") for k in call.keywords)
    if isinstance(call.func, ast.Attribute):
        return name in METHODS
    return name in METHODS - DOORS - {"save", "move"}


def sources() -> Iterator[tuple[str, ast.Module]]:
    for package in PACKAGES:
        for file in sorted((REPOSITORY / package).rglob("*.py")):
            yield file.relative_to(REPOSITORY).as_posix(), ast.parse(file.read_text(encoding="utf-8"))


def test_no_file_is_written_beside_the_writer() -> None:
    bypassing = [
        f"{path}:{call.lineno} ({function}): {ast.unparse(call)[:70]}"
        for path, tree in sources()
        for function, call, covered in calls(tree)
        if writes(call) and not covered and f"{path}:{function}" not in INSIDE
    ]
    assert not bypassing, "write through safe_files:\n" + "\n".join(bypassing)


def test_every_function_that_writes_is_listed() -> None:
    """`tests/writers.py` has a small call of each, for the tests below."""
    writing = {
        f"{path}:{function}"
        for path, tree in sources()
        if not path.startswith("scripts/")
        for function, call, _ in calls(tree)
        if door_of(call)
    }
    assert writing == set(WRITERS)


def contents(folder: Path) -> dict[str, bytes]:
    """What a writer left: relative path → content."""
    return {p.relative_to(folder).as_posix(): comparable(p) for p in folder.rglob("*") if p.is_file()}


def hdf5_values(file: Path) -> list[object]:
    import h5py

    values: list[object] = []
    with h5py.File(file, "r") as opened:
        values.append(sorted((key, str(value)) for key, value in opened.attrs.items()))
        opened.visititems(
            lambda name, item: values.append(
                (name, sorted((key, str(value)) for key, value in item.attrs.items()),
                 item[()].tolist() if isinstance(item, h5py.Dataset) else "")
            )
        )  # fmt: skip
    return values


def comparable(file: Path) -> bytes:
    content = file.read_bytes()
    if file.suffix == ".eaf":
        return re.sub(rb'DATE="[^"]*"', b"", content)
    if file.suffix == ".mp4":  # the encoder does not give the same bytes each time, where memory was used before
        from embeddings.video import read_frames

        return repr([(seconds, frame.shape, round(frame.mean() / 4)) for seconds, frame in read_frames(file)]).encode()
    if file.suffix in (".h5", ".hdf5"):  # what replaces an array leaves the room of the earlier one
        return repr(hdf5_values(file)).encode()
    if file.suffix == ".safetensors" and len(content) > 8:  # the library writes its header in any order
        end = 8 + int.from_bytes(content[:8], "little")
        return json.dumps(json.loads(content[8:end]), sort_keys=True).encode() + content[end:]
    return content


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, bytes]]:
    """What each writer leaves when nothing goes wrong."""
    INPUTS.prepare()
    left: dict[str, dict[str, bytes]] = {}
    for name, write in WRITERS.items():
        folder = tmp_path_factory.mktemp("whole")
        write(folder)
        left[name] = contents(folder)
        assert left[name], name
        modes[name] = {oct(p.stat().st_mode & 0o777) for p in folder.rglob("*") if p.is_file()}
    return left


modes: dict[str, set[str]] = {}
"""What the files that a writer left are open to."""


def test_every_file_is_as_open_as_the_user_wishes(expected: dict[str, dict[str, bytes]]) -> None:
    """By the umask, whichever library wrote it; the session's secret lies in a folder that is its owner's alone."""
    mask = os.umask(0)
    os.umask(mask)
    assert set(modes) == set(WRITERS)
    assert {name for name, found in modes.items() if found != {oct(0o666 & ~mask)}} == set()


@pytest.mark.parametrize(("name", "write"), WRITERS.items(), ids=list(WRITERS))
def test_a_full_disk_leaves_no_part_of_a_file(
    name: str, write: Callable[[Path], object], expected: dict[str, dict[str, bytes]], tmp_path: Path
) -> None:
    for point in POINTS:
        folder = tmp_path / point
        folder.mkdir()
        with fault(point, "ENOSPC"), pytest.raises(WriteError, match="No space left on device"):
            write(folder)
        for file, content in contents(folder).items():
            assert expected[name].get(file) == content, f"{point}: {file} is not whole"
        write(folder)  # with room again
        assert contents(folder) == expected[name], point


@pytest.mark.parametrize("point", ["write", "rename"])
def test_a_kill_leaves_no_part_of_a_file(point: str, expected: dict[str, dict[str, bytes]], tmp_path: Path) -> None:
    # one thread: a forked process does not survive the threads of a numeric library
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    done = subprocess.run(
        [sys.executable, "-m", "tests.writers", str(tmp_path), point], cwd=REPOSITORY, capture_output=True, text=True,
        env={**os.environ, **threads}, timeout=280,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    endings = dict(line.split("\t") for line in done.stdout.splitlines())
    assert endings == dict.fromkeys(WRITERS, "killed")
    for number, (name, write) in enumerate(WRITERS.items()):
        folder = tmp_path / str(number)
        for parent in {p.parent for p in folder.rglob("*")}:
            sweep(parent, older_than=0)
        for file, content in contents(folder).items():
            if ".parts/" not in file and ".building" not in file:
                assert expected[name].get(file) == content, f"{name}, {point}: {file} is not whole"
        write(folder)
        assert contents(folder) == expected[name], f"{name}, {point}"
