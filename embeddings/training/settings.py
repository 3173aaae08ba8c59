"""The settings of a training, as frozen dataclasses: what a recipe's tables hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Interval

from .checked import StrictTable
from .losses import Loss

__all__ = [
    "Augmentation", "Batch", "DataPart", "Filming", "MixturePart", "Optimiser", "Recipe", "RunPart", "Schedule",
]  # fmt: skip

Count = Annotated[int, Ge(1)]
CountOrZero = Annotated[int, Ge(0)]
NonNegative = Annotated[float, Ge(0)]
Positive = Annotated[float, Gt(0)]
Share = Annotated[float, Interval(ge=0, le=1)]


@dataclass(frozen=True)
class DataPart(StrictTable):
    """Which clips, and what is cut out of them.

    Attributes:
        source: default data (see `embeddings.training.sources.open_source`); "" must be given at the command.
        validate_on: a source for validation; it may show other signs, of which only one-shot accuracy is measured.
            "" takes the data's own split, else `validation`.
        validation: share of the clips for validation where the data has no split; 0 trains on everything.
        exclude: labels that are left out of training and validation.
        leaks: "refuse" a signer or a source video in training and validation; "signers" allows the signers (published
            splits that share them), "allow" both.
        material: "windows" cuts one window out of each clip, augmented clip by clip (`windows.WindowSet`); "stretches"
            keeps the prepared frames of all clips in one array and cuts windows around labelled signs, and windows of
            what lies between them (`stretches.StretchSet`); "filmed" does the same with performances of the procedural
            signer that are filmed anew for every batch (`filmed.FilmedSet`, and the table `Filming`); "frames" takes
            single frames (`frames.FrameSet`).
        cut: "clip" takes whole clips, "span" their labelled stretch where they have one. Of "windows".
        sampling: "even" spreads the window's frames over the cut; "contiguous" takes consecutive frames at a random
            place (the middle outside training), looped when short; "centre" takes every `stride`-th around the middle;
            "all" every frame there is, which needs batches of one clip. Of "windows".
        stride: of "centre" and "contiguous", in frames at the network's rate. Of "windows".
        jitter: standard deviation by which either end of a window moves in training, as a share of its length ("even"
            windows, "stretches" and "filmed"); of several values each window draws one.
        warp: of "even" windows: how unevenly time passes in training, standard deviation of the log speed.
        tempo: of "stretches" and "filmed": standard deviation of the log of how much faster or slower a window is
            played.
        context: of "stretches" and "filmed": frames around a window's middle that the network sees.
    """

    source: str = ""
    validate_on: str = ""
    validation: Annotated[float, Interval(ge=0, le=0.5)] = 0.2
    exclude: tuple[str, ...] = ()
    leaks: Literal["refuse", "signers", "allow"] = "refuse"
    material: Literal["windows", "stretches", "filmed", "frames"] = "windows"
    cut: Literal["clip", "span"] = "clip"
    sampling: Literal["even", "contiguous", "centre", "all"] = "even"
    stride: Count = 1
    jitter: NonNegative | tuple[NonNegative, ...] = 0.05
    warp: NonNegative = 0.0
    tempo: NonNegative = 0.0
    context: Count = 56


@dataclass(frozen=True)
class Filming(StrictTable):
    """How performances are filmed for a batch (`filming.film`); of "filmed" material. Pairs are the lowest and the
    highest value. Lengths of errors are shoulder widths.

    Attributes:
        yaw, pitch: how far the camera stands beside and above the signer at most; roll: standard deviation. Radians.
        distances: metres of the camera.
        slow: share of the windows filmed at fewer frames a second than 25; rates: how many, as shares of 25.
        shoulders: how far apart the landmarks of the shoulders are, as a share of the joints' distance.
        hand_size: standard deviation of the log.
        straightened: how much less than it is the last joint of a finger seems bent, drawn for each window: 0 as it
            is, 1 straight (landmark models do that).
        place: metres by which a signer's hands may be off their place, each by itself and both together.
        turn: radians by which a hand may be turned about its wrist.
        severities: how bad the estimator's errors are, drawn for each window.
        jitter, speed_jitter: errors of a still joint, and more of it per shoulder width a second.
        tremble: share of the jitter that is white, the rest drifts over about five frames.
        shaky: white errors of single hand joints, drawn for each window.
        misplaced: of the joints of the body, throughout a window.
        cropped: share of the windows with a lower edge, below which hands are not seen; edges: how far below the neck.
        never_seen: share of hands that the estimator misses in a whole window.
        dropped: share of the frames, of half the windows, that show no hand.
        mirror: share of the windows seen in a mirror (signers whose active hand was misjudged).
        loose: share of the windows around single signs that reach towards rest, as a clip that nobody trimmed does.
    """

    yaw: NonNegative = 0.5
    pitch: NonNegative = 0.2
    roll: NonNegative = 0.03
    distances: tuple[Positive, Positive] = (0.95, 4.0)
    slow: Share = 0.3
    rates: tuple[Positive, Positive] = (0.4, 1.0)
    shoulders: tuple[Positive, Positive] = (1.0, 1.0)
    hand_size: NonNegative = 0.1
    straightened: tuple[Share, Share] = (0.0, 0.0)
    place: NonNegative = 0.0
    turn: NonNegative = 0.0
    severities: tuple[NonNegative, ...] = (0.3, 0.7, 1.0, 1.5)
    jitter: NonNegative = 0.004
    speed_jitter: NonNegative = 0.004
    tremble: tuple[Share, Share] = (0.2, 0.8)
    shaky: tuple[NonNegative, ...] = (0.0, 0.01, 0.03)
    misplaced: NonNegative = 0.03
    cropped: Share = 0.3
    edges: tuple[NonNegative, NonNegative] = (0.9, 2.2)
    never_seen: Share = 0.0
    dropped: Share = 0.0
    mirror: Share = 0.05
    loose: Share = 0.0


@dataclass(frozen=True)
class MixturePart(StrictTable):
    """Further material whose clips are in every batch beside the recipe's own (`[mixture.NAME]`).

    Attributes:
        source: as `DataPart.source`; all of it is for training.
        classes, each, size, background: this part's share of a batch, as in `Batch`.
    """

    source: str = ""
    classes: Count = 12
    each: Count = 4
    size: Count = 32
    background: CountOrZero = 0


@dataclass(frozen=True)
class Augmentation(StrictTable):
    """What is changed at random in training.

    Attributes:
        kind: of clips: "mirror" (poses as they are or in a mirror: each is prepared once, so it costs nothing),
            "pose" (`augment_pose`), "spoter" (SPOTER's four), "frames" (crops and colour of pictures), "hands" (hand
            images); of prepared batches: "body-hands" (`sign-tcn`'s values), "joints" (`sl-gcn`'s); or "none".
        strength: scales "pose".
        probability: of "spoter": how often one of the four is drawn.
        noise: of "spoter": standard deviation of what is added to the normalised values, always.
        mirror: probability that a pose is seen in a mirror ("mirror", "pose", "spoter").
        scales: sides of the crops of "frames" as shares of the picture; the default is VTN's.
        flip: probability that "frames" are seen in a mirror.
    """

    kind: Literal["none", "mirror", "pose", "spoter", "frames", "hands", "body-hands", "joints"] = "none"
    strength: NonNegative = 1.0
    probability: Share = 0.5
    noise: NonNegative = 0.001
    mirror: Share = 0.0
    scales: tuple[Share, ...] = tuple(2.0 ** (-i / 4) for i in range(4))
    flip: Share = 0.5


@dataclass(frozen=True)
class Batch(StrictTable):
    """What makes up a batch.

    Attributes:
        sampler: "pk" (`classes` signs × `each` clips) or "shuffle" (`size` clips in random order, each once an epoch).
        background: windows between signs, of "stretches" ("pk" and "shuffle").
        neighbours: of "pk": half of a batch's signs are drawn each from so many signs that the classifier holds
            nearest to one of the other half, so that the network sees what it mixes up; 0 for none.
        neighbours_from: share of the training after which that begins.
        refresh: optimiser steps after which the neighbours are determined anew; more than 1 lets `workers` prepare
            batches ahead.
        accumulate: batches per optimiser step.
    """

    sampler: Literal["pk", "shuffle"] = "pk"
    classes: Count = 12
    each: Count = 4
    size: Count = 32
    background: CountOrZero = 0
    neighbours: CountOrZero = 0
    neighbours_from: Share = 0.25
    refresh: Count = 1
    accumulate: Count = 1

    def clips(self) -> int:
        """Labelled clips of one batch."""
        return self.classes * self.each if self.sampler == "pk" else self.size


@dataclass(frozen=True)
class Optimiser(StrictTable):
    """name: "sgd", "adam" or "adamw". clip: largest norm of the gradient, 0 for none. betas: of Adam."""

    name: Literal["sgd", "adam", "adamw"] = "adam"
    rate: NonNegative = 1e-3
    momentum: NonNegative = 0.9
    nesterov: bool = False
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: NonNegative = 0.0
    clip: NonNegative = 0.0


@dataclass(frozen=True)
class Schedule(StrictTable):
    """How long, and how the rate changes. One of `steps` and `epochs` is set, the other 0.

    Attributes:
        kind: "constant"; "step" (× `factor` every `every` epochs); "milestones" (× `factor` after each of `milestones`,
            in optimiser steps); "cosine" to zero at the end; "one-cycle" (Smith and
            Topin 2019, arXiv:1708.07120, as torch's OneCycleLR: the rate rises from 1/25 to `optimiser.rate` over the
            first 30 %, falls to 1/250000, and Adam's first beta or SGD's momentum moves from .95 to .85 and back).
        warmup: optimiser steps over which the rate rises linearly from zero.
        floor: added to a cosine's share of the rate, so that it does not end at zero.
        epoch: optimiser steps of an epoch; 0 counts them from the data.
        validate: optimiser steps between validations; 0 validates after each epoch.
        patience: validations without a better value before training stops; 0 never stops early.
        watch: which weights are kept: those with the best validation "loss" (lower), "top1" or "one-shot" (higher), or
            the "last" ones.
    """

    kind: Literal["constant", "step", "milestones", "cosine", "one-cycle"] = "constant"
    steps: CountOrZero = 0
    epochs: CountOrZero = 0
    warmup: CountOrZero = 0
    floor: NonNegative = 0.0
    every: Count = 5
    factor: NonNegative = 0.1
    milestones: tuple[Count, ...] = ()
    epoch: CountOrZero = 0
    validate: CountOrZero = 0
    patience: CountOrZero = 0
    watch: Literal["loss", "top1", "one-shot", "last"] = "loss"


@dataclass(frozen=True)
class RunPart(StrictTable):
    """Attributes:
    seed: of weights, batches and augmentation.
    precision: 32, "bf16" or "16" (mixed; the losses are computed in 32 bits).
    init: "random", "imagenet", a shipped encoder's name, or a checkpoint file.
    batch_norm: momentum of batch normalisation's running statistics, for trainings too short for the network's own;
        0 keeps that.
    half: the checkpoint's weights are written in 16 bits.
    """

    seed: CountOrZero = 0
    precision: Literal["32", "bf16", "16"] = "32"
    init: str = "random"
    batch_norm: Share = 0.0
    half: bool = False


@dataclass(frozen=True)
class Recipe:
    """A training; `embeddings.training.recipes` reads it.

    Attributes:
        network: a key of `embeddings.encoders.ENCODERS`, "depth" or "locations".
        config: goes to the network's config class, without `classes`.
        loss: terms of `embeddings.training.losses.LOSSES`.
    """

    name: str
    network: str
    about: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    data: DataPart = DataPart()
    filming: Filming = Filming()
    mixture: Mapping[str, MixturePart] = field(default_factory=dict)
    augmentation: Augmentation = Augmentation()
    batch: Batch = Batch()
    optimiser: Optimiser = Optimiser()
    schedule: Schedule = Schedule()
    loss: Mapping[str, Loss] = field(default_factory=dict)
    run: RunPart = RunPart()

    def as_dict(self) -> dict[str, Any]:
        """Plain data, as JSON and TOML hold it."""
        return asdict(self)

    def shares(self) -> list[Batch | MixturePart]:
        """What the recipe's own material and each part of its mixture have in a batch."""
        return [self.batch, *self.mixture.values()]

    def classifies(self) -> bool:
        """Whether the network itself gets a classifier: its cross-entropy counts."""
        return "cross_entropy" in self.loss and self.loss["cross_entropy"].weight > 0
