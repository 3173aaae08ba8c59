"""Arguments and options that several commands share."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from .console import progress_bar

if TYPE_CHECKING:
    from embeddings.encoders.base import Encoder
    from embeddings.recordings import PoseSource

__all__ = ["COMPUTING", "READING", "Computing", "Group", "Poses", "computes", "reads_recordings", "takes"]


class Estimator(StrEnum):
    holistic = "holistic"
    mediapipe = "mediapipe"
    mmpose = "mmpose"
    rtmlib = "rtmlib"


class HandNetwork(StrEnum):
    full = "full"
    lite = "lite"


class PoseFormat(StrEnum):
    pose = "pose"
    h5 = "h5"


class TimeUnit(StrEnum):
    s = "s"
    ms = "ms"
    frames = "frames"


NumberType = Literal["float32", "bfloat16", "float16"]

RECORDINGS = "Videos, pose files, folders of images or of OpenPose JSON, … (docs/inputs.md), or folders of them."

Videos = Annotated[list[Path], typer.Argument(help=RECORDINGS, show_default=False)]

Clips = Annotated[
    list[Path],
    typer.Argument(
        help="Clips of single signs (the file name up to ~ is the gloss), folders of them, folders of folders "
        "(the folder's name is the gloss), a CSV with file,label[,start,end], or annotations of videos: .eaf, "
        "detections, decisions, a project's folder.",
        show_default=False,
    ),
]

PartOption = Annotated[
    str | None,
    typer.Option(
        "--part",
        metavar="I/N",
        help="Only part I of N of the recordings, as jobs of an array take them: 3/8.",
        show_default=False,
    ),
]

JsonFlag = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]

EncoderName = Annotated[
    str,
    typer.Option("--encoder", "-e", help="A shipped encoder's name, a checkpoint file, or the folder of a training."),
]

NamesFrom = Annotated[
    Path | None,
    typer.Option(
        "--root",
        help="Folder from which recordings are named by their path (default: by file name, with folders only where "
        "two are called alike).",
        show_default=False,
    ),
]

Workers = Annotated[int, typer.Option("--workers", "-j", min=0, help="Processes (0: one per core).")]

EstimatorName = Annotated[Estimator, typer.Option(help="Pose estimator for videos.")]

WhichPerson = Annotated[
    str | None,
    typer.Option(
        "--person",
        help="Whom to follow where several are seen: largest, nearest-centre, left, right, or a number from the left.",
        show_default=False,
    ),
]

Rate = Annotated[
    float,
    typer.Option(
        "--fps",
        min=0.1,
        help="Frames per second of recordings that do not say (images, OpenPose, FrankMocap), and of times in frames.",
    ),
]

TruthUnit = Annotated[
    TimeUnit | None,
    typer.Option("--unit", help="Unit of the ground truth's times, if its file does not state it.", show_default=False),
]

PredictionsUnit = Annotated[
    TimeUnit | None, typer.Option(help="The same for the detections' times.", show_default=False)
]

FrameRate = Annotated[
    float | None, typer.Option("--fps", help="Frames per second, where times are frames.", show_default=False)
]

Tiers = Annotated[
    list[str] | None,
    typer.Option("--tier", help="Of ELAN files: only this tier; may be repeated.", show_default=False),
]


PredictionsTiers = Annotated[
    list[str] | None,
    typer.Option("--predictions-tier", help="The same for the detections' ELAN files.", show_default=False),
]


def stated_rate(context: typer.Context) -> float | None:
    """The frame rate of `Rate` where the user gave it: for times in frames no rate is the usual one."""
    source = context.get_parameter_source("fps")
    return None if source is None or source.name == "DEFAULT" else context.params["fps"]


@dataclass(frozen=True)
class Poses:
    """How a command comes by poses: its --poses, --estimator, --workers, --fps and --person."""

    folder: Path | None = None
    estimator: Estimator = Estimator.holistic
    workers: int = 0
    fps: float = 25.0
    person: str | None = None

    def source(self, recordings: Iterable[Any] = (), needs: Sequence[str] = ()) -> PoseSource:
        """For the reader of recordings. Where an encoder needs poses, those of several videos are estimated now.

        That is done in parallel, into the folder or the cache; into a temporary folder where there is neither.
        """
        from embeddings.recordings import Recording, parts_needed

        source = self.unprepared()
        films = [r for r in recordings if isinstance(r, Recording) and r.filmed and "pose" in parts_needed(needs)]
        films = [r for r in films if r.pose_file is None]
        if len(films) < 2:
            return source
        source = source if source.keeps else replace(source, folder=temporary_folder())
        with progress_bar() as bar:
            task = bar.add_task("poses", total=len(films))
            # what fails here is reported by the step that needs it
            for _ in source.estimated([r.path for r in films], workers=self.workers):
                bar.advance(task)
        return source

    def unprepared(self) -> PoseSource:
        """For those who have poses estimated themselves."""
        from embeddings.recordings import PoseSource

        settings = {} if self.person is None else {"person": self.person}
        return PoseSource(self.estimator.value, self.folder, settings, self.fps)


POSE_OPTIONS: dict[str, Any] = {
    "folder": Annotated[
        Path | None,
        typer.Option(
            "--poses", help="Folder where estimated poses are kept and found again (default: the cache, spotter cache)."
        ),
    ],
    "estimator": EstimatorName,
    "workers": Workers,
    "fps": Rate,
    "person": WhichPerson,
}


@dataclass(frozen=True)
class Group:
    """Options of the command line that make one object: the same one that Python's functions take.

    Attributes:
        make: its class; what is not given on the command line is left to the class's own default.
        options: field of the class → type and `typer.Option`.
    """

    make: type
    options: Mapping[str, Any]

    def default(self, name: str) -> Any:
        """Of a field, as the class states it."""
        field = next(field for field in fields(self.make) if field.name == name)
        return field.default if field.default is not MISSING else field.default_factory()  # type: ignore[operator]


def takes(**groups: Group) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Gives a command the options of groups, each as the argument of that name; an option that it has itself stays."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(command, eval_str=True)
        own = [p for name, p in signature.parameters.items() if name not in groups]
        added = {
            argument: {n: kind for n, kind in group.options.items() if n not in signature.parameters}
            for argument, group in groups.items()
        }
        options = [
            inspect.Parameter(n, inspect.Parameter.KEYWORD_ONLY, default=groups[argument].default(n), annotation=kind)
            for argument, names in added.items()
            for n, kind in names.items()
        ]

        @wraps(command)
        def run(*values: Any, **given: Any) -> None:
            given |= zip([p.name for p in own], values, strict=False)
            for argument, names in added.items():
                given[argument] = groups[argument].make(**{n: given.pop(n) for n in names if n in given})
            command(**given)

        run.__signature__ = signature.replace(parameters=[*own, *options])  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in [*own, *options]}
        return run

    return decorate


READING = Group(Poses, POSE_OPTIONS)


@dataclass(frozen=True)
class Computing:
    """Where and how a command computes vectors: its --device, --batch, --dtype and --crops."""

    device: str = "auto"
    batch: int | None = None
    dtype: NumberType = "float32"
    crops: Path | None = None

    def encoder(self, which: str | Path) -> Encoder:
        """The encoder of a name, checkpoint file or training, on the device."""
        from embeddings.encoders import load_encoder

        return load_encoder(which, self.device, self.batch, self.dtype)

    def source(self, poses: PoseSource) -> PoseSource:
        """The poses' source with the folder of crops."""
        return replace(poses, crops=self.crops)


COMPUTING = Group(
    Computing,
    {
        "device": Annotated[
            str, typer.Option("--device", help="auto (a GPU where there is one), cpu, cuda, cuda:1 or mps.")
        ],
        "batch": Annotated[
            int | None,
            typer.Option(
                "--batch", min=1, help="Windows computed together (default: as the network says).", show_default=False
            ),
        ],
        "dtype": Annotated[
            NumberType, typer.Option("--dtype", help="Numbers to compute in: 16 bits take half the time on GPUs.")
        ],
        "crops": Annotated[
            Path | None,
            typer.Option("--crops", help="Folder where pictures cut for encoders are kept and found again."),
        ],
    },
)

computes = takes(poses=READING, computing=COMPUTING)
"""Gives a command the options of `Poses` and of `Computing`, as its arguments `poses` and `computing`."""

reads_recordings = takes(poses=READING)
"""Gives a command the options of `Poses`, as its argument `poses`."""


def temporary_folder() -> Path:
    """A folder that goes when the program ends."""
    import atexit
    import shutil
    import tempfile

    folder = tempfile.mkdtemp(prefix="spotter-poses-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)
