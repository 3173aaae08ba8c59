"""What holds now: searches and lines of the log → hits with their status. Pure functions of the log.

What a line's `detail` holds:

| action | about | detail |
|---|---|---|
| accept, reject, unsure, clear | a hit | `sample`: name of the random sample it was judged in, if any |
| span | a hit | start, end |
| relabel | a hit | sign |
| split | a hit | at; second: name of the part after it; video, sign, start, end of that part |
| merge | a hit | other: the hit that goes into it; start, end of both together |
| add | a new hit | video, sign, start, end |
| exemplar | a new exemplar | video, sign, start, end |
| retire | an exemplar | |
| sample | "" | name, sign, seed, and the drawn hits with their strata (see `sampling`) |
| note | a hit | text |
| export | "" | video, file, and the hits written with sign, start, end, status |
| undo | as the line undone | line: its number |

Details hold results (where a part ends, not "half of it"), so a hit follows from the lines about it alone. An undo may
be undone: then the first line holds again.

Two lines about a hit *conflict* when the second was written by another client that had not seen the first, and they
disagree. The later one holds, and the hit carries both until somebody who has seen them decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .log import DecisionLog, Found, Line, LogError, Search

__all__ = ["Exemplar", "Hit", "State", "Status", "checked", "read_state"]

Status = str
"""new, accepted, rejected, unsure, merged (it is part of another hit now), or withdrawn (its making was undone)."""

STATUS_OF: dict[str, Status] = {"accept": "accepted", "reject": "rejected", "unsure": "unsure", "clear": "new"}
SAME_TIME = 0.5e-3
"""Seconds: below it two times are the same, as in files that count milliseconds."""


@dataclass(frozen=True)
class Hit:
    """A place where a sign may be.

    Attributes:
        id: its name in the log.
        video, sign, start, end: as they stand now; seconds.
        status: see `Status`.
        score: of the newest search that found it, None for hits that people drew.
        search: the newest search that found it, "" for drawn ones.
        found_sign, found_start, found_end: as that search gave them.
        who, at, line: of the last line about it; line 0 when nobody decided anything.
        sample: name of the random sample that it was judged in, "" outside of one.
        note: a remark.
        conflict: numbers of the lines that disagree, oldest first.
    """

    id: str
    video: str
    sign: str
    start: float
    end: float
    status: Status = "new"
    score: float | None = None
    search: str = ""
    found_sign: str = ""
    found_start: float = 0.0
    found_end: float = 0.0
    who: str = ""
    at: str = ""
    line: int = 0
    sample: str = ""
    note: str = ""
    conflict: tuple[int, ...] = ()

    @property
    def decided(self) -> bool:
        """Whether somebody accepted or rejected it."""
        return self.status in ("accepted", "rejected")


@dataclass(frozen=True)
class Exemplar:
    """A span that a person drew as an example of a sign; seconds."""

    id: str
    video: str
    sign: str
    start: float
    end: float
    who: str
    line: int


@dataclass
class State:
    """Hits, exemplars and samples as the log has them; `take` adds what was appended since.

    Attributes:
        hits: by id.
        exemplars: drawn ones that are not retired, by id.
        samples: name → the detail of the line that drew it.
        searches: in the order of the log.
        newest: sign → id of the newest search that looked for it.
        last: number of the last line taken in.
    """

    hits: dict[str, Hit] = field(default_factory=dict)
    exemplars: dict[str, Exemplar] = field(default_factory=dict)
    samples: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    searches: list[Search] = field(default_factory=list)
    newest: dict[str, str] = field(default_factory=dict)
    last: int = 0
    _found: dict[str, Hit] = field(default_factory=dict)
    _lines: dict[int, Line] = field(default_factory=dict)
    _tokens: dict[str, int] = field(default_factory=dict)
    _about: dict[str, list[int]] = field(default_factory=dict)
    _undoing: dict[int, list[int]] = field(default_factory=dict)

    def take_search(self, search: Search, found: Iterable[Found]) -> None:
        """Takes in a search: scores and spans of hits that nobody decided on follow the newest one."""
        self.searches.append(search)
        rows = list(found)
        if search.kind != "import":
            for sign in {str(s) for s in search.detail.get("signs", ())} | {f.sign for f in rows}:
                self.newest[sign] = search.id
        for f in rows:
            self._found[f.hit] = Hit(
                f.hit, f.video, f.sign, f.start, f.end, score=f.score, search=search.id,
                found_sign=f.sign, found_start=f.start, found_end=f.end,
            )  # fmt: skip
            self._fold(f.hit)

    def take(self, lines: Iterable[Line]) -> set[str]:
        """Takes in lines in the order of the log; returns the hits and exemplars that they may have changed."""
        touched: set[str] = set()
        for line in lines:
            self._lines[line.n] = line
            self._tokens[line.token] = line.n
            self.last = max(self.last, line.n)
            if line.action == "undo":
                self._undoing.setdefault(int(line.detail["line"]), []).append(line.n)
                touched |= self._names(self._root(line))
            else:
                for name in self._names(line):
                    self._about.setdefault(name, []).append(line.n)
                touched |= self._names(line)
        for name in touched:
            self._fold(name)
        return touched - {""}

    def current(self, hit: Hit) -> bool:
        """Whether a hit is to be shown: decided on, drawn, or found by the newest search of its sign."""
        if hit.status in ("merged", "withdrawn"):
            return False
        if hit.status != "new" or hit.line or not hit.search:
            return True
        newest = self.newest.get(hit.found_sign, hit.search)
        return hit.search == newest or hit.search.startswith("import-")

    def holds(self, n: int) -> bool:
        """Whether a line holds: no undo that holds itself is about it."""
        return not any(self.holds(k) for k in self._undoing.get(n, ()))

    def names_of(self, n: int) -> set[str]:
        """The hits and exemplars that a line is about; of an undo, those of the line it takes back."""
        return self._names(self._root(self._lines[n])) if n in self._lines else set()

    def numbered(self, token: str) -> int:
        """Number of the line with a token.

        Raises:
            LogError: there is none.
        """
        if token not in self._tokens:
            raise LogError(f"no line has the token {token!r}")
        return self._tokens[token]

    def line(self, n: int) -> Line:
        """A line by its number; `KeyError` when there is none."""
        return self._lines[n]

    def lines_about(self, name: str) -> list[Line]:
        """The lines about a hit or exemplar that hold, in order; undos are not among them."""
        return [self._lines[n] for n in self._about.get(name, ()) if self.holds(n)]

    def undoable(self, who: str, client: str = "") -> Line | None:
        """The last line of somebody (from one client, if given) that still holds: what "undo" takes back."""
        for n in reversed(self._lines):
            line = self._lines[n]
            mine = line.who == who and (not client or line.client == client)
            if mine and line.action not in ("undo", "sample", "export") and self.holds(n):
                return line
        return None

    def redoable(self, who: str, client: str = "") -> Line | None:
        """The undo that "redo" takes back: the last of somebody's lines, if it is an undo that holds."""
        for n in reversed(self._lines):
            line = self._lines[n]
            if line.who != who or (client and line.client != client) or not self.holds(n):
                continue
            if line.action != "undo":
                return None
            if self._lines[int(line.detail["line"])].action != "undo":
                return line
        return None

    def _root(self, line: Line) -> Line:
        while line.action == "undo":
            line = self._lines[int(line.detail["line"])]
        return line

    @staticmethod
    def _names(line: Line) -> set[str]:
        other = {"split": "second", "merge": "other"}.get(line.action)
        return {line.hit} | ({str(line.detail[other])} if other else set())

    def _fold(self, name: str) -> None:
        """Works out one hit, exemplar or sample anew from the lines about it."""
        lines = self.lines_about(name)
        if not name or any(self._lines[n].action == "exemplar" for n in self._about.get(name, ())):
            self._fold_other(name, lines)
            return
        hit = self._found.get(name)
        for line in lines:
            hit = _after(hit, name, line)
        if hit is None:
            made = [_after(None, name, self._lines[n]) for n in self._about.get(name, ())]
            first = next((one for one in made if one is not None), None)
            if first is not None:
                self.hits[name] = replace(first, status="withdrawn")
        else:
            self.hits[name] = replace(hit, conflict=_conflict(lines, name))

    def _fold_other(self, name: str, lines: Sequence[Line]) -> None:
        if name:
            self.exemplars.pop(name, None)
            made = next((line for line in lines if line.action == "exemplar"), None)
            if made is not None and not any(line.action == "retire" for line in lines):
                d = made.detail
                self.exemplars[name] = Exemplar(
                    name, str(d["video"]), str(d["sign"]), float(d["start"]), float(d["end"]), made.who, made.n
                )
        else:
            self.samples = {str(line.detail["name"]): line.detail for line in lines if line.action == "sample"}


def _after(hit: Hit | None, name: str, line: Line) -> Hit | None:
    """The hit called `name` after a line about it."""
    d = line.detail
    by: dict[str, Any] = {"who": line.who, "at": line.at, "line": line.n}
    if line.action == "add" or (line.action == "split" and d.get("second") == name):
        span = float(d["start"]), float(d["end"])
        status = "accepted" if line.action == "add" else str(d.get("status", "new"))
        made = Hit(name, str(d["video"]), str(d["sign"]), *span, status=status, found_sign=str(d["sign"]), **by)
        return made if hit is None else replace(made, score=hit.score, search=hit.search)
    if hit is None:
        return None
    if line.action in STATUS_OF:
        return replace(hit, status=STATUS_OF[line.action], sample=str(d.get("sample", hit.sample)), **by)
    if line.action == "span":
        return replace(hit, start=float(d["start"]), end=float(d["end"]), **by)
    if line.action == "relabel":
        return replace(hit, sign=str(d["sign"]), **by)
    if line.action == "split":
        return replace(hit, end=float(d["at"]), **by)
    if line.action == "merge":
        if d["other"] == name:
            return replace(hit, status="merged", **by)
        return replace(hit, start=float(d["start"]), end=float(d["end"]), **by)
    if line.action == "note":
        return replace(hit, note=str(d["text"]), **by)
    return hit


def _conflict(lines: Sequence[Line], name: str) -> tuple[int, ...]:
    """Numbers of the lines of a conflict that nobody has settled."""
    found: list[int] = []
    for at, later in enumerate(lines):
        if found and later.base >= found[-1]:
            found = []  # its author saw the conflict and decided
        for earlier in lines[:at]:
            unseen = later.base < earlier.n and later.client != earlier.client
            if unseen and _disagree(earlier, later, name):
                found += [n for n in (earlier.n, later.n) if n not in found]
    return tuple(sorted(found))


def _disagree(one: Line, other: Line, name: str) -> bool:
    kinds = {"status" if line.action in STATUS_OF else line.action for line in (one, other)}
    if kinds == {"status"}:
        return one.action != other.action
    if kinds == {"span"}:
        return any(abs(float(one.detail[k]) - float(other.detail[k])) > SAME_TIME for k in ("start", "end"))
    if kinds == {"relabel"}:
        return bool(one.detail["sign"] != other.detail["sign"])
    # what was cut up or joined is no longer what the other person looked at
    return bool(kinds & {"split", "merge"})


def read_state(log: DecisionLog, until: int | None = None, before: str | None = None) -> State:
    """The state of a log, or as it was after line `until`, and before the search of the id `before` was made."""
    state = State()
    for search in log.searches():
        if search.id == before:
            break
        if until is None or search.base <= until:
            state.take_search(search, log.found(search.id))
    state.take(log.lines(until=until))
    return state


def checked(state: State, line: Line) -> Line:
    """The line itself, if it fits what the log says.

    Raises:
        LogError: a detail is missing or makes no sense, or the hit, exemplar or line that it is about is not there.
    """
    d = line.detail
    if line.action == "undo":
        n = d.get("line")
        if not isinstance(n, int) or n not in state._lines:
            raise LogError(f"undo of line {n!r}, which is not in the log")
        return line
    if line.action in ("sample", "export"):
        return line
    if line.action in ("add", "exemplar"):
        _span_of(line)
        for key in ("video", "sign"):
            if not isinstance(d.get(key), str) or not str(d[key]).strip():
                raise LogError(f"{line.action}: {key} is {d.get(key)!r}; expected a name")
        if line.hit in state.hits or line.hit in state.exemplars or not line.hit:
            raise LogError(f"{line.action}: the name {line.hit!r} is taken or empty; expected a new one")
        return line
    if line.action == "retire":
        if line.hit not in state.exemplars:
            raise LogError(f"retire: there is no drawn exemplar {line.hit!r}")
        return line
    hit = state.hits.get(line.hit)
    if hit is None:
        raise LogError(f"{line.action}: there is no hit {line.hit!r}")
    _check_edit(state, line, hit)
    return line


def _check_edit(state: State, line: Line, hit: Hit) -> None:
    d = line.detail
    if line.action in ("span", "merge", "split"):
        _span_of(line)
    if line.action == "relabel" and (not isinstance(d.get("sign"), str) or not d["sign"].strip()):
        raise LogError(f"relabel: sign is {d.get('sign')!r}; expected a gloss")
    if line.action == "note" and not isinstance(d.get("text"), str):
        raise LogError("note: expected a text")
    if line.action == "merge":
        other = state.hits.get(str(d.get("other")))
        if other is None or other.id == hit.id or other.video != hit.video or other.sign != hit.sign:
            raise LogError(f"merge: {d.get('other')!r} is no other hit of the same sign in the same video")
    if line.action == "split":
        second = d.get("second")
        if not isinstance(second, str) or not second or second in state.hits:
            raise LogError(f"split: the name {second!r} is taken or empty; expected a new one")
        if not isinstance(d.get("at"), int | float) or not hit.start < d["at"] < hit.end:
            raise LogError(f"split at {d.get('at')!r}; expected a time between {hit.start:.3f} and {hit.end:.3f} s")


def _span_of(line: Line) -> tuple[float, float]:
    start, end = line.detail.get("start"), line.detail.get("end")
    if not isinstance(start, int | float) or not isinstance(end, int | float) or not 0 <= start < end < 1e7:
        raise LogError(f"{line.action}: from {start!r} to {end!r}; expected seconds with 0 <= start < end")
    return float(start), float(end)
