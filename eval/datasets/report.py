"""Is the data set on this disk the one that was published? Found, missing, damaged, duplicated."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from safe_files import write_bytes

from ..tables import Table
from .sample import Sample

__all__ = ["DatasetReport", "Published", "check", "damage_of"]


@dataclass(frozen=True)
class Published:
    """Counts that a benchmark publishes; None where it does not, or where nobody could check.

    Attributes:
        source: where the counts come from.
    """

    samples: int | None = None
    classes: int | None = None
    signers: int | None = None
    splits: Mapping[str, int] = field(default_factory=dict)
    source: str = ""


@dataclass(frozen=True)
class DatasetReport:
    """Annotation and media of a data set against each other and against what was published.

    Attributes:
        counts: (what, found, published or None).
        found: media files that are there and whole.
        missing: paths that the annotation names and the disk lacks.
        damaged: path → what is wrong.
        duplicated: groups of media files with identical content.
        searched: False where no folder of media was given.
    """

    counts: list[tuple[str, int, int | None]]
    found: list[str]
    missing: list[str]
    damaged: dict[str, str]
    duplicated: list[list[str]]
    searched: bool

    @property
    def agrees(self) -> bool:
        """Whether every published count is met and no media file is missing or damaged."""
        counts = all(published is None or found == published for _, found, published in self.counts)
        return counts and not self.missing and not self.damaged

    def table(self) -> Table:
        """Annotated against published, then the files."""
        rows = []
        for what, found, published in self.counts:
            note = "" if published is None else "as published" if found == published else f"{found - published:+d}"
            rows.append([what, found, published, note])
        if self.searched:
            rows.append(["media files found", len(self.found), None, ""])
            for name, group in (("missing", self.missing), ("damaged", self.damaged)):
                rows.append([f"media files {name}", len(group), 0, "" if not group else f"e.g. {next(iter(group))}"])
            copies = sum(len(group) - 1 for group in self.duplicated)
            example = " = ".join(self.duplicated[0]) if self.duplicated else ""
            rows.append(["media files duplicated", copies, None, example])
        return Table(["", "found", "published", ""], rows)

    def write_lists(self, folder: str | Path) -> list[Path]:
        """Writes `missing.txt`, `damaged.txt` and `duplicated.txt` by name, those that are not empty."""
        contents = {
            "missing.txt": self.missing,
            "damaged.txt": [f"{path}\t{reason}" for path, reason in self.damaged.items()],
            "duplicated.txt": ["\t".join(group) for group in self.duplicated],
        }
        written = []
        for name, lines in contents.items():
            if lines:
                write_bytes(Path(folder) / name, ("\n".join(lines) + "\n").encode())
                written.append(Path(folder) / name)
        return written


def check(
    samples: Sequence[Sample],
    published: Published | None = None,
    media: str | Path | None = None,
    probe: Callable[[Path], str] | None = None,
    workers: int = 8,
) -> DatasetReport:
    """Counts the annotation, and with `media` looks at every file that it names.

    Args:
        media: folder that the samples' paths are relative to.
        probe: path → what is wrong, or "" (a decoder's verdict); by default `damage_of`, which reads headers only.
        workers: files looked at in parallel.
    """
    published = published if published is not None else Published()
    signers = {sample.signer for sample in samples if sample.signer}
    splits = Counter(sample.split for sample in samples if sample.split)
    counts: list[tuple[str, int, int | None]] = [
        ("samples", len(samples), published.samples),
        ("classes", len({sample.label for sample in samples}), published.classes),
    ]
    if signers:  # some forms of an annotation leave the signers out
        counts.append(("signers", len(signers), published.signers))
    counts += [
        (f"{name} samples", splits.get(name, 0), published.splits.get(name))
        for name in ("train", "validation", "test")
        if name in splits or name in published.splits
    ]
    empty = sum(sample.end is not None and sample.end == sample.start for sample in samples)
    if empty:
        counts.append(("samples without a frame", empty, 0))
    if media is None:
        return DatasetReport(counts, [], [], {}, [], searched=False)
    root = Path(media)
    paths = list(dict.fromkeys(sample.path for sample in samples if sample.path))
    with ThreadPoolExecutor(workers) as pool:
        there = list(pool.map(lambda path: (root / path).is_file(), paths))
        present = [path for path, yes in zip(paths, there, strict=True) if yes]
        reasons = list(pool.map(lambda path: (probe if probe is not None else damage_of)(root / path), present))
        damaged = {path: reason for path, reason in zip(present, reasons, strict=True) if reason}
        whole = [path for path in present if path not in damaged]
        duplicated = _duplicates(root, whole, pool)
    missing = [path for path, yes in zip(paths, there, strict=True) if not yes]
    return DatasetReport(counts, whole, missing, damaged, duplicated, searched=True)


def _duplicates(root: Path, paths: Iterable[str], pool: ThreadPoolExecutor) -> list[list[str]]:
    """Groups of identical files; only files of equal size are read."""
    by_size: dict[int, list[str]] = defaultdict(list)
    for path in paths:
        by_size[(root / path).stat().st_size].append(path)
    candidates = [path for group in by_size.values() if len(group) > 1 for path in group]
    by_content: dict[str, list[str]] = defaultdict(list)
    for path, digest in zip(candidates, pool.map(lambda p: _digest(root / p), candidates), strict=True):
        by_content[digest].append(path)
    return [group for group in by_content.values() if len(group) > 1]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def damage_of(path: Path) -> str:
    """What a file's headers say is wrong with it, or "": empty, or an MP4/MOV whose boxes end too early.

    Reads a few bytes per box; a decoder finds more (`check(probe=…)`).
    """
    size = path.stat().st_size
    if size == 0:
        return "empty (0 bytes)"
    if path.suffix.lower() not in (".mp4", ".mov", ".m4v"):
        return ""
    boxes: set[bytes] = set()
    position = 0
    with path.open("rb") as file:
        while position < size:
            file.seek(position)
            head = file.read(16)
            if len(head) < 8:
                return f"cut short at byte {position}"
            length, kind = int.from_bytes(head[:4], "big"), head[4:8]
            if length == 1 and len(head) == 16:
                length = int.from_bytes(head[8:], "big")
            elif length == 0:  # the last box goes to the end of the file
                length = size - position
            if length < 8 or not kind.isalnum():
                return f"not an MP4 (no box at byte {position})" if not boxes else f"damaged at byte {position}"
            boxes.add(kind)
            position += length
    if position > size:
        return f"cut short: {size} of {position} bytes"
    return "" if b"moov" in boxes else "no index (moov box); was the recording or download interrupted?"
