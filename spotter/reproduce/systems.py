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
    small = ("config.layers=2", "config.inner=64", "schedule.epochs=0", "schedule.steps=60", "schedule.validate=60")
    return [
        ("data", "ipn", str(place.data), "-o", place.file("data"), "--media", str(place.data / "videos")),
        place.train("class-query-ipn", source, "class-query", small),
        ("classify", source, "--split", "test", "-m", model, "-o", place.file("test.csv"), *place.poses),
        ("explain", _first(place.data / "videos"), "-m", model, "-o", place.file("weights"), *place.poses),
    ]


def _first(folder: Path) -> str:
    """A recording of a folder."""
    return str(min((path for path in folder.glob("*") if path.is_file()), default=folder / "VIDEO"))


def _uwb(place: Place) -> list[Command]:
    data, file = place.data, place.file
    videos = tuple(str(data / split) for split in ("train", "val", "test"))
    labels, hands = file("data/labels.csv"), file("hands.h5")
    steps: list[Command] = [
        ("data", "autsl", str(data), "-o", file("data"), "--media", str(data)),
        ("convert", "lists", file("data/manifest.csv"), "--media", str(data), "-o", file("data")),
        ("phonology", "hands", *videos, "-o", hands, "--signers", file("data/signers.csv"), *place.poses),
        ("phonology", "clusters", file("data/train.csv"), "-o", file("clusters.h5"), "--signers",
         file("data/signers.csv"), *(("--least", "2", "--join", "2") if place.small else ()), *place.poses),
        place.train("handshape-uwb", place.source(f"clusters:{file('clusters.h5')}", hands=hands), "shapes",
                    (*IMAGES, "batch.size=8")),
        ("phonology", "vle", "predict", hands, "-m", file("shapes/best.safetensors"), "-o", file("vle.h5")),
        ("phonology", "vle", "semantic", *videos, "--vle", file("vle.h5"), "-o", file("semantic.h5"), *place.poses),
        ("phonology", "keyframes", *videos, "-o", file("keyframes.h5"), *place.poses),
        ("phonology", "crops", *videos, "-o", file("crops.h5"), *place.poses),
        ("phonology", "crops", *videos, "-o", file("masked.h5"), "--masked", *place.poses),
    ]  # fmt: skip
    crops, masked = file("crops.h5"), file("masked.h5")
    # 1182: two hands of 15 places and the 576 values of the small network
    thin = ("config.width=32", "config.layers=1", "config.inner=32", *TRAINING)
    short = ("config.values=1182", *thin)
    deep = ("config.blocks=[1,1,1,1]", "config.base=8", "config.size=48", "batch.size=4", "batch.accumulate=1",
            *TRAINING)  # fmt: skip
    models = {
        "vle": ("vle-transformer-autsl", place.source(file("semantic.h5"), labels=labels), short),
        "vle-small": ("vle-transformer-small-autsl", place.source(file("semantic.h5"), labels=labels), short),
        "vle-small-no-position": (
            "vle-transformer-small-no-position-autsl", place.source(file("semantic.h5"), labels=labels), short,
        ),
        "pose": ("pose-transformer-autsl", place.source(file("poses"), labels=labels), thin),
        "i3d-crops": ("i3d-resnet50-autsl", place.source(crops, labels=labels), deep),
        "i3d-masked": ("i3d-resnet50-autsl", place.source(masked, labels=labels), deep),
        "i3d-keyframes": (
            "i3d-resnet50-autsl", place.source(crops, labels=labels, keyframes=file("keyframes.h5")), deep,
        ),
    }  # fmt: skip
    for name, (recipe, source, small) in models.items():
        steps.append(place.train(recipe, source, name, small))
        for split in ("validation", "test"):
            steps.append(("classify", source, "--split", split, "-m", file(f"{name}/best.safetensors"), "-o",
                          file(f"{split}/{name}-labels.csv"), "--scores", file(f"{split}/{name}.csv")))  # fmt: skip
    scores = {split: tuple(file(f"{split}/{name}.csv") for name in models) for split in ("validation", "test")}
    both, ensemble = file("test/ensemble-labels.csv"), file("ensemble.json")
    return [
        *steps,
        ("ensemble", "fit", *scores["validation"], "--labels", file("data/validation.csv"), "-o", ensemble),
        ("ensemble", "predict", ensemble, *scores["test"], "-o", file("test/ensemble.csv"), "--labels", both),
        ("eval", "isolated", labels, both, "--split", "test"),
    ]


def _oslwl(place: Place) -> list[Command]:
    """The 2D network and I3D, as the published sum of their distances; one known sign in each search clip."""
    data, file = place.data, place.file
    gcn, i3d = file("sl-gcn/best.safetensors"), file("i3d/best.safetensors")
    found, known = file("predictions.pkl"), file("search/manifest.csv")
    once = ("batch.classes=4", "batch.each=2")
    widths = ("config.widths=[16,16,16,16]", "config.head_units=2", "config.part_dim=16", "config.groups=8",
              "schedule.milestones=[20,30]", "optimiser.rate=0.02", "schedule.steps=40", *once)  # fmt: skip
    thin = ("config.width=0.125", "config.size=48", "schedule.steps=12", *once)
    steps: list[Command] = [
        ("data", "oslwl", str(data / "search"), "-o", file("search")),
        place.train("sl-gcn-oslwl", str(data / "train"), "sl-gcn", widths),
        place.train("i3d-oslwl", str(data / "train"), "i3d", thin),
    ]
    for model, gallery in ((gcn, "gallery-sl-gcn"), (i3d, "gallery-i3d")):
        steps.append(("enroll", str(data / "queries"), "-o", file(gallery), "-e", model, "--spans",
                      str(data / "trims.csv"), *place.poses))  # fmt: skip
    return [
        *steps,
        ("spot", str(data / "search"), "-g", file("gallery-sl-gcn"), "-g", file("gallery-i3d"), "-e", gcn, "-e", i3d,
         "--preset", "oslwl-2022", "--known", known, "-o", found, *place.poses),
        ("eval", "spotting", "--official", str(data / "search_GT.pkl"), found),
    ]  # fmt: skip


SYSTEMS: dict[str, System] = {
    "uwb": System(
        "UWB (Hrúz et al., Sensors 2022): seven of its seventeen models on AUTSL; together 95.56 % of the list "
        "that their weights were fitted to",
        "autsl", ("train_labels.csv", "train", "val", "test"), _uwb,
    ),
    "vtn-pf": System(
        "VTN-PF (De Coster et al., CVPR Workshops 2021): AUTSL, 92.92 % of the test set", "autsl",
        ("train_labels.csv", "train", "val", "test"), _vtn_pf,
    ),
    "oslwl": System(
        "The OSLWL entry of the 2022 sign spotting challenge, without its 3D network: F1 0.559295 with it", "oslwl",
        ("train", "queries", "search", "trims.csv", "search_GT.pkl"), _oslwl,
    ),
    "spoter-ipn": System(
        "SPOTER with a class query and learned input weights: IPN Hand, 86.56 ± 2 %", "ipn",
        ("Annot_TrainList.txt", "Annot_TestList.txt", "videos"), _spoter_ipn,
    ),
}  # fmt: skip
