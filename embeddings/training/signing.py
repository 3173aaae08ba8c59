"""Clips of the procedural signer as training data: isolated signs, and utterances of several signs."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ..clip import Clip
from .items import Item

if TYPE_CHECKING:
    from ..synthetic import Camera, Noise, Performance, Sign, Signer, SignWorld

__all__ = ["isolated_signs", "utterances"]

SEVERITIES = 0.3, 0.7, 1.0, 1.5
"""How bad the estimator's errors are, drawn for each clip."""
FRAME_RATES = {25.0: 0.7, 15.0: 0.15, 30.0: 0.15}
"""Frames a second → share of the utterances filmed so and resampled, as real recordings are."""
LEFT_HANDED = 0.12
"""Share of left-handed signers."""
PAUSES = 0.05
"""Share of the signs in an utterance after which the hands go down."""


def isolated_signs(
    seed: int, signs: int = 40, signers: tuple[int, int] = (0, 39), takes: int = 1, severity: float = 1.0,
    only: tuple[int, int] | None = None, rotations: bool = False, side: int = 0,
) -> list[Item]:  # fmt: skip
    """Every signer performs every sign of a `SignWorld` by itself.

    Args:
        signers: first and last.
        severity: of the estimator's errors; 0 for exact poses.
        only: first and last of the signs that are performed.
        rotations: also joint rotations, for 3D networks.
        side: the longer side in pixels of rendered frames; 0 renders none.
    """
    from ..synthetic import SignWorld

    world = SignWorld(seed, signs)
    performed = world.signs if only is None else world.signs[only[0] : only[1] + 1]
    return [
        Item(
            f"{sign.label}~signer-{seed}-{who}~{take}", sign.label,
            partial(_isolated, world, sign, who, take, severity, rotations, side), f"signer-{seed}-{who}",
        )
        for who in range(signers[0], signers[1] + 1) for sign in performed for take in range(takes)
    ]  # fmt: skip


def _isolated(
    world: SignWorld, sign: Sign, who: int, take: int, severity: float, rotations: bool, side: int
) -> Clip:  # fmt: skip
    """One sign by one signer; the camera and the estimator's errors follow from signer, sign and take."""
    from ..synthetic import Draws, random_camera, random_noise

    rng = Draws("film", world.seed, who, world.signs.index(sign), take)
    camera = random_camera(rng)
    noise = random_noise(rng, severity * float(rng.choice(SEVERITIES))) if severity else None
    if side:
        shrink = side / max(camera.size)
        size = (round(camera.size[0] * shrink), round(camera.size[1] * shrink))
        camera = replace(camera, focal=camera.focal * shrink, size=size)
    clip: Clip = world.clip(sign, who, camera, noise, take=take, rotations=rotations)
    if side:
        from ..synthetic import random_look
        from ..synthetic.filming.render import render_frames

        figure = world.figure(sign, who, take=take)[0]
        clip = replace(clip, frames=np.stack(list(render_frames(figure, random_look(rng), camera))))
    return clip


def utterances(seed: int, signs: int, count: int, length: int = 6, isolated: float = 0.25) -> list[Item]:
    """Utterances of random signs, each by its own signer, camera and estimator; some are single signs.

    Every sign turns up equally often (within one). Signs of different seeds have different names.

    Args:
        length: signs of an utterance; isolated: share of those with a single sign.
    """
    from ..synthetic import Draws, SignWorld, random_camera, random_noise, random_signer

    world = SignWorld(seed, signs)
    rng = Draws("procedural clips", seed)
    deck: list[int] = []
    items = []
    for take in range(count):
        size = 1 if rng.random() < isolated else length
        while len(deck) < size:
            deck += rng.permutation(signs)
        own_signs, deck = [world.signs[i] for i in deck[:size]], deck[size:]
        signer = random_signer(rng, f"signer-{seed}-{take}", LEFT_HANDED)
        noise = random_noise(rng, float(rng.choice(SEVERITIES)))
        fps = float(rng.choice(list(FRAME_RATES), p=list(FRAME_RATES.values())))
        load = partial(_utterance, world, own_signs, signer, random_camera(rng), noise, fps, take)
        names = tuple(_name(seed, sign.label) for sign in own_signs)
        figure = partial(_performance, world, own_signs, signer, take)
        items.append(Item(f"utterance-{seed}-{take}", "", load, signer.name, signs=names, perform=figure))
    return items


def _utterance(
    world: SignWorld, signs: list[Sign], signer: Signer, camera: Camera, noise: Noise, fps: float, take: int
) -> Clip:
    if len(signs) == 1:
        clip = world.clip(signs[0], signer, camera, noise, fps=fps, take=take)
    else:
        clip = world.continuous(signs, signer, camera, noise, fps=fps, take=take, pauses=PAUSES)
    return replace(clip, spans=tuple(span._replace(label=_name(world.seed, span.label)) for span in clip.spans))


def _performance(world: SignWorld, signs: list[Sign], signer: Signer, take: int) -> Performance:
    """What `_utterance` films, at 25 frames a second."""
    alone = len(signs) == 1
    made = (
        world.perform(signs[0], signer, take=take) if alone else world.sentence(signs, signer, take=take, pauses=PAUSES)
    )
    return replace(made, spans=tuple(span._replace(label=_name(world.seed, span.label)) for span in made.spans))


def _name(seed: int, label: str) -> str:
    return f"{seed}/{label}"
