"""`Ensemble`: encoders that search together, each with its gallery and its weight; as a file, `ensemble.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safe_files import write_text

from .calibration import FusedCalibration
from .weights import checked_weights

if TYPE_CHECKING:
    from collections.abc import Callable

    from embeddings.encoders.base import Encoder
    from gallery import Gallery

__all__ = ["FILE", "Ensemble", "Member", "ensemble_file", "write_ensemble"]

FILE = "ensemble.toml"


@dataclass(frozen=True, eq=False)
class Member:
    """One encoder of an ensemble.

    Attributes:
        gallery: exemplars made with it; a sign that it lacks is searched by the other members.
        encoder: name, checkpoint file, folder of a training, or an encoder already loaded.
        weight: of its similarity beside the others', at least 0. Fitted weights (`Ensemble.calibration`) replace it.
    """

    gallery: Gallery
    encoder: str | Encoder
    weight: float = 1.0


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Encoders that search together.

    Attributes:
        members: the first one's judge, if it has one, finds the candidates that the others are asked about.
        normalise: each similarity is compared with chance (`spotter.fusion.tracks`); False adds plain cosines, as the
            published entries do.
        calibration: fitted weights that make scores probabilities (`spotter calibrate`).

    Raises:
        ValueError: no member, bad weights, or a calibration of other encoders.
    """

    members: tuple[Member, ...]
    normalise: bool = True
    calibration: FusedCalibration | None = None

    def __post_init__(self) -> None:
        if not self.members:
            raise ValueError("an ensemble without members; give at least one encoder with its gallery")
        checked_weights(len(self.members), [member.weight for member in self.members])

    @property
    def labels(self) -> tuple[str, ...]:
        """The signs that any member has an exemplar of."""
        return tuple(dict.fromkeys(label for member in self.members for label in member.gallery.labels))

    def loaded(self, load: Callable[[str], Encoder] | None = None) -> Ensemble:
        """The same with its encoders loaded, and checked against their galleries.

        Raises:
            ValueError: a gallery is empty or was made with another encoder, or the calibration is of others.
        """
        from embeddings.encoders import load_encoder

        load = load_encoder if load is None else load
        members = tuple(
            replace(m, encoder=load(m.encoder)) if isinstance(m.encoder, str) else m for m in self.members
        )  # fmt: skip
        ids = []
        for member in members:
            assert not isinstance(member.encoder, str)
            if len(member.gallery) == 0:
                raise ValueError("the gallery is empty; enrol an exemplar first")
            ids.append(member.encoder.id or member.encoder.name)
            member.gallery.check_encoder(ids[-1])
        if self.calibration is not None and self.calibration.encoders != tuple(ids):
            raise ValueError(
                f"the calibration is of {', '.join(self.calibration.encoders)}, not of {', '.join(ids)}; "
                "fit it again: spotter calibrate"
            )
        return replace(self, members=members)

    def only(self, labels: Sequence[str]) -> Ensemble:
        """The same for some of the signs; members that have none of them are left out.

        Raises:
            ValueError: no member has an exemplar of a label.
        """
        unknown = [label for label in labels if label not in self.labels]
        if unknown:
            raise ValueError(f"the galleries have no exemplar of {', '.join(unknown)}")
        parts = []
        for member in self.members:
            own = [label for label in labels if label in member.gallery]
            parts.append(replace(member, gallery=member.gallery.only(own)))
        return replace(self, members=tuple(parts))

    @classmethod
    def load(cls, path: str | Path) -> Ensemble:
        """From `ensemble.toml`, or the folder that holds one; encoders are loaded when they are used.

        Raises:
            ValueError: missing, damaged, or a gallery that cannot be read.
        """
        from gallery import Gallery

        file = ensemble_file(path)
        try:
            table = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ValueError(f"{file}: not a readable ensemble ({error})") from None
        _check_keys(file, "", table, ("member", "normalise", "calibration"))
        members = []
        for row in table.get("member", []):
            _check_keys(file, "member.", row, ("encoder", "gallery", "weight"))
            if not {"encoder", "gallery"} <= row.keys():
                raise ValueError(f"{file}: a member needs an encoder and a gallery; found {', '.join(row)}")
            weight = row.get("weight", 1.0)
            if isinstance(weight, bool) or not isinstance(weight, int | float):
                raise ValueError(f"{file}: weight is {weight!r}; expected a number")
            members.append(Member(Gallery.load(file.parent / row["gallery"]), _encoder(file, row), float(weight)))
        calibration = table.get("calibration")
        if not isinstance(table.get("normalise", True), bool):
            raise ValueError(f"{file}: normalise is {table['normalise']!r}; expected true or false")
        fitted = None if calibration is None else FusedCalibration.load(file.parent / calibration)
        return cls(tuple(members), table.get("normalise", True), fitted)


def ensemble_file(path: str | Path) -> Path:
    """`ensemble.toml` itself, or in the folder that is named."""
    return Path(path) / FILE if Path(path).is_dir() else Path(path)


def _encoder(file: Path, row: Mapping[str, Any]) -> str:
    """The encoder's name, or its file beside the ensemble's."""
    from embeddings.encoders import SHIPPED

    named = str(row["encoder"])
    if named.removesuffix(":dense") in (*SHIPPED, "pose-cosine"):  # a gallery's folder may have that name
        return named
    beside = file.parent / named
    return str(beside) if beside.exists() else named


def _check_keys(file: Path, where: str, row: Any, known: Sequence[str]) -> None:
    if not isinstance(row, Mapping):
        raise ValueError(f"{file}: {where.rstrip('.') or 'it'} is {row!r}; expected a table")
    unknown = [key for key in row if key not in known]
    if unknown:
        raise ValueError(f"{file}: {where}{unknown[0]} is not known; expected {', '.join(known)}")


def write_ensemble(
    path: str | Path, members: Sequence[tuple[str, str, float]], normalise: bool = True, calibration: str | None = None
) -> Path:
    """Writes `ensemble.toml`, whole or not at all.

    Args:
        members: (encoder, gallery's folder, weight) of each; paths are relative to the file.
        calibration: file of fitted weights beside it.
    """
    import json

    lines = ["# Encoders that search together; spotter spot -g takes this file or its folder.", ""]
    lines += [f"normalise = {str(normalise).lower()}"]
    lines += [f"calibration = {json.dumps(calibration, ensure_ascii=False)}"] if calibration is not None else []
    for encoder, gallery, weight in members:
        texts = (json.dumps(text, ensure_ascii=False) for text in (encoder, gallery))
        lines += ["", "[[member]]", "encoder = {}\ngallery = {}".format(*texts), f"weight = {float(weight)}"]
    path = Path(path)
    write_text(path, "\n".join(lines) + "\n")
    return path
