"""What a user can name: ONE table, kind → how it is recognised → what a clip of it holds → how it is read.

Kinds are tried in the order of `KINDS`, by ending and content; content is only looked at, never run or unpacked whole.
A file of many clips lists them; each is addressed as FILE#CLIP.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from safe_files import ArraysError, array_names, open_hdf5, read_npz

from ..clip import Clip, Pose
from ..image_folder import image_files
from ..phonology.handshapes import images
from ..pose.formats import openpose, packs, spoter_csv, store
from ..pose.formats.dot_pose import read_dot_pose
from ..pose.formats.frankmocap import read_rotations

__all__ = ["KINDS", "VIDEO_ENDINGS", "Entry", "Kind", "RecordingError", "kind_of", "parts_needed"]

VIDEO_ENDINGS = (
    ".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".mpg", ".mpeg", ".ts", ".mts", ".wmv",
)  # fmt: skip
HEAD = 1 << 16
"""Bytes of a JSON or pickle file that are searched for the keys that tell whose it is."""
MOST_FRAMES = 1000
"""Frame files of a folder that are looked at: a sequence may begin with frames in which nobody was found."""


class RecordingError(ValueError):
    """A recording cannot be read, or lacks what is asked of it: names it, says what it is and what to give instead."""


_PARTS: dict[str, tuple[str, ...]] = {
    "pose": ("pose",), "joints": ("pose",), "flow": ("pose",), "frames": ("frames",),
    "nose_frames": ("frames", "pose"), "body_frames": ("frames", "pose"), "left_hand": ("frames", "pose"),
    "right_hand": ("frames", "pose"),
}  # fmt: skip
"""An encoder's input → what it is made from; rotations, depth, hand and semantic are taken as they are."""
_TAKEN = ("rotations", "depth", "hand", "semantic")


def parts_needed(needs: Sequence[str], holds: Iterable[str] = ()) -> frozenset[str]:
    """What a clip must hold for an encoder's `required_inputs`: "pose", "frames", or arrays by name.

    Args:
        holds: what a clip has; an input that is not the toolkit's own is an array of that name, or else from poses.
    """
    own = (*_TAKEN, *holds)
    return frozenset(part for need in needs for part in _PARTS.get(need, (need,) if need in own else ("pose",)))


class Entry(NamedTuple):
    """One clip of a file: its place in it ("" where it is alone), what results call it, what the file says about it."""

    part: str
    name: str
    label: str = ""
    signer: str = ""


@dataclass(frozen=True)
class Kind:
    """One kind of recording.

    Attributes:
        name: as messages say it.
        holds: what a clip of it holds: "pose", "frames" (pictures), "rotations", "hand", "semantic", "depth".
        matches: whether a file or folder is of this kind.
        read: (path, clip of the file, frames per second if it does not say) → the clip, still unnamed; None where
            pictures are decoded as they are needed (and poses are estimated from them).
        entries: the clips of a file of many; None where there is always one.
    """

    name: str
    holds: frozenset[str]
    matches: Callable[[Path], bool]
    read: Callable[[Path, str, float], Clip] | None = None
    entries: Callable[[Path], Sequence[Entry]] | None = None

    @property
    def filmed(self) -> bool:
        """Whether it is decoded picture by picture."""
        return self.read is None

    def holds_in(self, path: Path) -> frozenset[str]:
        """What a clip of this very file holds; of a damaged one, what it should."""
        return frozenset(array_names(path) - {"fps"} if self.read is _arrays else ()) or self.holds


# --- what tells kinds apart --------------------------------------------------------------------------------------


def _ending(*endings: str) -> Callable[[Path], bool]:
    return lambda path: path.suffix.lower() in endings and not path.is_dir()


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(HEAD)
    except OSError:
        return b""


def _npz(*names: str) -> Callable[[Path], bool]:
    return lambda path: path.suffix.lower() == ".npz" and path.is_file() and set(names) <= array_names(path)


def _store(inside: Callable[[Any], bool], damaged: bool = False) -> Callable[[Path], bool]:
    """Whether the first video of an HDF5 file is stored so; `damaged` is said of files that cannot be opened."""

    def matches(path: Path) -> bool:
        if path.suffix.lower() not in (".h5", ".hdf5") or not path.is_file():
            return False

        try:
            with open_hdf5(path) as file:
                first = next((name for name in file if not name.startswith(".")), None)
                return first is not None and inside(file[first])
        except Exception:
            return damaged

    return matches


def _members(group: Any) -> set[str]:
    return set(group) if hasattr(group, "keys") else set()


def _frankmocap(head: bytes) -> bool:
    return b"pred_body_pose" in head or b"pred_output_list" in head


def _frankmocap_file(path: Path) -> bool:
    if path.is_dir() or path.name.lower().endswith(".pose.json"):
        return False
    return (path.suffix.lower() in (".json", ".pkl") and _frankmocap(_head(path))) or _npz("pred_body_pose")(path)


def _frame_files(path: Path, *endings: str) -> list[Path]:
    if not path.is_dir():
        return []
    inside = sorted(f for f in path.iterdir() if f.suffix.lower() in endings and not f.name.startswith("."))
    return [f for f in inside if not f.name.lower().endswith(".pose.json")][:MOST_FRAMES]


def _openpose_folder(path: Path) -> bool:
    return any(b'"people"' in _head(f) for f in _frame_files(path, ".json"))


def _frankmocap_folder(path: Path) -> bool:
    return any(_frankmocap_frame(f) for f in _frame_files(path, ".json", ".pkl", ".npz"))


def _frankmocap_frame(file: Path) -> bool:
    """Whether a file holds one frame: a list of frames, and arrays of several, are a clip by themselves."""
    if file.suffix.lower() != ".npz":
        head = _head(file)
        return _frankmocap(head) and not head.lstrip().startswith(b"[") and b'"frames"' not in head
    if "pred_body_pose" not in array_names(file):
        return False
    try:
        body = read_npz(file, ["pred_body_pose"])["pred_body_pose"]
    except (ArraysError, KeyError):
        return False
    return body.ndim == 1 or len(body) == 1


def _image_folder(path: Path) -> bool:
    return path.is_dir() and bool(image_files(path))


# --- how they are read, and which clips a file of many holds -----------------------------------------------------


def _pose(read: Callable[[Path, str, float], Pose]) -> Callable[[Path, str, float], Clip]:
    def clip(path: Path, part: str, fps: float) -> Clip:
        pose = read(path, part, fps)
        return Clip("", pose.fps, pose)

    return clip


def _hand(path: Path, part: str, fps: float) -> Clip:
    hand, rate = images.read_hand_track(path, *part.rsplit("/", 1))
    return Clip("", rate if rate else fps, extra={"hand": hand})


def _semantic(path: Path, part: str, fps: float) -> Clip:

    with open_hdf5(path) as file:
        return Clip("", fps, extra={"semantic": file[part]["semantic"][:]})


def _crops(path: Path, part: str, fps: float) -> Clip:

    with open_hdf5(path) as file:
        return Clip("", float(file[part].attrs.get("fps", fps)), frames=file[part]["crops"][:])


def _depth(path: Path, part: str, fps: float) -> Clip:

    with open_hdf5(path) as file:
        depth, rate = file[part]["depth"][:], float(file[part].attrs.get("fps", fps))
    if depth.dtype != np.uint8 or depth.ndim != 3:
        raise RecordingError(f"{path}#{part}: depth is {depth.dtype} {depth.shape}; expected uint8 (T, H, W)")
    return Clip("", rate, extra={"depth": depth})


def _arrays(path: Path, part: str, fps: float) -> Clip:
    """Arrays with a row a frame; "frames" are pictures, "fps" the rate, all others go by their names."""
    try:
        arrays: dict[str, NDArray[Any]] = read_npz(path)
    except ArraysError as error:
        raise RecordingError(str(error)) from None
    stated = arrays.pop("fps", np.array(fps))
    if stated.size != 1 or stated.dtype.kind not in "iuf" or not 0 < float(stated.ravel()[0]) < np.inf:
        raise RecordingError(f"{path}: fps is {stated.dtype} {stated.shape}; expected one positive number")
    rate = float(stated.ravel()[0])
    lengths = {len(array) if array.ndim else 0 for array in arrays.values()}
    if len(lengths) != 1 or 0 in lengths:
        raise RecordingError(f"{path}: its arrays have {sorted(lengths)} rows; expected a row a frame in each")
    frames = arrays.pop("frames", None)
    if frames is not None and (frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[3] != 3):
        raise RecordingError(f"{path}: frames are {frames.dtype} {frames.shape}; expected uint8 (T, H, W, 3), RGB")
    return Clip("", rate, frames=frames, extra=arrays)


def _stored_videos(path: Path) -> list[Entry]:
    videos = store.stored_videos(path)
    return [Entry("", path.stem)] if len(videos) == 1 else [Entry(video, video) for video in videos]


def _hdf5_names(path: Path) -> list[Entry]:

    with open_hdf5(path) as file:
        return [Entry(name, name) for name in file if not name.startswith(".")]


def _rotations(path: Path, part: str, fps: float) -> Clip:
    return Clip("", fps, extra={"rotations": read_rotations(path)})


_POSE = frozenset({"pose"})
_TABLE = (
    Kind("video", frozenset({"frames"}), _ending(*VIDEO_ENDINGS)),
    Kind(".pose file", _POSE, _ending(".pose"), _pose(lambda path, _, fps: read_dot_pose(path))),
    Kind("semantic vectors (.h5)", frozenset({"semantic"}), _store(lambda v: "semantic" in _members(v)), _semantic,
         _hdf5_names),
    Kind("hand images (.h5)", frozenset({"hand"}), _store(lambda v: {"left_hand", "right_hand"} <= _members(v)
         and "images" in _members(v["left_hand"])), _hand,
         lambda path: [Entry(f"{v}/{hand}", f"{v}~{hand}") for v, hand in images.hand_tracks(path)]),
    Kind("body crops (.h5)", frozenset({"frames"}), _store(lambda v: "crops" in _members(v)), _crops, _hdf5_names),
    Kind("depth maps (.h5)", frozenset({"depth"}), _store(lambda v: "depth" in _members(v)), _depth, _hdf5_names),
    Kind("packed OpenPose (.h5)", _POSE, _store(lambda v: getattr(v, "shape", ())[1:] == (150,)),
         _pose(lambda path, part, fps: next(store.read_packed(path, fps, videos=[part]))[1]), _hdf5_names),
    Kind("pose store (.h5)", _POSE, _store(lambda v: "xy" in _members(v), damaged=True),
         _pose(lambda path, part, fps: next(store.read_store(path, [part] if part else None))[1]), _stored_videos),
    Kind("SPOTER CSV", _POSE, lambda path: path.suffix.lower() == ".csv" and spoter_csv.is_spoter_csv(path),
         _pose(lambda path, row, fps: next(spoter_csv.read_spoter_csv(path, fps, rows=[int(row)]))[0]),
         lambda path: [Entry(str(row), f"{path.stem}-{row}", label)
                       for row, label in spoter_csv.labels_of_rows(path).items()]),
    Kind("landmark pack (.npz)", _POSE, _npz("frames", "offsets"), _pose(packs.read_sequence),
         lambda path: [Entry(name, name, label, signer) for name, label, signer in packs.sequence_names(path)]),
    Kind("FrankMocap file", frozenset({"rotations"}), _frankmocap_file, _rotations),
    Kind("arrays (.npz)", frozenset({"frames", "rotations", "hand", "semantic", "depth"}), _ending(".npz"), _arrays),
    Kind("OpenPose folder", _POSE, _openpose_folder, _pose(lambda path, _, fps: openpose.read_openpose(path, fps))),
    Kind("FrankMocap folder", frozenset({"rotations"}), _frankmocap_folder, _rotations),
    Kind("folder of images", frozenset({"frames"}), _image_folder),
)  # fmt: skip
KINDS: dict[str, Kind] = {kind.name: kind for kind in _TABLE}


def kind_of(path: Path) -> Kind | None:
    """The kind of a file or folder; None when it is none of `KINDS`."""
    return next((kind for kind in KINDS.values() if kind.matches(path)), None)
