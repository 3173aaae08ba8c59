"""Small procedural worlds that the tests of the pipeline share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from embeddings.clip import Clip
from embeddings.encoders import load_encoder
from embeddings.encoders.base import Encoder
from embeddings.synthetic import SignWorld
from gallery import Gallery
from spotter import enroll

__all__ = ["SmallWorld", "rows", "small_world", "truth"]


@dataclass(frozen=True, eq=False)
class SmallWorld:
    """A world, its gallery, and two continuous clips by other signers before other cameras.

    `queries[0]` holds signs 0 to 4, `queries[1]` signs 0, 5 and 6; sign 7 is nowhere.
    """

    world: SignWorld
    encoder: Encoder
    exemplars: list[Clip]
    gallery: Gallery
    queries: list[Clip]


@lru_cache(maxsize=2)
def small_world(encoder: str = "default") -> SmallWorld:
    world = SignWorld(41, 8, minimal_pairs=0.0)
    network = load_encoder(encoder)
    exemplars = [world.clip(sign) for sign in world.signs]
    queries = [said(world, [0, 1, 2, 3, 4, 1], 1), said(world, [5, 0, 6, 5], 2)]
    return SmallWorld(world, network, exemplars, enroll(exemplars, encoder=network), queries)


def said(world: SignWorld, signs: Sequence[int], signer: int, **settings: float) -> Clip:
    """Continuous signing by one signer before that signer's camera."""
    clip = world.continuous([world.signs[i] for i in signs], signer, signer, **settings)  # type: ignore[arg-type]
    return replace(clip, name=f"query-{signer}")


def truth(clips: Sequence[Clip]) -> dict[str, list[tuple[str, float, float]]]:
    return {c.name: [(s.label, s.start / c.fps, s.end / c.fps) for s in c.spans] for c in clips}


def rows(results: Sequence) -> dict[str, list[tuple[str, float, float, float]]]:
    return {r.video: [(d.sign, d.start, d.end, d.score) for d in r.detections] for r in results}
