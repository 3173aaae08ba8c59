"""The commands of each published system: data set → manifest → training → prediction → score.

Every command goes on where it stopped, so all of them are simply given again. On the published data the recipes are
the published ones; on a miniature `Place.small` makes networks and trainings tiny.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

__all__ = ["SYSTEMS", "Command", "Place", "System"]

Command = tuple[str, ...]
"""A command line of `spotter`, without the program's name."""


@dataclass(frozen=True)
class Place:
    """Where a reproduction reads and writes.

    Attributes:
        data: the data set in its published layout.
        folder: for all that is written.
        small: whether networks and trainings are made tiny.
        extra: further changes of every recipe (`--set`).
    """

    data: Path
    folder: Path
    small: bool = False
    extra: tuple[str, ...] = ()

    def file(self, name: str) -> str:
        return str(self.folder / name)

    @property
    def poses(self) -> Command:
        return ("--poses", self.file("poses"))

    def train(self, recipe: str, data: str, output: str, small: Sequence[str], *options: str) -> Command:
        """`spotter train`; `small` are the changes of a tiny training."""
        changes = [*(small if self.small else ()), *self.extra]
        sets = [word for change in changes for word in ("--set", change)]
        return ("train", recipe, "--data", data, "-o", self.file(output), *options, *self.poses, *sets)

    def source(self, path: str, **options: str) -> str:
        """A source of training data with options, quoted."""
        given = "&".join(f"{name}={quote(value, safe='/:')}" for name, value in options.items())
        return f"{path}?{given}" if given else path


@dataclass(frozen=True)
class System:
    """A published system.

    Attributes:
        about: who, what, and the published figure.
        data: its data set, a key of `MINIATURES`.
        needs: files and folders that the data set must have.
        commands: from annotation to score.
    """

    about: str
    data: str
    needs: tuple[str, ...]
    commands: Callable[[Place], list[Command]]


TRAINING = ("schedule.epochs=0", "schedule.steps=30", "schedule.validate=15", "run.init=random")
IMAGES = ("config.backbone=mobilenet_v3_small", "config.size=48", *TRAINING)


def _vtn_pf(place: Place) -> list[Command]:
    manifest, model = place.file("data/manifest.csv"), place.file("vtn-pf/best.safetensors")
    source = place.source(manifest, media=str(place.data))
    small = (*IMAGES, "config.layers=1", "config.window=8", "batch.accumulate=1")
    return [
        ("data", "autsl", str(place.data), "-o", place.file("data"), "--media", str(place.data)),
        place.train("vtn-pf-autsl", source, "vtn-pf", small),
        ("classify", source, "--split", "test", "-m", model, "-o", place.file("test.csv"), *place.poses),
        ("eval", "isolated", manifest, place.file("test.csv"), "--split", "test", "--model", model),
    ]


def _spoter_ipn(place: Place) -> list[Command]:
    manifest, model = place.file("data/manifest.csv"), place.file("class-query/best.safetensors")
    source = place.source(manifest, media=str(place.data / "videos"))
    small = ("config.layers=2", "config.inner=64", "schedule.epochs=0", "schedule.steps=200", "schedule.validate=50")
    return [
        ("data", "ipn", str(place.data), "-o", place.file("data"), "--media", str(place.data / "videos")),
        place.train("class-query-ipn", source, "class-query", small),
        ("classify", source, "--split", "test", "-m", model, "-o", place.file("test.csv"), *place.poses),
        ("eval", "isolated", manifest, place.file("test.csv"), "--split", "test", "--model", model),
    ]


SYSTEMS: dict[str, System] = {
    "vtn-pf": System(
        "VTN-PF (De Coster et al., CVPR Workshops 2021): AUTSL, 92.92 % of the test set", "autsl",
        ("train_labels.csv", "train", "val", "test"), _vtn_pf,
    ),
    "spoter-ipn": System(
        "SPOTER with a class query and learned input weights: IPN Hand, 86.56 ± 2 %", "ipn",
        ("Annot_TrainList.txt", "Annot_TestList.txt", "videos"), _spoter_ipn,
    ),
}  # fmt: skip
