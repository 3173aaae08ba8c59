"""SPOTER's published variants under names of their own; each is `Spoter` with another default config.

See `spoter.py`: "spoter-no-position" drops the added vector, "encoder-only" has a true positional encoding, no decoder
and a mean over time, "class-query" learns a weight per input value, "weights-both-sides" weighs the decoder's input
too and averages over time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .spoter import Spoter, SpoterConfig

__all__ = ["ClassQuery", "EncoderOnly", "SpoterNoPosition", "WeightsBothSides"]


@dataclass(frozen=True)
class NoPositionConfig(SpoterConfig):
    position: Literal["vector", "sinusoidal", "none"] = "none"


@dataclass(frozen=True)
class EncoderOnlyConfig(SpoterConfig):
    position: Literal["vector", "sinusoidal", "none"] = "sinusoidal"
    readout: Literal["query", "mean"] = "mean"
    decoder: bool = False


@dataclass(frozen=True)
class ClassQueryConfig(SpoterConfig):
    position: Literal["vector", "sinusoidal", "none"] = "none"
    weights: Literal["none", "input", "both"] = "input"


@dataclass(frozen=True)
class WeightsBothSidesConfig(SpoterConfig):
    position: Literal["vector", "sinusoidal", "none"] = "none"
    readout: Literal["query", "mean"] = "mean"
    weights: Literal["none", "input", "both"] = "both"


class SpoterNoPosition(Spoter):
    name = "spoter-no-position"

    def __init__(self, config: NoPositionConfig | None = None) -> None:
        super().__init__(NoPositionConfig() if config is None else config)


class EncoderOnly(Spoter):
    name = "encoder-only"

    def __init__(self, config: EncoderOnlyConfig | None = None) -> None:
        super().__init__(EncoderOnlyConfig() if config is None else config)


class ClassQuery(Spoter):
    name = "class-query"

    def __init__(self, config: ClassQueryConfig | None = None) -> None:
        super().__init__(ClassQueryConfig() if config is None else config)


class WeightsBothSides(Spoter):
    name = "weights-both-sides"

    def __init__(self, config: WeightsBothSidesConfig | None = None) -> None:
        super().__init__(WeightsBothSidesConfig() if config is None else config)
