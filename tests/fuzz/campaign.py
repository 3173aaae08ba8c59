"""Runs mutants through a reader in a process of its own, and says what each did that none may do."""

from __future__ import annotations

import mmap
import os
import pickle
import resource
import select
import signal
import struct
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safe_files import foreign_hdf5

from .mutate import mutant
from .readers import READERS, Reader, check

__all__ = ["Find", "Outcome", "run", "seeds_of", "try_bytes"]

HANG = 10.0
"""Seconds."""
MEMORY = 1 << 30
"""Bytes that one file may take."""


@dataclass(frozen=True)
class Find:
    """A mutant that did what none may do.

    Attributes:
        reader: its name; number: of the mutant; data: its bytes.
        kind: "crash", "hang", "memory", "undocumented", "accepted"; detail: what exactly.
    """

    reader: str
    number: int
    kind: str
    detail: str
    data: bytes


@dataclass
class Outcome:
    """What came of a reader's mutants.

    Attributes:
        tried: mutants; accepted: read without error; finds: those that did harm; seconds: of the work.
    """

    tried: int
    accepted: int
    finds: list[Find]
    seconds: float


def seeds_of(reader: Reader, folder: Path) -> tuple[list[bytes], Path]:
    """(whole files, the folder in which the damaged one is put) of a reader."""
    contents, base = [], folder / "base"
    for number, fill in enumerate(reader.seeds):
        place = folder / f"seed-{number}"
        place.mkdir(parents=True)
        fill(place)
        target = place / reader.target
        contents += [
            target.read_bytes(),
            *(p.read_bytes() for p in sorted(target.parent.glob(f"{target.name}.form-*"))),
        ]
        if number == 0:
            base = place
    for form in (base / reader.target).parent.glob("*.form-*"):
        form.unlink()
    return contents, base


def try_bytes(reader: Reader, target: Path, data: bytes, number: int = 0) -> tuple[bool, str, str]:
    """(accepted, kind of find or "", detail) of one file; crashes and hangs are the caller's to see."""
    partial = target.with_name(f"{target.name}.new")
    partial.write_bytes(data)
    os.utime(partial, ns=(number * 1_000_003, number * 1_000_003))
    os.replace(partial, target)
    try:
        value = reader.read(target)
    except reader.error as error:
        names = (target.name, target.parent.name, str(target.parent))
        if any(name in str(error) for name in names):
            return False, "", ""
        return False, "undocumented", f"names no file: {type(error).__name__}: {str(error)[:300]}"
    except MemoryError:
        return False, "memory", "MemoryError"
    except BaseException as error:
        where = "".join(traceback.format_tb(error.__traceback__)[-3:])
        return False, "undocumented", f"{type(error).__name__}: {str(error)[:200]}\n{where}"
    try:
        check(value)
    except AssertionError as error:
        return True, "accepted", str(error)
    return True, "", ""


def run(name: str, first: int, count: int, seed: int = 0, most_finds: int = 5) -> Outcome:
    """Tries mutants `first` … of a reader.

    Args:
        most_finds: after so many it stops.
    """
    reader, begun = READERS[name], time.monotonic()
    foreign_hdf5.SECONDS = min(foreign_hdf5.SECONDS, 2.0)  # that HDF5 hangs is common; what is tried is that it ends
    outcome = Outcome(0, 0, [], 0.0)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as temporary:
        seeds, base = seeds_of(reader, Path(temporary))
        target = base / reader.target
        reader.read(target)  # the whole file can be read; and what it imports is imported before the fork
        at, end = first, first + count
        while at < end and len(outcome.finds) < most_finds:
            at = _some(name, reader, seeds, target, at, end, seed, outcome, most_finds)
    outcome.seconds = time.monotonic() - begun
    return outcome


def _some(
    name: str, reader: Reader, seeds: Sequence[bytes], target: Path, at: int, end: int, seed: int, outcome: Outcome,
    most: int,
) -> int:  # fmt: skip
    """Tries mutants in a child until it ends, whichever way; the number of the next."""
    shared = mmap.mmap(-1, 16)
    shared[:16] = struct.pack("<qq", at, 0)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _work(name, reader, seeds, target, at, end, seed, shared, writing, most - len(outcome.finds))
    os.close(writing)
    ending = _watch(child, reading, shared, outcome)
    number, accepted = struct.unpack("<qq", shared[:16])
    outcome.accepted += accepted
    if ending:
        data = mutant(seeds, reader.target, f"{seed}:{name}:{number}")
        outcome.finds.append(Find(name, number, ending.partition(":")[0], ending, data))
        number += 1
    outcome.tried += number - at
    return max(number, at + 1)


def _watch(child: int, reading: int, shared: mmap.mmap, outcome: Outcome) -> str:
    """Waits for the child; "" or how it came to its end: a crash or a hang."""
    last, since, buffer, ending = shared[:8], time.monotonic(), b"", ""
    while True:
        ready, _, _ = select.select([reading], [], [], 0.5)
        if ready:
            block = os.read(reading, 1 << 16)
            if not block:
                break
            buffer += block
        if shared[:8] != last:
            last, since = shared[:8], time.monotonic()
        elif time.monotonic() - since > HANG and _stuck(child, since):
            os.kill(child, signal.SIGKILL)
            ending = f"hang: more than {HANG:.0f} s"
            break
    os.close(reading)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    while len(buffer) >= 4:
        size = int.from_bytes(buffer[:4], "little")
        if len(buffer) < 4 + size:
            break
        outcome.finds.append(pickle.loads(buffer[4 : 4 + size]))
        buffer = buffer[4 + size :]
    return ending or ("" if status == 0 else f"crash: the process ended with {status}")


def _stuck(child: int, since: float) -> bool:
    """Whether a child has computed for longer than a file may take, or waits for something that does not come."""
    waited, key = time.monotonic() - since, (child, since)
    used = foreign_hdf5._processor_time(child, waited)
    _begun.setdefault(key, used)
    return used - _begun[key] > HANG or waited > 30 * HANG


_begun: dict[tuple[int, float], float] = {}


def _work(
    name: str, reader: Reader, seeds: Sequence[bytes], target: Path, at: int, end: int, seed: int, shared: mmap.mmap,
    writing: int, most: int,
) -> None:  # fmt: skip
    """In the child: tries mutants and tells of finds; does not come back."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + 4 * MEMORY, size + 4 * MEMORY))
        before, accepted, finds = _peak(), 0, 0
        for number in range(at, end):
            shared[:16] = struct.pack("<qq", number, accepted)
            data = mutant(seeds, reader.target, f"{seed}:{name}:{number}")
            begun = time.process_time()
            fine, kind, detail = try_bytes(reader, target, data, number + 1)
            accepted += fine
            taken = time.process_time() - begun
            if not kind and taken > HANG:
                kind, detail = "hang", f"{taken:.1f} s"
            peak = _peak()
            if not kind and peak - before > MEMORY:
                kind, detail = "memory", f"{(peak - before) >> 20} MiB"
            if peak - before > MEMORY:  # the peak does not go down: another process goes on
                end = number + 1
            if kind:
                finds += 1
                _tell(writing, Find(name, number, kind, detail, data))
                if finds >= most:
                    end = number + 1
            if number + 1 >= end:
                break
        shared[:16] = struct.pack("<qq", min(end, number + 1), accepted)
    except BaseException as error:
        text = "".join(traceback.format_exception(error))
        _tell(writing, Find(name, -1, "crash", f"of the harness: {text[-1500:]}", b""))
        os._exit(0)
    os._exit(0)


def _tell(writing: int, find: Find) -> None:
    data = pickle.dumps(find)
    os.write(writing, len(data).to_bytes(4, "little") + data)


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def finds_folder() -> Path:
    """Files that once did harm, in a folder a reader."""
    return Path(__file__).with_name("finds")


def kept_finds() -> Iterator[tuple[str, Path]]:
    """(reader, file) of every kept find."""
    slugs: dict[str, str] = {slug(name): name for name in READERS}
    for folder in sorted(finds_folder().iterdir()) if finds_folder().is_dir() else []:
        for file in sorted(folder.iterdir()):
            yield slugs[folder.name], file


def slug(name: str) -> str:
    """A reader's name as that of a folder."""
    return "".join(c if c.isalnum() else "-" for c in name.lower()).strip("-")


def describe(outcome: dict[str, Outcome]) -> Any:
    """A table of the outcome, as Markdown."""
    kinds = ("crash", "hang", "memory", "undocumented", "accepted")
    lines = ["| reader | mutants | accepted | crashes | hangs | > 1 GiB | undocumented | wrong values | ms each |",
             "|---|--:|--:|--:|--:|--:|--:|--:|--:|"]  # fmt: skip
    total = dict.fromkeys(kinds, 0)
    for name, one in outcome.items():
        counts = [sum(f.kind == kind for f in one.finds) for kind in kinds]
        for kind, count in zip(kinds, counts, strict=True):
            total[kind] += count
        each = 1000 * one.seconds / max(one.tried, 1)
        lines.append(f"| {name} | {one.tried:,} | {one.accepted:,} | {' | '.join(map(str, counts))} | {each:.2f} |")
    tried, accepted = sum(o.tried for o in outcome.values()), sum(o.accepted for o in outcome.values())
    lines.append(f"| all {len(outcome)} | {tried:,} | {accepted:,} | {' | '.join(map(str, total.values()))} | |")
    return "\n".join(lines)
