"""`SignWorld`: a vocabulary, signers and cameras that follow from one seed, and clips of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..clip import Clip, Span
from .draws import Draws
from .filming.camera import Camera, random_camera
from .filming.noise import NO_NOISE, Noise, random_noise
from .lexicon import minimal_pair, random_sign
from .parameters import PARAMETERS, Sign
from .signing.figure import Figure
from .signing.perform import Performance, Truth, perform
from .signing.score import Timing
from .signing.signer import CANONICAL, Signer, random_signer

__all__ = ["SignWorld"]

CONTINUOUS = Timing(rest=(0.3, 0.9), hold=(0.03, 0.12), reach=0.15, per_metre=0.5, hurry=1.4)
"""Signs in a sentence are shorter than in a dictionary."""


class SignWorld:
    """A procedural sign language.

    Everything follows from the seed, bit for bit, on any machine (see `draws`): the signs, signer `i`, camera `i`, and
    each `take` of a clip.

    Args:
        seed: of everything.
        signs: size of the vocabulary.
        minimal_pairs: share of the signs that differ from an earlier one in exactly one parameter.
    """

    def __init__(self, seed: int, signs: int = 50, minimal_pairs: float = 0.2) -> None:
        if signs < 1:
            raise ValueError(f"a world of {signs} signs; expected at least 1")
        self.seed = seed
        rng = self._rng("signs")
        made: list[Sign] = []
        for i in range(signs):
            label = f"sign-{i:0{max(3, len(str(signs - 1)))}d}"
            if made and rng.random() < minimal_pairs:
                made.append(_some_pair(made[rng.integers(len(made))], rng, label))
            else:
                made.append(random_sign(rng, label))
        self.signs: tuple[Sign, ...] = tuple(made)
        self._by_label = {sign.label: sign for sign in self.signs}

    def __len__(self) -> int:
        return len(self.signs)

    def sign(self, which: Sign | str | int) -> Sign:
        """A sign by label or number; a `Sign` (also of another world) is passed through.

        Raises:
            KeyError: no such label.
        """
        if isinstance(which, Sign):
            return which
        if isinstance(which, str):
            if which not in self._by_label:
                raise KeyError(
                    f"no sign {which!r} in this world; it has {self.signs[0].label} … {self.signs[-1].label}"
                )
            return self._by_label[which]
        return self.signs[which]

    def signer(self, i: int) -> Signer:
        """Signer 0 is right-handed, of standard build and careful; the others vary."""
        name = f"signer-{i}"
        return replace(CANONICAL, name=name) if i == 0 else random_signer(self._rng("signer", i), name)

    def camera(self, i: int) -> Camera:
        """Camera 0 is frontal; the others vary."""
        return Camera() if i == 0 else random_camera(self._rng("camera", i))

    def perform(
        self,
        signs: Sign | str | int | Sequence[Sign | str | int | None],
        signer: Signer | int = 0,
        fps: float = 25.0,
        take: int = 0,
        timing: Timing | None = None,
        counted: Sequence[bool] | None = None,
    ) -> Performance:
        """The figure in 3D with spans and truth, from rest to rest.

        Args:
            signs: one sign (in isolation) or several (continuously; None is a pause with the hands down).
            take: another number is another repetition of the same.
            counted: which of several signs get a span; default all.
        """
        listed = [signs] if isinstance(signs, Sign | str | int) else signs
        chosen = [None if s is None else self.sign(s) for s in listed]
        who = self.signer(signer) if isinstance(signer, int) else signer
        rng = self._rng("perform", who.name, take, *("" if s is None else s.label for s in chosen))
        if timing is None:
            timing = Timing() if len(chosen) == 1 else CONTINUOUS
        return perform(chosen, who, rng, fps, timing, counted)

    def figure(
        self, signs: Sign | str | int | Sequence[Sign | str | int | None], signer: Signer | int = 0, fps: float = 25.0,
        take: int = 0,
    ) -> tuple[Figure, tuple[Span, ...], Truth]:  # fmt: skip
        """The body, the spans and the truth of `perform`."""
        performance = self.perform(signs, signer, fps, take)
        return performance.figure, performance.spans, performance.truth

    def clip(
        self,
        sign: Sign | str | int,
        signer: Signer | int = 0,
        camera: Camera | int = 0,
        noise: Noise | None = None,
        skeleton: str = "mediapipe-holistic",
        fps: float = 25.0,
        take: int = 0,
        rotations: bool = False,
    ) -> Clip:
        """One sign in isolation, from rest to rest, with one span: hands in place to before the retraction.

        Args:
            noise: errors of an estimator; None gives exact keypoints.
            rotations: also ``extra["rotations"]`` (T, 39, 3), axis-angle in the order of "smplx-39".
        """
        performance = self.perform(sign, signer, fps, take)
        clip = self._film(performance, camera, noise, skeleton, rotations, f"take-{take}")
        label = self.sign(sign).label
        return replace(clip, name=f"{label}-{performance.signer.name}-{take}", label=label)

    def continuous(
        self,
        signs: Sequence[Sign | str | int],
        signer: Signer | int = 0,
        camera: Camera | int = 0,
        noise: Noise | None = None,
        skeleton: str = "mediapipe-holistic",
        fps: float = 25.0,
        take: int = 0,
        fillers: float = 0.0,
        pauses: float = 0.0,
        rotations: bool = False,
    ) -> Clip:
        """Signs in a row with co-articulation; `spans` are exact.

        Args:
            fillers: mean number of signs of another vocabulary before each sign and at the end, without spans.
            pauses: probability that the hands go down after a sign.
        """
        performance = self.sentence(signs, signer, fps, take, fillers, pauses)
        clip = self._film(performance, camera, noise, skeleton, rotations, f"take-{take}")
        return replace(clip, name=f"continuous-{performance.signer.name}-{take}")

    def sentence(
        self, signs: Sequence[Sign | str | int], signer: Signer | int = 0, fps: float = 25.0, take: int = 0,
        fillers: float = 0.0, pauses: float = 0.0,
    ) -> Performance:  # fmt: skip
        """What `continuous` films, in 3D."""
        mixed, counted = self._fill([self.sign(s) for s in signs], fillers, pauses, take)
        return self.perform(mixed, signer, fps, take, CONTINUOUS, counted)

    def samples(
        self,
        seed: int = 0,
        signs: Sequence[Sign | str | int] | None = None,
        skeleton: str = "mediapipe-holistic",
        fps: float = 25.0,
        severity: float | None = 1.0,
        left_handed: float = 0.12,
    ) -> Iterator[Clip]:
        """Endless isolated clips for training: random sign, new signer, camera and estimator each time.

        Args:
            signs: which to draw from; default all.
            severity: scale of the estimator's errors; None gives exact keypoints.
            left_handed: share of left-handed signers.
        """
        chosen = self.signs if signs is None else tuple(self.sign(s) for s in signs)
        rng = self._rng("samples", seed)
        take = 0
        while True:
            sign = chosen[rng.integers(len(chosen))]
            who = random_signer(rng, f"signer-s{seed}-{take}", left_handed)
            noise = None if severity is None else random_noise(rng, severity)
            yield self.clip(sign, who, random_camera(rng), noise, skeleton, fps, take)
            take += 1

    def _film(
        self, performance: Performance, camera: Camera | int, noise: Noise | None, skeleton: str, rotations: bool,
        purpose: str,
    ) -> Clip:  # fmt: skip
        view = self.camera(camera) if isinstance(camera, int) else camera
        pose = view.project(performance.figure, skeleton)
        who = performance.signer.name
        if noise is not None and noise is not NO_NOISE:
            words = [span.label for span in performance.spans]
            pose = noise.apply(pose, self._rng("noise", who, repr(view), purpose, *words))
        extra: dict[str, NDArray[np.generic]] = {}
        if rotations:
            from .filming.rotations import smplx_rotations

            extra["rotations"] = smplx_rotations(performance)
        return Clip(who, performance.figure.fps, pose, signer=who, spans=performance.spans, extra=extra)

    def _fill(
        self, signs: Sequence[Sign], fillers: float, pauses: float, take: int
    ) -> tuple[list[Sign | None], list[bool]]:
        rng = self._rng("fill", take, *(s.label for s in signs))
        mixed: list[Sign | None] = []
        counted: list[bool] = []
        for i, sign in enumerate([*signs, None]):
            for k in range(rng.poisson(fillers)):
                mixed.append(random_sign(rng, f"filler-{take}-{i}-{k}"))
                counted.append(False)
            if sign is not None:
                mixed.append(sign)
                counted.append(True)
                if rng.random() < pauses:
                    mixed.append(None)
                    counted.append(False)
        return mixed, counted

    def _rng(self, *key: object) -> Draws:
        return Draws(self.seed, *key)


def _some_pair(sign: Sign, rng: Draws, label: str) -> Sign:
    """A minimal pair in whichever parameter allows one."""
    for parameter in rng.permutation(PARAMETERS):
        try:
            return minimal_pair(sign, parameter, rng, label)
        except RuntimeError:
            continue
    return random_sign(rng, label)
