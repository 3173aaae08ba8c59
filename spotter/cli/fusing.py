"""Several encoders on the command line: `-e` and `-g` repeated, an `ensemble.toml`, or a published search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from embeddings.recordings import PoseSource, Recording
    from gallery import Gallery

    from ..fusion.ensemble import Ensemble
    from ..fusion.published import PublishedSearch
    from ..fusion.search import EnsembleSearch
    from ..fusion.sources import JointSource
    from ..search.options import SpottingOptions
    from .options import Computing

__all__ = [
    "Encoders", "Galleries", "Preset", "Searched", "Weights", "chosen_search", "named_galleries", "write_ensemble_of",
]  # fmt: skip

Encoders = Annotated[
    list[str],
    typer.Option(
        "--encoder",
        "-e",
        help="A shipped encoder's name, a checkpoint file, or the folder of a training; may be repeated.",
    ),
]

Galleries = Annotated[
    list[Path],
    typer.Option(
        "--gallery",
        "-g",
        help="Folder of the gallery: one for each --encoder, in order; or an ensemble's folder, which names both.",
        show_default=False,
    ),
]

Weights = Annotated[
    list[float] | None,
    typer.Option("--weight", min=0, help="Of each --encoder, in their order (default: 1, or as fitted)."),
]

Preset = Annotated[
    Literal["oslwl-2022"] | None,
    typer.Option(
        "--preset",
        help="A published search as it is: oslwl-2022, the sign spotting challenge's entry of three networks.",
        show_default=False,
    ),
]


@dataclass(frozen=True, eq=False)
class Searched:
    """What a command searches, and with what.

    Attributes:
        ensemble: the encoders with their galleries.
        sources: the videos, each with a recording for every encoder.
        preset: a published search, or None.
        weights: as given by the user, or None.
    """

    ensemble: Ensemble
    sources: tuple[JointSource, ...]
    preset: str | None
    weights: Sequence[float] | None

    @property
    def recordings(self) -> list[Recording]:
        """One for each video: that of the first encoder that has one."""
        return [source.first for source in self.sources]

    @property
    def needs(self) -> list[str]:
        """What the encoders look at."""
        inputs = [m.encoder.required_inputs for m in self.ensemble.members]  # type: ignore[union-attr]
        return list(dict.fromkeys(name for one in inputs for name in one))

    @property
    def shown_gallery(self) -> Gallery:
        """The first encoder's exemplars, for the report."""
        return self.ensemble.members[0].gallery

    def values(self) -> dict[str, Any]:
        """What results depend on beside a video's first recording, for a run that goes on where it stopped."""
        from embeddings.pose.files import source_stamp

        from ..runs.record import gallery_hash

        members = [(gallery_hash(m.gallery), m.encoder.id, m.weight) for m in self.ensemble.members]  # type: ignore[union-attr]
        calibration = self.ensemble.calibration
        others = {
            one.name: [source_stamp(s.path, None) for s in one.sources if s is not None and s != one.first]
            for one in self.sources
        }
        return {
            "members": members, "normalise": self.ensemble.normalise, "preset": self.preset, "weights": self.weights,
            "calibration": None if calibration is None else asdict(calibration), "others": others,
        }  # fmt: skip

    def search(
        self, options: SpottingOptions, source: PoseSource, known: Mapping[str, str] | None, tracks: bool
    ) -> EnsembleSearch | PublishedSearch:
        """The search, ready for videos."""
        from ..fusion.published import PublishedSearch, known_by_name, with_published_weights
        from ..fusion.search import EnsembleSearch

        by_name = {one.name: one for one in self.sources}
        if self.preset is None:
            return EnsembleSearch(self.ensemble, options, source, known, tracks, by_name)
        ensemble = with_published_weights(self.ensemble) if self.weights is None else self.ensemble
        return PublishedSearch(ensemble, known if known else known_by_name(by_name), source, by_name)


def chosen_search(
    videos: Sequence[Path], galleries: Sequence[Path], encoders: Sequence[str], weights: Sequence[float] | None,
    preset: str | None, computing: Computing, signs: Sequence[str] | None, root: Path | None = None,
) -> Searched | None:  # fmt: skip
    """What several encoders search; None where one encoder with its gallery is named.

    Raises:
        ValueError: not one gallery for each encoder, not one weight for each, or an ensemble named beside encoders.
    """
    from gallery import Gallery

    from ..fusion.ensemble import Ensemble, Member, ensemble_file
    from ..fusion.sources import joint_sources

    file = ensemble_file(galleries[0])
    if len(galleries) == 1 and file.suffix == ".toml" and file.is_file():
        if list(encoders) != ["default"]:
            raise ValueError(f"{galleries[0]} names its encoders; leave out --encoder")
        ensemble = Ensemble.load(file)
    elif len(galleries) == len(encoders) == 1 and preset is None:
        if weights:
            raise ValueError("--weight is for several encoders; one is given")
        return None
    else:
        if len(galleries) != len(encoders):
            raise ValueError(
                f"{len(encoders)} encoders and {len(galleries)} galleries are given; expected a --gallery for each "
                "--encoder, in the same order"
            )
        read: list[Gallery] = [Gallery.load(folder) for folder in galleries]
        ensemble = Ensemble(tuple(Member(g, e) for g, e in zip(read, encoders, strict=True)))
    if weights:
        ensemble = _weighed(ensemble, weights)
    if signs:
        ensemble = ensemble.only(signs)
    loaded = ensemble.loaded(computing.encoder)
    needs = [member.encoder.required_inputs for member in loaded.members]  # type: ignore[union-attr]
    return Searched(loaded, tuple(joint_sources(videos, needs, root)), preset, weights if weights else None)


def _weighed(ensemble: Ensemble, weights: Sequence[float]) -> Ensemble:
    """The ensemble with the user's weights, in place of fitted ones."""
    if len(weights) != len(ensemble.members):
        raise ValueError(f"{len(weights)} weights for {len(ensemble.members)} encoders; expected one each")
    members = tuple(replace(m, weight=w) for m, w in zip(ensemble.members, weights, strict=True))
    return replace(ensemble, members=members, calibration=None)


def named_galleries(encoders: Sequence[str]) -> dict[str, str]:
    """Folder's name → encoder, of several encoders that are enrolled together.

    Raises:
        ValueError: one is named twice.
    """
    twice = sorted({one for one in encoders if list(encoders).count(one) > 1})
    if twice:
        raise ValueError(f"--encoder {twice[0]} is given twice; name each encoder once")
    places: dict[str, str] = {}
    for which in encoders:
        stem = Path(which).stem if Path(which).exists() else which.replace(":", "-")
        taken = sum(1 for name in places if name == stem or name.rpartition("~")[0] == stem)
        places[f"{stem}~{taken + 1}" if taken else stem] = which
    return places


def write_ensemble_of(folder: Path, places: Mapping[str, str]) -> Path:
    """Writes `ensemble.toml` for galleries inside a folder; encoders that are files are named by their whole path.

    Args:
        places: folder's name → encoder; those without a gallery are left out.
    """
    from embeddings.encoders import SHIPPED

    from ..fusion.ensemble import FILE, write_ensemble

    members = [
        (
            which if which in (*SHIPPED, "pose-cosine") or not Path(which).exists() else str(Path(which).resolve()),
            name,
            1.0,
        )
        for name, which in places.items()
        if (folder / name / "gallery.json").is_file()
    ]
    return write_ensemble(folder / FILE, members)
