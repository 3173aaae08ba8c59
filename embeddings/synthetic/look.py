"""`Look`: what a rendered signer looks like; nothing here changes a pose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Look", "random_look"]

Color = tuple[int, int, int]

SKINS: tuple[Color, ...] = (
    (255, 224, 196), (241, 194, 160), (224, 172, 135), (198, 134, 96), (161, 102, 66), (119, 74, 46), (92, 58, 40),
)  # fmt: skip
"""From light to dark, RGB."""
HAIRS: tuple[Color, ...] = ((38, 26, 20), (74, 47, 30), (120, 82, 48), (168, 130, 82), (96, 92, 90), (24, 22, 26))
CLOTHES: tuple[Color, ...] = ((36, 48, 84), (40, 40, 44), (28, 78, 70), (96, 28, 44), (62, 44, 96), (228, 230, 232))
WALLS: tuple[Color, ...] = ((206, 212, 216), (176, 196, 188), (188, 184, 206), (120, 136, 150), (222, 214, 200))


@dataclass(frozen=True)
class Look:
    """Colours (RGB), light and camera grain.

    Attributes:
        skin, hair, clothes, wall, iris: RGB.
        sleeve: share of the forearm that the sleeve covers, in [0, 1].
        light: where the light comes from: x right, y down, z towards the viewer; any length.
        grain: standard deviation of the picture's noise in grey levels.
    """

    skin: Color = SKINS[1]
    hair: Color = HAIRS[1]
    clothes: Color = CLOTHES[0]
    wall: Color = WALLS[0]
    iris: Color = (70, 50, 34)
    sleeve: float = 0.15
    light: tuple[float, float, float] = (-0.35, -0.55, 0.75)
    grain: float = 1.5


def random_look(rng: np.random.Generator) -> Look:
    """A plausible look whose clothes stand out from the skin, as signers dress."""
    skin = SKINS[int(rng.integers(len(SKINS)))]
    clothes = [c for c in CLOTHES if abs(sum(c) - sum(skin)) > 200]
    walls = [w for w in WALLS if abs(sum(w) - sum(skin)) > 60]
    return Look(
        skin=skin,
        hair=HAIRS[int(rng.integers(len(HAIRS)))],
        clothes=clothes[int(rng.integers(len(clothes)))],
        wall=walls[int(rng.integers(len(walls)))],
        sleeve=float(rng.uniform(0.0, 0.7)),
        light=(float(rng.uniform(-0.6, 0.6)), float(rng.uniform(-0.8, -0.3)), float(rng.uniform(0.6, 1.0))),
        grain=float(rng.uniform(0.5, 3.0)),
    )
