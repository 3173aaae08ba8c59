"""`Puppet`: all quads of one look, with their colours, and where their vertices are for given joints."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from ..draws import Draws
from ..signing.figure import figure_index
from ..signing.perform import perform
from ..signing.signer import CANONICAL
from .body import SLEEVES, body_tubes
from .hand import hand_skin, pose_hand
from .head import face_patches, hair_mesh, head_mesh, on_head
from .look import Look
from .surface import outward

__all__ = ["Puppet"]

Array = NDArray[np.floating]


FINE, COARSE = (0.0036, 0.0060, 0.0085), (0.0048, 0.0078, 0.0110)
"""Sizes (m) of the quads of hand, head and hair."""


@dataclass(frozen=True, eq=False)
class Patches:
    """Polygons painted on the face: rows of their vertices, three of these rows each (P, 3), colours (P, 3) and the
    metres (P,) by which they are painted before what lies where they are."""

    rows: list[NDArray[np.int_]]
    triangle: NDArray[np.int_]
    colour: Array
    lift: Array


class Puppet:
    """A person to be painted.

    Args:
        fine: smaller quads, for pictures of more than about 600 px per metre.

    Attributes:
        quads: (Q, 4) indices of vertices; the first quads are skin, hair and clothes, which are lit.
        colour: (Q, 3) sRGB in [0, 1].
        lift: (Q,) metres by which a quad is painted before what lies where it is.
        gloss: (Q,) how much of the light mirrors.
        patches: the painted polygons of the face.
    """

    def __init__(self, look: Look, fine: bool = True) -> None:
        self.look, self.fine = look, fine
        hand_cell, head_cell, hair_cell = FINE if fine else COARSE
        self.hand = hand_skin(hand_cell)
        self.head, self.hair = head_mesh(look.hair_style, head_cell), hair_mesh(look.hair_style, hair_cell)
        self._patches = face_patches()
        self.face_points = np.concatenate([p.points for p in self._patches])
        sample = _rest_pose()[None]
        tubes = body_tubes(sample, SLEEVES[look.sleeve], look.neckline, fine)
        placed = self._place(sample)
        parts = [self.hand.mesh.quads, self.hand.mesh.quads, self.head.quads, self.hair.quads, tubes.quads]
        first = np.cumsum([0, *(p.shape[1] for p in placed)])
        turned = [outward(p[0], q) for p, q in zip(placed, parts, strict=False)]
        self.quads = np.concatenate([q + f for q, f in zip(turned, first, strict=False)]).astype(np.int32)
        self.colour, self.gloss = self._colours(tubes.stuff)
        self.lift = np.zeros(len(self.quads))
        self.lift[-len(tubes.quads) :] = 0.03 * (tubes.stuff == "collar") - 0.03 * (tubes.stuff == "neck")
        self.patches = self._paints(int(first[len(parts)]))
        rows = self.quads.ravel()
        columns = np.repeat(np.arange(len(self.quads)), 4)
        self.gather = csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(int(first[len(parts)]), len(self.quads)))

    def vertices(self, xyz: Array) -> Array:
        """World positions (N, V, 3) of all vertices for joints (N, 64, 3)."""
        return np.concatenate(self._place(xyz), axis=1)

    def _place(self, xyz: Array) -> list[Array]:
        hands = []
        for side in ("left", "right"):
            first = figure_index(f"{side}_hand_wrist")
            elbow = xyz[:, figure_index(f"{side}_elbow")]
            hands.append(pose_hand(self.hand, xyz[:, first : first + 21], elbow, mirrored=side == "right"))
        tubes = body_tubes(xyz, SLEEVES[self.look.sleeve], self.look.neckline, self.fine)
        return [*hands, on_head(self.head.vertices, xyz), on_head(self.hair.vertices, xyz), tubes.vertices,
                on_head(self.face_points, xyz)]  # fmt: skip

    def _colours(self, stuff: NDArray[np.str_]) -> tuple[Array, Array]:
        look, rng = self.look, Draws("cloth", self.look.seed)
        skin = np.array(look.skin) / 255
        hand = skin * self.hand.tint
        head = skin * _blush(self.head.centres)
        hair = np.array(look.hair) / 255 * rng.uniform(0.93, 1.07, (len(self.hair.quads), 1))
        body = np.empty((len(stuff), 3))
        for name, colour in (
            ("skin", skin),
            ("collar", skin),
            ("neck", skin),
            ("cloth", look.clothes),
            ("legs", look.trousers),
        ):
            body[stuff == name] = colour if colour is skin else np.array(colour) / 255
        rough = rng.normal(0, 0.012 * look.texture, (len(stuff), 1))
        body *= 1 + rough * np.isin(stuff, ("cloth", "legs"))[:, None]
        gloss = [np.full(len(hand) * 2, 0.10), np.full(len(head), 0.09), np.full(len(hair), 0.12),
                 np.where(~np.isin(stuff, ("cloth", "legs")), 0.08, 0.01)]  # fmt: skip
        return np.concatenate([hand, hand, head, hair, body]), np.concatenate(gloss)

    def _paints(self, first: int) -> Patches:
        look = self.look
        skin, hair = np.array(look.skin) / 255, np.array(look.hair) / 255
        lip = skin * np.array([0.90, 0.66, 0.66])
        paint = {"lash": hair * 0.45 + skin * 0.12, "white": np.array([0.93, 0.92, 0.90]),
                 "iris": np.array(look.iris) / 255, "pupil": np.full(3, 0.05), "glint": np.ones(3),
                 "brow": hair * 0.75 + skin * 0.15, "nostril": skin * 0.35, "upper lip": lip * 0.92,
                 "lower lip": lip * 1.04, "gap": lip * 0.4}  # fmt: skip
        starts = first + np.cumsum([0, *(len(p.points) for p in self._patches)])
        # Three corners a third of the way round from each other tell a polygon's plane.
        triangle = [
            [s, s + len(p.points) // 3, s + 2 * len(p.points) // 3] for s, p in zip(starts, self._patches, strict=False)
        ]
        return Patches(
            [np.arange(s, s + len(p.points)) for s, p in zip(starts, self._patches, strict=False)],
            np.array(triangle),
            np.array([paint[p.stuff] for p in self._patches]),
            np.array([p.lift for p in self._patches]),
        )


def _blush(centre: Array) -> Array:
    """Factors (Q, 3): redder cheeks, nose and ears, darker eye sockets."""
    tint = np.ones((len(centre), 3))
    x = np.abs(centre[:, 0])
    warm = np.exp(-(((x - 0.042) / 0.02) ** 2) - ((centre[:, 1] - 0.168) / 0.018) ** 2) + np.clip(
        (x - 0.074) / 0.01, 0, 1
    )
    warm += np.exp(-((x / 0.012) ** 2) - ((centre[:, 1] - 0.168) / 0.012) ** 2)
    tint *= 1 + np.clip(warm, 0, 1)[:, None] * np.array([0.02, -0.08, -0.07])
    eye = np.exp(-(((x - 0.033) / 0.02) ** 2) - ((centre[:, 1] - 0.210) / 0.011) ** 2) * (centre[:, 2] > 0.05)
    return tint * (1 - 0.20 * eye[:, None])


def _rest_pose() -> Array:
    """(64, 3) joints of the standard signer standing still."""
    return perform([None], CANONICAL, Draws(0)).figure.xyz[0].astype(np.float64)
