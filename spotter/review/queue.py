"""Which hits to look at: the order that teaches most, random samples, and what these say about the rest."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..project.matching import SAME_PLACE, overlap
from ..project.sampling import LAYERS, Estimate, Layer, draw_sample, estimate, layer_of, precision_of
from ..project.state import Hit, State

if TYPE_CHECKING:
    from .desk import Desk

__all__ = ["ask_for", "estimates", "sample_of"]

EACH = 10
"""Hits of each layer in a random sample."""


def _open_hits(state: State, sign: str) -> list[Hit]:
    found = [h for h in state.hits.values() if h.sign == sign and h.status in ("new", "unsure") and state.current(h)]
    return sorted(found, key=lambda h: (-(h.score or 0.0), h.video, h.start, h.id))


async def ask_for(desk: Desk, sign: str) -> dict[str, Any]:
    """Names of a sign's undecided hits, the ones that teach most first; the rest by their probability."""
    places = await desk.remembered(("ask", sign, desk.state.last), "ask", sign=sign, until=desk.state.last)
    with desk.lock:
        waiting = {h.id: h for h in _open_hits(desk.state, sign)}
    ordered = []
    for video, start, end in places:
        for name, hit in waiting.items():
            if hit.video == video and overlap((hit.start, hit.end), (start, end)) >= SAME_PLACE:
                ordered.append(name)
                del waiting[name]
                break
    return {"sign": sign, "hits": [*ordered, *waiting]}


def sample_of(desk: Desk, body: Mapping[str, Any]) -> dict[str, Any]:
    """Draws a random sample of a sign's undecided hits, or gives the one that is not finished; a line of the log."""
    sign = str(body["sign"])
    with desk.lock:
        desk.refresh()
        last = _last_sample(desk.state, sign)
        if last is None or not _waiting(desk.state, last):
            waiting = _open_hits(desk.state, sign)
            if not waiting:
                raise ValueError(f"{sign}: no undecided hits to draw from")
            last = _drawn(desk, sign, waiting, str(body.get("who") or ""), str(body.get("client") or ""))
        return {"name": last["name"], "hits": _waiting(desk.state, last), "drawn": sum(map(len, last["drawn"]))}


def _drawn(desk: Desk, sign: str, waiting: list[Hit], who: str, client: str) -> Mapping[str, Any]:
    seed = desk.state.last
    probabilities = np.array([h.score or 0.0 for h in waiting])
    layers = layer_of(probabilities)
    drawn = draw_sample(probabilities, EACH, seed)
    detail = {
        "name": f"sample-{uuid.uuid4().hex[:8]}", "sign": sign, "seed": seed,
        "search": desk.state.newest.get(sign, ""),
        "layers": [[waiting[i].id for i in np.flatnonzero(layers == k)] for k in range(len(LAYERS))],
        "drawn": [[waiting[i].id for i in drawn[k]] for k in range(len(LAYERS))],
    }  # fmt: skip
    row = {"token": uuid.uuid4().hex, "action": "sample", "hit": "", "base": desk.state.last, "detail": detail}
    answer = desk.write(who or desk.project.annotator, client, [row])
    if answer["refused"]:
        raise ValueError(answer["refused"][0]["why"])
    return detail


def _last_sample(state: State, sign: str) -> Mapping[str, Any] | None:
    own = [s for s in state.samples.values() if s["sign"] == sign]
    return own[-1] if own else None


def _waiting(state: State, sample: Mapping[str, Any]) -> list[str]:
    """Drawn hits that nobody judged, in an order that does not tell their layer."""
    names = [name for layer in sample["drawn"] for name in layer if not _judged(state, name)]
    return sorted(names, key=lambda name: uuid.uuid5(uuid.NAMESPACE_OID, f"{sample['name']}{name}").hex)


def _judged(state: State, name: str) -> bool:
    hit = state.hits.get(name)
    return hit is not None and hit.decided


def estimates(desk: Desk, sign: str) -> dict[str, Any]:
    """What the last random sample says: how many of the undecided hits are true, and the share that is found.

    `precision` is of the surest layer, as a person would use the list without looking; None before a sample was judged.
    """
    with desk.lock:
        state = desk.state
        sample = _last_sample(state, sign)
        accepted = sum(1 for h in state.hits.values() if h.sign == sign and h.status == "accepted")
        if sample is None:
            return {"sign": sign, "sample": None, "accepted": accepted}
        layers, judged_all = [], 0
        for k, (names, drawn) in enumerate(zip(sample["layers"], sample["drawn"], strict=True)):
            judged = [n for n in drawn if _judged(state, n)]
            true = sum(1 for n in judged if state.hits[n].status == "accepted" and state.hits[n].sign == sign)
            rest = sum(1 for n in names if n not in judged and not _judged(state, n))
            layers.append(Layer(f"{LAYERS[k]}", rest + len(judged), len(judged), true))
            judged_all += len(judged)
        stale = sample.get("search") != state.newest.get(sign, "")
    found = estimate(layers, accepted, seed=0)
    surest = precision_of(layers[0].true, layers[0].judged)
    return {
        "sign": sign, "accepted": accepted, "stale": stale,
        "sample": {"name": sample["name"], "drawn": sum(map(len, sample["drawn"])), "judged": judged_all},
        "missed": _plain(found["missed"]), "recall": _plain(found["recall"]),
        "precision": _plain(surest) if layers[0].judged else None,
    }  # fmt: skip


def _plain(one: Estimate) -> list[float]:
    return [one.value, one.low, one.high]
