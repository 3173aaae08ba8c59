"""HDF5 files as they come from anybody, for reading.

An HDF5 file can tell its reader to open other files (external storage, external links, virtual data sets), can state
arrays of any size without holding them, and a few damaged bytes can end HDF5's library in a loop or a crash. So a file
is first gone through by another process, once for each version of it, within a time limit; what that process finds good
is opened here. The process is started with the first file (a fifth of a second) and stays for the next.
"""

from __future__ import annotations

import atexit
import math
import os
import select
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import h5py

__all__ = ["HDF5Error", "open_hdf5", "trust"]

SECONDS = 8.0
"""Of processor time, in which the other process has to get on to the next array of a file."""
PATIENCE = 20.0
"""So many times longer may pass on the clock: other programs compute, and disks are slow."""
DEPTH = 20
MOST_EMPTY = 1 << 26
"""Bytes of an array beyond what its stored bytes can be packed from."""
RATIO = 1100
MOST_NAMES = 1 << 22
READ = 1 << 24
"""Bytes of arrays that are read for a test; of larger ones the places of their parts are."""
SMALL, SLOW = 1 << 22, 1.0
"""Bytes and seconds: what is larger, and took longer, is not examined again in later runs."""
MEMORY = 3 << 29
"""Bytes that the other process may take."""


class HDF5Error(OSError, ValueError):
    """The file is damaged, or does what no file of recordings needs; names it and says why."""


def open_hdf5(path: str | Path) -> h5py.File:
    """An HDF5 file open for reading; leaving its `with` block closes it.

    Raises:
        HDF5Error: missing, empty, damaged; with links or data outside the file, or soft links; with arrays larger than
            what the file can hold.
    """
    import h5py

    path = Path(path)
    _examine(path)
    try:
        return h5py.File(path, "r")
    except OSError as error:
        raise HDF5Error(f"{path}: not a readable HDF5 file ({_first_line(error)})") from None


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


# --- this side -------------------------------------------------------------------------------------------------


def _key(path: Path, facts: os.stat_result) -> tuple[str, int, int, int, int]:
    return str(path.resolve()), facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns


class _Examiner:
    """The other process, and what it said of which file."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._lock = threading.Lock()
        self._verdicts: dict[tuple[str, int, int, int, int], str] = {}

    def verdict(self, path: Path, facts: os.stat_result) -> str:
        """ "" of a good file, else what is wrong with it."""
        key = _key(path, facts)
        with self._lock:
            if key not in self._verdicts:
                if len(self._verdicts) > 10_000:
                    self._verdicts.clear()
                self._verdicts[key] = self._remembered(key)
            return self._verdicts[key]

    def trust(self, path: Path) -> None:
        """Takes note of a file that this process has written and read again."""
        with self._lock, suppress(OSError):
            self._verdicts[_key(path, path.stat())] = ""

    def _remembered(self, key: tuple[str, int, int, int, int]) -> str:
        """What was said of a file in an earlier run, where that took long; else asks now."""
        from .content import remember, remembered

        note = remembered("examined", key)
        if key[2] > SMALL and note.is_file():
            return ""
        begun = time.monotonic()
        verdict = self._ask(key[0])
        if not verdict and key[2] > SMALL and time.monotonic() - begun > SLOW:
            remember(note, "")
        return verdict

    def _ask(self, path: str) -> str:
        if self._process is None or self._owner != os.getpid() or self._process.poll() is not None:
            self._start()
        assert self._process is not None
        asked, answered = self._process.stdin, self._process.stdout
        try:
            asked.write(os.fsencode(path).hex().encode() + b"\n")  # type: ignore[union-attr]
            asked.flush()  # type: ignore[union-attr]
            answer = _line(answered, self._process.pid)
        except OSError:
            answer = b""
        if answer is None:
            self.stop()
            return f"HDF5 did not come to an end with it within {SECONDS:.0f} s"
        if not answer.endswith(b"\n"):
            self.stop()
            return "HDF5 crashed on it"
        return answer.decode("utf-8", "replace").strip()

    def _start(self) -> None:
        root = str(Path(__file__).resolve().parent.parent)
        paths = [root, *(p for p in sys.path if p)]
        code = f"import sys; sys.path[:0] = {paths!r}; from safe_files.foreign_hdf5 import serve; serve()"
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-c", code],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "HDF5_USE_FILE_LOCKING": "FALSE"},
        )  # fmt: skip
        self._owner = os.getpid()
        if _line(self._process.stdout, self._process.pid) != b"ready\n":
            self.stop()
            raise HDF5Error(f"{sys.executable}: the process that goes through HDF5 files does not start")

    def stop(self) -> None:
        """Ends the other process; the next file starts one."""
        process, self._process = self._process, None
        if process is None or self._owner != os.getpid():
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()


def _line(pipe: Any, process: int) -> bytes | None:
    """A line from a process's pipe; None when it does not get on, less than a line when it has ended."""
    begun, used, data = time.monotonic(), _processor_time(process), b""
    while not data.endswith(b"\n"):
        if os.name != "nt":  # there, pipes cannot be waited for
            ready, _, _ = select.select([pipe], [], [], SECONDS / 4)
            if not ready:
                passed = time.monotonic() - begun
                if passed > SECONDS * PATIENCE or _processor_time(process, passed) - used > SECONDS:
                    return None
                continue
        block = os.read(pipe.fileno(), 4096)
        if not block:
            return data
        data = (data + block).lstrip(b".")
        begun, used = time.monotonic(), _processor_time(process)
    return data


def _processor_time(process: int, otherwise: float = 0.0) -> float:
    """Seconds that a process has computed; `otherwise` where the system does not tell."""
    try:
        values = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return (int(values[11]) + int(values[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, AttributeError):
        return otherwise


_examiner = _Examiner()
atexit.register(_examiner.stop)


def trust(path: Path) -> None:
    """Says that a file was written by this process and read again, so that it needs no examination."""
    _examiner.trust(path)


def _examine(path: Path) -> None:
    try:
        facts = path.stat()
    except OSError as error:
        raise HDF5Error(f"{path}: cannot be read ({error.strerror})") from None
    if not path.is_file():
        raise HDF5Error(f"{path}: not an HDF5 file")
    if facts.st_size == 0:
        raise HDF5Error(f"{path}: the file is empty (0 bytes)")
    with path.open("rb") as file:
        if not _signed(file, facts.st_size):
            raise HDF5Error(f"{path}: not a readable HDF5 file (it does not begin as one)")
    wrong = _examiner.verdict(path, facts)
    if wrong:
        raise HDF5Error(f"{path}: not a readable HDF5 file ({wrong})")


def _signed(file: Any, size: int) -> bool:
    """Whether HDF5's signature stands at the beginning, or at 512, 1024, 2048 … bytes."""
    at = 0
    while at < size:
        file.seek(at)
        if file.read(8) == b"\x89HDF\r\n\x1a\n":
            return True
        at = max(512, 2 * at)
    return False


# --- the other process ------------------------------------------------------------------------------------------


def serve() -> None:
    """Reads paths from the standard input and answers each with a line: empty, or what is wrong with the file."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (4 * MEMORY, 4 * MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import h5py  # noqa: F401  (loaded before the first file is waited for)

    sys.stdout.buffer.write(b"ready\n")
    sys.stdout.buffer.flush()
    for line in sys.stdin.buffer:
        answer = examined(os.fsdecode(bytes.fromhex(line.decode().strip())))
        sys.stdout.buffer.write(" ".join(answer.split())[:500].encode("utf-8", "replace") + b"\n")
        sys.stdout.buffer.flush()


def examined(path: str) -> str:
    """What is wrong with a file, "" where nothing is; may not come back, or crash."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            _attributes(file.id)
            _Walk().group(file.id, "")
    except _WrongError as error:
        return str(error)
    except (Exception, MemoryError) as error:
        return _first_line(error)
    return ""


class _WrongError(Exception):
    pass


class _Walk:
    """Goes through a file; raises where something is not as it should be."""

    def __init__(self) -> None:
        self.seen: dict[int, str] = {}
        """Address of an object → its name."""
        self.budget = READ
        """Bytes of arrays still to be read."""
        self.told = time.monotonic()

    def group(self, group: Any, name: str, depth: int = 0) -> None:
        import h5py

        if depth > DEPTH:
            raise _WrongError(f"its groups lie more than {DEPTH} deep in each other")
        links = group.links
        for key in list(group):
            inner = f"{name}/{key.decode('utf-8', 'replace')}"
            link = links.get_info(key)
            if link.type != h5py.h5l.TYPE_HARD:
                raise _WrongError(f"{inner} is a link to another place; only what is in the file itself is read")
            self._tell()
            item = h5py.h5o.open(group, key)
            if isinstance(item, h5py.h5g.GroupID) and link.u in self.seen:
                raise _WrongError(f"{inner} is the same group as {self.seen[link.u]}")
            if link.u in self.seen:
                continue
            self.seen[link.u] = inner
            if len(self.seen) > MOST_NAMES:
                raise _WrongError(f"it has more than {MOST_NAMES} objects")
            if isinstance(item, h5py.h5t.TypeID):
                continue
            _attributes(item)
            if isinstance(item, h5py.h5g.GroupID):
                self.group(item, inner, depth + 1)
            else:
                self.array(item, inner)

    def _tell(self) -> None:
        """Lets the other side know that the file is being got on with."""
        now = time.monotonic()
        if now - self.told > SECONDS / 16:
            self.told = now
            sys.stdout.buffer.write(b".")
            sys.stdout.buffer.flush()

    def array(self, data: Any, name: str) -> None:
        import h5py

        plan, space, kind = data.get_create_plist(), data.get_space(), data.dtype
        layout, stored = plan.get_layout(), data.get_storage_size()
        if layout == h5py.h5d.VIRTUAL or plan.get_external_count():
            raise _WrongError(f"{name} has its values in another file; only what is in the file itself is read")
        if any(plan.get_filter(number)[0] not in _usual_filters() for number in range(plan.get_nfilters())):
            raise _WrongError(f"{name} is packed in a way that is not read; expected gzip or lzf")
        size = kind.itemsize * (0 if space.get_simple_extent_type() == h5py.h5s.NULL else math.prod(space.shape))
        if size > MOST_EMPTY + RATIO * stored:
            raise _WrongError(f"{name} is said to be {space.shape} of {kind}, more than the file can hold")
        if kind.kind == "O" and h5py.check_string_dtype(kind) is None:
            raise _WrongError(f"{name} holds {kind}; expected numbers or texts")
        if layout == h5py.h5d.CHUNKED:
            part = kind.itemsize * math.prod(plan.get_chunk())
            if part > max(MOST_EMPTY, 2 * size + (1 << 20)):
                raise _WrongError(f"{name} has parts of {part} bytes")
            for number in range(data.get_num_chunks() if size else 0):
                data.get_chunk_info(number)
                self._tell()
        if 0 < size <= self.budget:
            self.budget -= size
            h5py.Dataset(data)[()]


def _usual_filters() -> tuple[int, ...]:
    import h5py

    return h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32, h5py.h5z.FILTER_LZF


def _attributes(item: Any) -> None:
    import h5py
    import numpy as np

    for number in range(h5py.h5a.get_num_attrs(item)):
        attribute = h5py.h5a.open(item, index=number)
        if attribute.get_storage_size() > 1 << 20:
            raise _WrongError(f"the attribute {attribute.name.decode('utf-8', 'replace')} is too large")
        if attribute.get_space().get_simple_extent_type() == h5py.h5s.NULL:
            continue
        kind = attribute.dtype
        if kind.kind == "O" and h5py.check_string_dtype(kind) is None:
            raise _WrongError(f"the attribute {attribute.name.decode('utf-8', 'replace')} refers to another place")
        attribute.read(np.empty(attribute.shape, kind))
