# ruff: noqa: E501
"""A ground-truth pickle is data; anything that would run is refused before it runs."""

from __future__ import annotations

import io
import os
import pickle
import subprocess
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from safe_files.pickles import PickleError, read_pickle, read_stream

from ..conftest import REPOSITORY
from .mutants import PROTOCOLS, mutants, other_numpy, seeds, values


class Attack:
    """Pickles to a call of any function."""

    def __init__(self, function: object, *arguments: object) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple:
        return self.call


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_data_and_arrays_come_back(tmp_path: Path, protocol: int) -> None:
    value = {
        "p01_n001": [[20, 1000, 1600], (3, 0.5, np.float64(2.5))],
        "array": np.arange(6, dtype=np.int64).reshape(2, 3),
        "scalar": np.int32(7),
        "ordered": OrderedDict(a=1),
        "none": None,
    }
    (tmp_path / "truth.pkl").write_bytes(pickle.dumps(value, protocol))
    read = read_pickle(tmp_path / "truth.pkl")
    assert read["p01_n001"] == value["p01_n001"]
    np.testing.assert_array_equal(read["array"], value["array"])
    assert read["scalar"] == 7
    assert read["ordered"] == {"a": 1}


@pytest.mark.parametrize("protocol", [0, 2, 4, pickle.HIGHEST_PROTOCOL])
def test_code_is_refused_and_not_run(tmp_path: Path, protocol: int) -> None:
    canary = tmp_path / "canary"
    for name, attack in {
        "system": Attack(os.system, f"touch {canary}"),
        "eval": Attack(eval, f"open({str(canary)!r}, 'w')"),
        "exec": Attack(exec, f"open({str(canary)!r}, 'w')"),
        "getattr": Attack(getattr, os, "system"),
        "open": Attack(open, str(canary), "w"),
        "import": Attack(__import__, "os"),
        "path": Attack(Path, "/etc/passwd"),
        "load": Attack(np.load, str(canary)),
    }.items():
        try:
            raw = pickle.dumps({"v": [attack]}, protocol)
        except TypeError:  # a module cannot be an argument
            continue
        (tmp_path / f"{name}.pkl").write_bytes(raw)
        with pytest.raises(PickleError, match=f"{name}.pkl: names "):
            read_pickle(tmp_path / f"{name}.pkl")
    assert not canary.exists()


def test_code_inside_an_object_array_is_refused(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    array = np.array([Attack(os.system, f"touch {canary}")], dtype=object)
    (tmp_path / "array.pkl").write_bytes(pickle.dumps(array))
    with pytest.raises(PickleError, match=r"names (posix|nt)\.system"):
        read_pickle(tmp_path / "array.pkl")
    assert not canary.exists()


@pytest.mark.parametrize("name", [b"cnumpy\nload\n.", b"cbuiltins\ngetattr\n.", b"cnumpy.core.multiarray\nfromfile\n."])
def test_other_names_of_trusted_modules_are_refused(tmp_path: Path, name: bytes) -> None:
    (tmp_path / "name.pkl").write_bytes(name)
    with pytest.raises(PickleError, match="only plain data"):
        read_pickle(tmp_path / "name.pkl")


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "empty"),
        (pickle.dumps({"v": [1, 2, 3]})[:-4], "not a readable pickle"),
        (b"not a pickle", "not a readable"),
    ],
)
def test_damage_is_one_line_that_names_the_file(tmp_path: Path, raw: bytes, message: str) -> None:
    (tmp_path / "broken.pkl").write_bytes(raw)
    with pytest.raises(PickleError, match=f"broken.pkl.*{message}") as caught:
        read_pickle(tmp_path / "broken.pkl")
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PickleError, match=r"absent\.pkl: cannot be read"):
        read_pickle(tmp_path / "absent.pkl")


def same(read: Any, written: Any) -> None:
    """Equal in value, kind and order; dicts of every kind are read as dict, bytearray as bytes."""
    if isinstance(written, dict):
        assert type(read) is dict
        assert list(read) == list(written)
        same(list(read.values()), list(written.values()))
    elif isinstance(written, np.ndarray | np.generic):
        assert type(read) is type(written)
        assert (read.dtype, read.shape) == (written.dtype, written.shape)
        np.testing.assert_array_equal(read, written)
    elif isinstance(written, list | tuple):
        assert (type(read), len(read)) == (type(written), len(written))
        for one, other in zip(read, written, strict=True):
            same(one, other)
    else:
        assert type(read) is (bytes if isinstance(written, bytearray) else type(written))
        assert read == written


@pytest.mark.parametrize("name", values())
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_values_of_real_files_come_back_as_they_were_written(tmp_path: Path, name: str, protocol: int) -> None:
    written = values()[name]
    raw = pickle.dumps(written, protocol)
    for form in (raw, other_numpy(raw)):
        (tmp_path / "a.pkl").write_bytes(form)
        same(read_pickle(tmp_path / "a.pkl"), written)


def test_both_numpys_names_are_among_the_seeds() -> None:
    assert any(b"numpy.core." in raw for raw in seeds())
    assert any(b"numpy._core." in raw for raw in seeds())


def test_python_2_wrote_strings_of_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.pkl").write_bytes(b"(dp0\nS'p01_n001'\np1\n(lp2\n(lp3\nI20\naI1000\naL1600L\naas.")
    assert read_pickle(tmp_path / "a.pkl") == {"p01_n001": [[20, 1000, 1600]]}


def short(text: bytes) -> bytes:
    return b"\x8c" + bytes([len(text)]) + text


DTYPE = b"cnumpy\ndtype\n"
OBJECTS = DTYPE + short(b"O8") + b"\x89\x88\x87R"
NUMBERS = DTYPE + short(b"f8") + b"\x89\x88\x87R"
EMPTY = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R"
ATTACKS = {
    "pointers": (b"\x80\x02cnumpy\nndarray\n(K\x01\x85" + DTYPE + b"X\x01\x00\x00\x00O\x85RC\x08AAAAAAAAtR.", "makes a numpy.ndarray"),
    "pointers as state": (EMPTY + b"(K\x01K\x01\x85" + OBJECTS + b"\x89C\x08AAAAAAAAtb.", "of type 'O8'"),
    "pointer as scalar": (b"cnumpy.core.multiarray\nscalar\n" + OBJECTS + b"C\x08AAAAAAAA\x86R.", "of type 'O8'"),
    "pointers in a buffer": (
        b"cnumpy.core.numeric\n_frombuffer\n(C\x08AAAAAAAA" + OBJECTS + b"K\x01\x85" + short(b"C") + b"tR.", "of type 'O8'",
    ),
    "objects": (EMPTY + b"(K\x01K\x01\x85" + OBJECTS + b"\x89]Natb.", "of type 'O8'"),
    "dtype with fields": (
        NUMBERS + b"(K\x03" + short(b"|") + b"N" + short(b"a") + b"\x85}" + short(b"a") + b"NsK\x08K\x08K\x00tb.", "structured"),
    "dtype that holds another": (NUMBERS + b"(K\x03" + short(b"|") + b"NK\x05\x86NNK\x08K\x08K\x00tb.", "proper|structured"),
    "dtype of another size": (
        EMPTY + b"(K\x01K\x02\x85" + NUMBERS + b"(K\x03" + short(b"<") + b"NNNK\x01K\x01K\x3ftb\x89C\x02AAtb.", "in 2 bytes"),
    "dtype with a state twice": (
        NUMBERS + (b"(K\x03" + short(b"<") + b"NNNK\x08K\x08K\x00tb") * 2 + b".", "byte order"),
    "dtype with metadata": (
        NUMBERS + b"(K\x04" + short(b"<") + b"NNNK\x08K\x08K\x00}tb.", "structured"),
    "dtype alone": (NUMBERS + b".", "without content"),
    "array alone": (b"]" + EMPTY + b"a.", "without content"),
    "short array": (EMPTY + b"(K\x01K\x09\x85" + NUMBERS + b"\x89C\x08AAAAAAAAtb.", r"shape \(9,\) and type float64 in 8"),
    "no array of such size": (EMPTY + b"(K\x01J\xff\xff\xff\x7fK\x00\x86" + NUMBERS + b"\x89C\x00tb.", "beyond reason"),
    "negative shape": (EMPTY + b"(K\x01J\xff\xff\xff\xffJ\xff\xff\xff\xff\x86" + NUMBERS + b"\x89C\x08AAAAAAAAtb.", "sizes"),
    "text beyond Unicode": (
        b"cnumpy.core.multiarray\nscalar\n" + DTYPE + short(b"U1") + b"\x85RC\x04\xff\xff\xff\xff\x86R.", "do not exist"),
    "list in itself": (b"]q\x00h\x00a.", "holds itself"),
    "list in its tuple": (b"]q\x00h\x00\x85a.", "holds itself"),
    "dict in itself": (b"}q\x00K\x01h\x00s.", "holds itself"),
    "huge memo index": (b"Nr\xff\xff\xff\x7f.", "stores a value as number 2147483647"),
    "huge memo index in a line": (b"Np99999999999999999999\n.", "stores a value as number"),
    "deep lists": (b"]" * 100_000 + b"a" * 99_999 + b".", "100 deep"),
    "deep tuples": (b")" + b"\x85" * 100_000 + b".", "100 deep"),
    "deep tuple as a key": (b"})" + b"\x85" * 100_000 + b"Ns.", "a key is a tuple"),
    "marks": (b"(" * 1_000_000, "MiB"),
    "many laughs": (b"(]q\x00" + b"".join(b"](" + b"h" + bytes([n]) + b"h" + bytes([n]) + b"eq" + bytes([n + 1]) for n in range(80)) + b"t.", "again"),
    "system": (b"cos\nsystem\n(S'true'\ntR.", "names os.system"),
    "persistent": (b"Pobject\n.", "instruction b'P'"),
    "build": (b"}}b.", "state of a dict"),
    "class": (b"cbuiltins\nlist\n)\x81.", "instruction"),
    "type called": (b"cbuiltins\nlist\n)R.", "makes a builtins.list"),
    "long number": (b"\x8b\x00\x00\x00\x10" + b"\x01" * 100, "268435456 bytes"),
    "many digits": (b"L" + b"9" * 900 + b"L\n.", "900 digits"),
    "bytes beyond the end": (b"\x8e" + b"\xff" * 7 + b"\x7f" + b"a.", "cut"),
    "bytes": (b"\x96" + b"\xff" * 8 + b"a.", "cut"),
    "text beyond the end": (b"X\xff\xff\x00\x00a.", "cut"),
    "frame beyond the end": (b"\x80\x05\x95" + b"\xff" * 8 + b"N.", "frame"),
    "name with an escape sequence": (short(b"\x1b[31m") + short(b"x\ny") + b"\x93.", r"names '\\x1b\[31m'"),
}  # fmt: skip
"""Attack → (file, what the message says)."""


@pytest.mark.parametrize("name", ATTACKS)
def test_attacks_are_refused_with_the_reason(tmp_path: Path, name: str) -> None:
    raw, reason = ATTACKS[name]
    (tmp_path / "evil.pkl").write_bytes(raw)
    with pytest.raises(PickleError, match=f"evil.pkl: .*(?:{reason})") as caught:
        read_pickle(tmp_path / "evil.pkl")
    assert str(caught.value).isprintable()


def test_the_55_bytes_no_longer_end_the_process(tmp_path: Path) -> None:
    (tmp_path / "truth.csv").write_text("video,sign,start,end\na,x,0,1\n")
    raw = ATTACKS["pointers"][0]
    assert len(raw) == 55
    (tmp_path / "evil.pkl").write_bytes(raw)
    command = [sys.executable, "-m", "spotter", "eval", "spotting", "truth.csv", "evil.pkl"]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode > 0  # a signal is negative
    assert "evil.pkl: makes a numpy.ndarray" in done.stderr
    assert "Traceback" not in done.stderr


def test_every_cut_file_is_refused(tmp_path: Path) -> None:
    raw = pickle.dumps({"v": [[1, 2, 3]], "a": np.arange(3)}, 5)
    for end in range(1, len(raw)):
        (tmp_path / "cut.pkl").write_bytes(raw[:end])
        with pytest.raises(PickleError, match="not a readable pickle"):
            read_pickle(tmp_path / "cut.pkl")


def test_a_folder_and_a_pipe_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pkl")
    (tmp_path / "folder.pkl").mkdir()
    for name in ("pipe.pkl", "folder.pkl"):
        with pytest.raises(PickleError, match=f"{name}: cannot be read"):
            read_pickle(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "raw"),
    {
        "lists": b"(" + b"]" * 3_000_000 + b"t.",
        "dicts": b"(" + b"}" * 3_000_000 + b"t.",
        "entries": b"(" + b"}K\x01Ns" * 600_000 + b"t.",
        "nothing": b"(" + b"N" * 3_000_000 + b"t.",
        "numbers": b"(" + b"J\x01\x00\x00\x70" * 600_000 + b"t.",
        "memo": b"N" + b"\x94" * 3_000_000 + b".",
        "wide text": b"(" + (b"X\x00\x00\x10\x00" + "😀".encode() + b"a" * ((1 << 20) - 4)) * 40 + b"t.",
        "bytes": b"\x96" + (100_000_000).to_bytes(8, "little") + bytes(100_000_000) + b".",
        "line": b"V" + b"a" * 60_000_000,
        "tuples": b"(" + b"N\x85" * 1_500_000 + b"t.",
    }.items(),
)
def test_memory_stays_within_the_file_and_64_mib(tmp_path: Path, name: str, raw: bytes) -> None:
    (tmp_path / "big.pkl").write_bytes(raw)
    code = (
        "import resource, sys\nfrom safe_files.pickles import PickleError, read_pickle\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n    value = read_pickle(sys.argv[1])\nexcept PickleError as error:\n    pass\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "big.pkl")]
    grown = int(subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout) * 1024
    assert grown <= len(raw) + (64 << 20), f"{grown >> 20} MiB for a file of {len(raw) >> 20} MiB"


def test_damaged_files_end_in_values_or_the_one_error() -> None:
    read, refused = 0, []
    for raw in mutants(20_000, seed=1):
        try:
            read_stream(io.BytesIO(raw), len(raw), "mutant.pkl")
            read += 1
        except PickleError as error:
            refused.append(str(error))
    assert all(text.startswith("mutant.pkl: ") and text.isprintable() for text in refused)
    assert read > 1_000  # some damage changes a number only
    assert len(refused) > 5_000
