"""Search a project's corpus with what people decided: the same for the first search, for "search again", for `refit`.

log → state → exemplars (enrolled, drawn, accepted) → candidates → vectors → a head per sign → calibration →
probabilities

Everything follows from the log up to a line and from the corpus: the same log gives the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..detection import Detection
from .learning import Calibration, HeadOptions, Space, fit_calibration, scores_of, space_of
from .matching import SAME_PLACE, overlap
from .searching import Archive, Place
from .state import Hit, State

if TYPE_CHECKING:
    from gallery import Gallery

__all__ = ["MOST", "Learned", "SignHits", "changes_of", "learn", "open_orders"]

MOST = 120
"""Hits of a sign that a search gives."""
BACKGROUND = 4000
"""Windows that stand for signing at large."""
WORST = 1e-4
"""Hits that are surely nothing are left out, unless there are few."""
LEAST = 20
"""Hits of a sign that are kept however improbable."""


@dataclass
class SignHits:
    """One sign's candidates and decided hits, in the order of the arrays.

    Attributes:
        sign: its gloss.
        places: where; labels: 1 accepted, −1 rejected, 0 not decided (N,).
        cosines: (N,) with the exemplars that nobody accepted on the way; z: (N, D) in the space of the corpus.
        log_odds: (N,) by the sign's head; probabilities: (N,).
    """

    sign: str
    places: list[Place]
    labels: NDArray[np.int8]
    cosines: NDArray[np.float64]
    z: NDArray[np.float64]
    log_odds: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    probabilities: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))


@dataclass(frozen=True)
class Learned:
    """What a search gave.

    Attributes:
        detections: undecided and decided places of every sign, probability as score.
        hits: the same with their vectors, by sign.
        calibration: the line from log odds to probabilities.
        detail: for the log.
    """

    detections: list[Detection]
    hits: dict[str, SignHits]
    calibration: Calibration
    detail: dict[str, Any]


def learn(
    archive: Archive,
    state: State,
    signs: Sequence[str] | None = None,
    most: int = MOST,
    options: HeadOptions | None = None,
    tell: Callable[[float], None] | None = None,
) -> Learned:
    """Searches for signs with all that was decided so far.

    Args:
        signs: None is every sign that has an exemplar.
        most: hits per sign.
        tell: called with the share done.

    Raises:
        ValueError: a sign has no exemplar.
    """
    options = HeadOptions() if options is None else options
    say = tell if tell is not None else lambda share: None
    first, every = archive.gallery(state, accepted=False), archive.gallery(state)
    known = every.labels
    wanted = list(known) if signs is None else list(dict.fromkeys(signs))
    missing = [sign for sign in wanted if sign not in known]
    if missing:
        raise ValueError(f"no exemplar of {', '.join(missing)}; draw one, or enrol a clip")
    space = space_of(archive.background(BACKGROUND), options.shrinkage)
    found = _candidates(archive, first, every, wanted, most)
    hits: dict[str, SignHits] = {}
    unseen: list[NDArray[np.float64]] = []
    answers: list[NDArray[np.bool_]] = []
    for number, sign in enumerate(wanted):
        base = first if sign in first else every
        one = _collected(archive, _decided(state, sign, archive), found[sign], base.only([sign]), space)
        one.sign = sign
        scored = scores_of(one.z, one.cosines, one.labels, options)
        one.log_odds = scored.log_odds
        unseen.append(scored.unseen)
        answers.append(one.labels[one.labels != 0] > 0)
        hits[sign] = one
        say((number + 1) / len(wanted))
    calibration = fit_calibration(np.concatenate(unseen), np.concatenate(answers)) if wanted else Calibration()
    detections: list[Detection] = []
    for one in hits.values():
        one.probabilities = calibration(one.log_odds)
        detections += _kept(one, most)
    detail = {
        "signs": wanted, "until": state.last, "most": most, "calibration": [calibration.slope, calibration.shift],
        "decisions": {s: [int((h.labels > 0).sum()), int((h.labels < 0).sum())] for s, h in hits.items()},
    }  # fmt: skip
    return Learned(detections, hits, calibration, detail)


@dataclass(frozen=True)
class _Candidate:
    """A place with its cosine to the first exemplars, None where only an accepted hit found it."""

    place: Place
    cosine: float | None


def _candidates(
    archive: Archive, first: Gallery, every: Gallery, signs: Sequence[str], most: int
) -> dict[str, list[_Candidate]]:
    """Sign → distinct candidates: by the exemplars from before any decision, then by accepted hits as well.

    A sign that began with an accepted or drawn hit has only those.
    """
    begun = [sign for sign in signs if sign in first]
    found: dict[str, list[_Candidate]] = {sign: [] for sign in signs}
    for d in archive.candidates(first, begun, most):
        found[d.sign].append(_Candidate(Place(d.video, d.start, d.end), d.score))
    later = every.copy()
    later.remove(first.ids)
    for d in archive.candidates(later, [sign for sign in signs if sign in later], most):
        place = Place(d.video, d.start, d.end)
        if not any(_same(place, c.place) for c in found[d.sign]):
            found[d.sign].append(_Candidate(place, d.score if d.sign not in first else None))
    return found


def _same(a: Place, b: Place) -> bool:
    return a.video == b.video and overlap((a.start, a.end), (b.start, b.end)) >= SAME_PLACE


def _decided(state: State, sign: str, archive: Archive) -> list[tuple[Place, int]]:
    """Places that people accepted (1) or rejected (−1) as this sign, in the order of the log.

    A hit that was given another sign counts as rejected for the one it was found as, where it was found.
    """
    rows: list[tuple[int, str, Place, int]] = []
    for hit in state.hits.values():
        if hit.video not in archive or hit.status in ("merged", "withdrawn", "new", "unsure"):
            continue
        if hit.sign == sign:
            label = 1 if hit.status == "accepted" else -1
            rows.append((hit.line, hit.id, Place(hit.video, hit.start, hit.end), label))
        elif hit.found_sign == sign and hit.search:
            rows.append((hit.line, hit.id, Place(hit.video, hit.found_start, hit.found_end), -1))
    return [(place, label) for _, _, place, label in sorted(rows, key=lambda row: row[:2])]


def _collected(
    archive: Archive,
    decided: Sequence[tuple[Place, int]],
    candidates: Sequence[_Candidate],
    exemplars: Gallery,
    space: Space,
) -> SignHits:
    """Decided places first, then candidates that are none of them."""
    rows = [(place, label, _cosine_at(place, candidates)) for place, label in decided]
    rows += [
        (c.place, 0, c.cosine) for c in candidates if not any(_same(c.place, place) for place, _ in decided)
    ]  # fmt: skip
    places = [place for place, _, _ in rows]
    vectors = archive.vectors(places)
    own = (vectors @ exemplars.vectors.T).max(axis=1) if len(places) else np.zeros(0)
    cosines = [float(o) if given is None else given for (_, _, given), o in zip(rows, own, strict=True)]
    labels = np.array([label for _, label, _ in rows], np.int8)
    return SignHits("", places, labels, np.array(cosines, np.float64), space(vectors))


def _cosine_at(place: Place, candidates: Sequence[_Candidate]) -> float | None:
    return next((c.cosine for c in candidates if _same(c.place, place)), None)


def _kept(one: SignHits, most: int) -> list[Detection]:
    """Decided places, and the most probable others."""
    order = sorted(
        range(len(one.places)), key=lambda i: (-one.probabilities[i], one.places[i].video, one.places[i].start)
    )
    others = [i for i in order if one.labels[i] == 0]
    likely = [i for n, i in enumerate(others[:most]) if n < LEAST or one.probabilities[i] >= WORST]
    chosen = set(likely) | {i for i in order if one.labels[i] != 0}
    return [
        Detection(p.video, one.sign, p.start, p.end, float(one.probabilities[i]))
        for i in order
        if i in chosen and (p := one.places[i]).end > p.start
    ]


def open_orders(state: State, signs: Sequence[str]) -> dict[str, list[str]]:
    """Sign → hits that nobody decided on, surest first."""
    found: dict[str, list[Hit]] = {sign: [] for sign in signs}
    for hit in state.hits.values():
        if hit.sign in found and not hit.decided and state.current(hit):
            found[hit.sign].append(hit)
    return {
        sign: [h.id for h in sorted(hits, key=lambda h: (-(h.score or 0.0), h.video, h.start, h.id))]
        for sign, hits in found.items()
    }


def changes_of(before: Mapping[str, Sequence[str]], after: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """What a search changed in the orders of open hits, a row a sign: hits that are new, gone, moved.

    Args:
        before, after: see `open_orders`.
    """
    rows = []
    for sign, new in after.items():
        old = before.get(sign, ())
        place = {name: k for k, name in enumerate(old)}
        rows.append({
            "sign": sign, "new": [n for n in new if n not in place], "gone": [n for n in old if n not in set(new)],
            "moved": sum(1 for k, name in enumerate(new) if place.get(name, k) != k), "open": len(new),
        })  # fmt: skip
    return rows
