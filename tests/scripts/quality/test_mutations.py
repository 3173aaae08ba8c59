"""The list of deliberate faults fits the code, and a fault is seen or not as its tests say."""

from dataclasses import replace
from pathlib import Path

import pytest

from scripts.quality.mutations import REPOSITORY, Fault, read_faults, seen


def test_every_fault_can_be_planted_and_its_tests_exist() -> None:
    faults = read_faults()
    assert len(faults) >= 60
    assert len({fault.key for fault in faults}) == len(faults)
    for fault in faults:
        fault.planted((REPOSITORY / fault.file).read_text(encoding="utf-8"))
        for test in fault.tests:
            file, _, name = test.partition("::")
            assert (REPOSITORY / file).is_file(), test
            assert not name or f"def {name}(" in (REPOSITORY / file).read_text(encoding="utf-8"), test


def test_a_fault_is_seen_where_a_test_fails_and_the_file_is_mended(tmp_path: Path) -> None:
    (tmp_path / "sums.py").write_text("def add(a, b):\n    return a + b\n")
    (tmp_path / "test_sums.py").write_text("from sums import add\n\ndef test_add():\n    assert add(2, 2) == 4\n")
    fault = Fault("minus", "sums.py", "a + b", "a - b", ("test_sums.py",))
    assert seen(tmp_path, fault)
    assert not seen(tmp_path, replace(fault, new="a * b"))  # 2 × 2 is 4, too
    assert seen(tmp_path, replace(fault, new="a +"))  # it cannot even be imported
    assert "a + b" in (tmp_path / "sums.py").read_text()
    with pytest.raises(ValueError, match="occurs 0 times"):
        seen(tmp_path, replace(fault, old="a / b"))
    with pytest.raises(RuntimeError, match="pytest ended with 4"):
        seen(tmp_path, replace(fault, tests=("nowhere.py",)))
