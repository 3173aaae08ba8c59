"""A procedural signer: signs built from phonology, performed in 3D, filmed, with exact ground truth.

>>> from embeddings.synthetic import SignWorld
>>> world = SignWorld(seed=7, signs=12)
>>> clip = world.clip("sign-003", signer=1, camera=2)   # Clip with pose, label and one span
>>> talk = world.continuous(["sign-001", "sign-003"], signer=2, fillers=1.5)
>>> world.perform(3, signer=1).truth.location           # what is so in every frame
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from .draws import Draws
from .filming.camera import Camera, random_camera
from .filming.noise import NO_NOISE, Noise, random_noise
from .handshapes import HANDSHAPES, Handshape, random_handshape
from .lexicon import minimal_pair, random_sign
from .parameters import (
    ARRANGEMENTS,
    DIRECTIONS,
    LOCATIONS,
    MOVEMENT_KINDS,
    PARAMETERS,
    Movement,
    Posture,
    Sign,
    differences,
)
from .signing.figure import FIGURE_JOINTS, Figure, figure_index
from .signing.perform import Performance, Truth, perform
from .signing.score import Timing
from .signing.signer import CANONICAL, Signer, random_signer
from .world import SignWorld

__all__ = [
    "ARRANGEMENTS", "CANONICAL", "DIRECTIONS", "FIGURE_JOINTS", "HANDSHAPES", "LOCATIONS",
    "MOVEMENT_KINDS", "NO_NOISE", "PARAMETERS", "Camera", "Draws", "Figure", "Handshape", "Movement", "Noise",
    "Performance", "Posture", "Sign", "SignWorld", "Signer", "Timing", "Truth", "differences", "figure_index",
    "minimal_pair", "perform", "random_camera", "random_handshape", "random_noise", "random_sign", "random_signer",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """`Look` and `random_look` are loaded when asked for: drawing needs OpenCV, posing does not.

    The renderer itself is `embeddings.synthetic.filming.render.render`.
    """
    if name in ("Look", "random_look"):
        return getattr(import_module(".filming.look", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
