"""A ground-truth pickle is data; anything that would run is refused before it runs."""

from __future__ import annotations

import os
import pickle
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from eval.pickles import PickleError, read_pickle


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
