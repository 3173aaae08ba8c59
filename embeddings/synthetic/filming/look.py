"""`Look`: what a rendered signer, the room and the recording look like."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..draws import Draws

__all__ = ["SKIN_TONES", "Look", "random_look"]

Colour = tuple[int, int, int]

SKIN_TONES: tuple[Colour, ...] = (
    (244, 208, 182), (236, 192, 160), (224, 176, 142), (208, 158, 122), (190, 138, 102), (168, 114, 80),
    (138, 92, 64), (108, 70, 50),
)  # fmt: skip
"""From light to dark, sRGB in good light; after the range of the Monk skin tone scale."""

_CLOTHES: tuple[Colour, ...] = (
    (28, 30, 38), (24, 38, 74), (20, 66, 64), (34, 76, 44), (66, 30, 84), (56, 62, 70), (40, 84, 128), (96, 20, 40),
)  # fmt: skip
_PALE_CLOTHES: tuple[Colour, ...] = ((224, 228, 232), (150, 186, 214), (168, 200, 176), (206, 198, 222))
_HAIR: tuple[Colour, ...] = ((26, 22, 20), (48, 32, 24), (84, 56, 36), (128, 92, 56), (186, 152, 104), (150, 148, 146))
_ROOMS: tuple[Colour, ...] = (
    (198, 206, 212), (120, 150, 176), (72, 110, 96), (176, 190, 170), (92, 98, 108), (222, 222, 218), (60, 92, 140),
)  # fmt: skip
_IRIS: tuple[Colour, ...] = ((66, 42, 26), (88, 60, 34), (70, 104, 132), (82, 108, 78))


@dataclass(frozen=True)
class Look:
    """Colours are sRGB, 0 to 255.

    Attributes:
        skin, hair, clothes, trousers, iris: colours.
        hair_style: one of `render_head.HAIR_STYLES`.
        sleeve: one of `render_body.SLEEVES`.
        neckline: metres by which the collar reaches below the neck.
        background: colour of the wall's middle.
        light: direction to the main light (x to the signer's left, y up, z forward), of any length.
        ambient: share of light from all sides, in [0, 1].
        gain: brightness of the recording; 1 is well exposed.
        noise: standard deviation of the sensor's noise, in grey levels.
        blur: standard deviation of the lens's blur, in pixels of the frame.
        texture: strength of the irregularity of cloth and wall, 0 to 1.
        seed: of noise and texture.
    """

    skin: Colour = SKIN_TONES[1]
    hair: Colour = _HAIR[1]
    clothes: Colour = _CLOTHES[1]
    trousers: Colour = (44, 46, 58)
    iris: Colour = _IRIS[1]
    hair_style: str = "short"
    sleeve: str = "long"
    neckline: float = 0.03
    background: Colour = _ROOMS[0]
    light: tuple[float, float, float] = (0.45, 0.6, 1.0)
    ambient: float = 0.5
    gain: float = 1.0
    noise: float = 2.0
    blur: float = 0.5
    texture: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        from .body import SLEEVES
        from .head import HAIR_STYLES

        if self.hair_style not in HAIR_STYLES:
            raise ValueError(f"hair style {self.hair_style!r} is not known; expected one of {', '.join(HAIR_STYLES)}")
        if self.sleeve not in SLEEVES:
            raise ValueError(f"sleeve {self.sleeve!r} is not known; expected one of {', '.join(SLEEVES)}")
        if not 0 <= self.ambient <= 1:
            raise ValueError(f"ambient light is {self.ambient}; expected a share between 0 and 1")
        if min(self.noise, self.blur, self.texture) < 0 or not self.gain > 0:
            raise ValueError("noise, blur and texture must not be negative, gain must be positive")


def random_look(rng: Draws) -> Look:
    """A plausible person in a plausible room; clothes and wall differ from the skin, as signers are asked to dress."""

    def one(colours: tuple[Colour, ...]) -> Colour:
        picked = np.array(rng.choice(colours)) + rng.normal(0, 6, 3)
        red, green, blue = (int(c) for c in np.clip(picked, 4, 250))
        return red, green, blue

    skin = one(SKIN_TONES)
    light_skin = sum(skin) > 390
    clothes = one(_CLOTHES if light_skin or rng.random() < 0.3 else _PALE_CLOTHES)
    return Look(
        skin=skin,
        hair=one(_HAIR if light_skin else _HAIR[:3]),
        clothes=clothes,
        trousers=one(_CLOTHES[:3]),
        iris=one(_IRIS if light_skin else _IRIS[:2]),
        hair_style=rng.choice(["short", "bob", "long", "tied"]),
        sleeve=rng.choice(["short", "three-quarter", "long"], p=[0.3, 0.2, 0.5]),
        neckline=rng.uniform(0.01, 0.07),
        background=_apart(one, skin),
        light=(rng.uniform(-0.9, 0.9), rng.uniform(0.2, 1.0), 1.0),
        ambient=rng.uniform(0.4, 0.65),
        gain=rng.uniform(0.88, 1.08),
        noise=rng.uniform(0.5, 4.0),
        blur=rng.uniform(0.3, 0.7),
        texture=rng.uniform(0.2, 0.9),
        seed=rng.integers(2**31),
    )


def _apart(one: Callable[[tuple[Colour, ...]], Colour], skin: Colour) -> Colour:
    """A wall whose colour is not the skin's."""
    while True:
        wall = one(_ROOMS)
        if np.abs(np.subtract(wall, skin)).sum() > 110:
            return wall
