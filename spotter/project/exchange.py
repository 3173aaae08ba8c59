"""The log as a file, CSV or JSON: out, and in again, into the same project, a copy of it, or another one.

JSON holds everything: searches, what they found, and the lines. CSV holds the lines with the place that each is about,
one row each, for people and statistics programs. Both come back in: a line that is there already (by its token) is left
out; a hit that the project does not know is looked for by its place, and taken in when there is none. What two people
decided in two copies without seeing each other stands side by side as conflicts.

The static report downloads the same JSON with places and no searches.
"""

from __future__ import annotations

import csv
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from safe_files import open_whole, parse_json, plain_cell, read_json, reader, safe_cell, write_json

from ..detection import Detection
from .folder import Project
from .log import Found, Line, LogError, Search, now
from .matching import named_hits
from .state import State, checked

__all__ = ["COLUMNS", "FORMAT", "Imported", "export_log", "import_log", "read_decisions"]

FORMAT, VERSION = "sign-spotter decisions", 1
COLUMNS: tuple[str, ...] = (
    "n", "at", "who", "action", "video", "sign", "start", "end", "score", "hit", "search", "weights", "base", "client",
    "token", "detail",
)  # fmt: skip
"""Columns of the CSV. Video, sign, start, end and score are the place that the line is about, as it was found."""


@dataclass(frozen=True)
class Imported:
    """What became of a file's lines: so many taken in, there already, and refused with the reason."""

    added: int = 0
    already: int = 0
    refused: list[str] = field(default_factory=list)


def export_log(project: Project, path: Path) -> int:
    """Writes the log; returns the number of lines.

    Raises:
        ValueError: the ending is neither .csv nor .json, or the file cannot be written.
    """
    state, lines = project.state(), project.log.lines()
    rows = [_row(state, line) for line in lines]
    if path.suffix.lower() == ".csv":
        with open_whole(path) as file:
            table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            table.writeheader()
            table.writerows(_as_cells(row) for row in rows)
    elif path.suffix.lower() == ".json":
        searches = [
            {**asdict(s), "detail": dict(s.detail), "found": [asdict(f) for f in project.log.found(s.id)]}
            for s in project.log.searches()
        ]
        write_json(path, {"format": FORMAT, "version": VERSION, "searches": searches, "lines": rows})
    else:
        raise ValueError(f"{path}: ending {path.suffix!r}; decisions are written as .csv or .json")
    return len(lines)


def _as_cells(row: Mapping[str, Any]) -> dict[str, Any]:
    said = {key: safe_cell(value) if isinstance(value, str) else value for key, value in row.items()}
    return {**said, "detail": json.dumps(row["detail"], ensure_ascii=False, sort_keys=True)}


def _row(state: State, line: Line) -> dict[str, Any]:
    hit = state.hits.get(line.hit)
    place: dict[str, Any] = dict.fromkeys(("video", "sign", "start", "end", "score"))
    if hit is not None and hit.search:
        place = {"video": hit.video, "sign": hit.found_sign, "start": hit.found_start, "end": hit.found_end}
        place["score"] = hit.score
    elif line.action in ("add", "exemplar"):
        place |= {key: line.detail[key] for key in ("video", "sign", "start", "end")}
    return {**{k: v for k, v in asdict(line).items() if k != "detail"}, **place, "detail": dict(line.detail)}


def import_log(project: Project, path: Path, who: str = "") -> Imported:
    """Takes lines into the project's log.

    Args:
        who: of lines that do not say (a downloaded report's).

    Raises:
        ValueError: the file is not readable as decisions; nothing is taken in then.
    """
    hits, rows = read_decisions(path)
    lines = [_line(path, number, row, who or project.annotator) for number, row in enumerate(rows, start=1)]
    there = {line.token: line.n for line in project.log.lines()}
    waiting = [(line, row) for line, row in zip(lines, rows, strict=True) if line.token not in there]
    names = _take_in_hits(project, hits, waiting)
    state = project.state()
    # one program sent them all: what they disagree about among themselves was settled where they come from
    client = f"import-{uuid.uuid4().hex[:8]}"
    numbers = {str(row.get("n")): there.get(line.token, 0) for line, row in zip(lines, rows, strict=True)}
    refused: list[str] = []
    for line, row in waiting:
        detail = _translated(line.detail, names, numbers)
        moved = replace(line, hit=names.get(line.hit, line.hit), client=client, base=0, n=0, detail=detail)
        try:
            (written,) = project.log.append([checked(state, moved)])
        except LogError as error:
            refused.append(f"{line.action} of {line.who} at {line.at}: {error}")
            continue
        numbers[str(row.get("n"))] = written.n
        state.take([written])
    return Imported(len(waiting) - len(refused), len(lines) - len(waiting), refused)


@reader(ValueError)
def read_decisions(path: Path) -> tuple[dict[str, Found], list[dict[str, Any]]]:
    """(hits that the file's searches found, lines as rows)."""
    if not path.is_file():
        raise ValueError(f"{path}: no such file")
    try:
        if path.suffix.lower() == ".csv":
            with path.open(encoding="utf-8-sig", newline="") as file:
                rows = [{k: plain_cell(v) if isinstance(v, str) else v for k, v in row.items()}
                        for row in csv.DictReader(file)]  # fmt: skip
            if rows and not {"action", "who", "at"} <= set(rows[0]):
                raise ValueError(f"columns are {', '.join(rows[0])}; expected {', '.join(COLUMNS)}")
            return {}, [{**row, "detail": parse_json(row.get("detail") or "{}")} for row in rows]
        value = read_json(path)
        if not isinstance(value, dict) or value.get("format") != FORMAT or value.get("version") != VERSION:
            raise ValueError(f"expected a file of the format {FORMAT!r}, version {VERSION}")
        found = [Found(**f) for search in value.get("searches", ()) for f in search["found"]]
        rows = list(value["lines"])
        if not all(isinstance(row, dict) for row in rows):
            raise ValueError("a line is no object")
        return {f.hit: f for f in found}, rows
    except (OSError, UnicodeDecodeError, csv.Error, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: not readable as decisions ({error})") from None


def _line(path: Path, number: int, row: Mapping[str, Any], who: str) -> Line:
    try:
        detail = row.get("detail") or {}
        if not isinstance(detail, dict):
            raise ValueError(f"detail is {detail!r}; expected an object")
        said = {key: str(row.get(key) or "") for key in ("hit", "who", "token", "client", "search", "weights", "at")}
        return Line(
            str(row["action"]), said["hit"] or _place_name(row), said["who"] or who, said["token"] or _token_of(row),
            said["client"], 0, said["search"], said["weights"], detail, at=said["at"],
        )  # fmt: skip
    except (KeyError, ValueError) as error:
        raise ValueError(f"{path}, line {number}: {error}") from None


def _token_of(row: Mapping[str, Any]) -> str:
    said = json.dumps({key: row.get(key) for key in COLUMNS}, sort_keys=True, default=str)
    return uuid.uuid5(uuid.NAMESPACE_OID, said).hex


def _place_name(row: Mapping[str, Any]) -> str:
    """A name for a place without one (a static report knows no names of hits)."""
    place = [row.get(key) for key in ("video", "sign", "start", "end")]
    if place[0] in (None, ""):
        return ""
    return "p" + uuid.uuid5(uuid.NAMESPACE_OID, json.dumps(place, default=str)).hex[:14]


def _take_in_hits(
    project: Project, hits: Mapping[str, Found], waiting: Sequence[tuple[Line, Mapping[str, Any]]]
) -> dict[str, str]:
    """Foreign name → name here, of hits that are known here by their place; the others are taken in."""
    state = project.state()
    made = {name for line, _ in waiting for name in _made_by(line)}
    foreign: dict[str, Found] = {}
    for line, row in waiting:
        for name in {line.hit, str(line.detail.get("other", ""))} - {""} - made - set(state.hits):
            place = hits.get(name) or (_place(name, row) if name == line.hit else None)
            if place is not None:
                foreign.setdefault(name, place)
    names: dict[str, str] = {}
    new: list[Found] = []
    for name, f in foreign.items():
        same = named_hits(state, name, [Detection(f.video, f.sign, f.start, f.end, f.score)])
        if same and same[0].hit in state.hits:
            names[name] = same[0].hit
        elif same:
            new.append(f)
    if new:
        search = Search(f"import-{uuid.uuid4().hex[:10]}", now(), project.annotator, "import", "", state.last)
        project.log.add_search(search, new)
    return names


def _made_by(line: Line) -> set[str]:
    """Names that a line brings into being."""
    if line.action in ("add", "exemplar"):
        return {line.hit}
    return {str(line.detail.get("second"))} if line.action == "split" else set()


def _place(name: str, row: Mapping[str, Any]) -> Found | None:
    try:
        score = 0.0 if row.get("score") in (None, "") else float(row["score"])
        d = Detection(str(row["video"]), str(row["sign"]), float(row["start"]), float(row["end"]), score)
    except (KeyError, TypeError, ValueError):
        return None
    return Found(name, d.video, d.sign, d.start, d.end, d.score)


def _translated(detail: Mapping[str, Any], names: Mapping[str, str], numbers: Mapping[str, int]) -> dict[str, Any]:
    moved = dict(detail)
    if "other" in moved:
        moved["other"] = names.get(str(moved["other"]), moved["other"])
    if "line" in moved:
        moved["line"] = numbers.get(str(moved["line"]), 0)
    return moved
