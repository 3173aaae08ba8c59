"""What the toolkit reads, and what its commands need of it: one table, for the tests and for docs/inputs.md.

Every format is made small but real: two signs, two clips of each, named HOUSE~1, HOUSE~2, TREE~1, TREE~2.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from embeddings.clip import Clip, Pose
from embeddings.phonology.handshapes.images import write_hand_images
from embeddings.pose import write_pose
from embeddings.pose.files import source_stamp
from embeddings.pose.formats.spoter_csv import write_spoter_csv
from embeddings.pose.formats.store import write_packed, write_store
from embeddings.synthetic import Camera, SignWorld
from embeddings.synthetic.filming.look import Look
from embeddings.synthetic.filming.render import render_frames
from embeddings.video import write_video
from safe_files import GroupedHDF5

__all__ = ["COMMANDS", "FORMATS", "NAMES", "Format", "Made", "cell", "exact_pose", "make", "markdown_table"]

NAMES = ("HOUSE~1", "HOUSE~2", "TREE~1", "TREE~2")
FPS = 12.5
Frames = NDArray[np.uint8]


@dataclass(frozen=True)
class Format:
    """holds: what a clip of it holds. alone: one clip a file or folder; else one file of many."""

    kind: str
    example: str
    holds: frozenset[str]
    alone: bool
    make: Callable[[Path], Path]


@dataclass(frozen=True)
class Made:
    """A format's files: `many` all clips, `one` a clip, `labelled` data to train on, `names` the clips'."""

    many: Path
    one: str
    labelled: str
    names: tuple[str, ...]
    poses: Path
    """Kept poses of the pictures."""


# --- the material --------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def world() -> SignWorld:
    return SignWorld(5, signs=2)


@lru_cache(maxsize=1)
def filmed() -> tuple[Frames, Pose]:
    """Rendered pictures of a sign and its exact pose."""
    size, distance = 200, 2.2
    view = Camera(size=(size, size), distance=distance, focal=size * distance / 1.22, target=(0.0, -0.16, 0.05))
    figure = world().figure(0, 0, fps=FPS)[0]
    return np.stack(list(render_frames(figure, Look(), view))), view.project(figure)


def pictures(name: str) -> tuple[Frames, Pose]:
    """TREE is HOUSE backwards in time."""
    frames, pose = filmed()
    if name.startswith("HOUSE"):
        return frames, pose
    z = None if pose.z is None else pose.z[::-1]
    return frames[::-1], replace(pose, xy=pose.xy[::-1], confidence=pose.confidence[::-1], z=z)


def exact_pose(name: str) -> Pose:
    pose = world().clip(0 if name.startswith("HOUSE") else 1, signer=int(name[-1])).pose
    assert pose is not None
    return pose


@lru_cache(maxsize=4)
def rotations(name: str) -> NDArray[np.float32]:
    clip = world().clip(0 if name.startswith("HOUSE") else 1, signer=int(name[-1]), rotations=True)
    return np.asarray(clip.extra["rotations"], np.float32)


def frankmocap_arrays(name: str) -> dict[str, NDArray[np.float32]]:
    """FrankMocap's arrays whose 39 rotations are the clip's."""
    from embeddings.pose.formats.frankmocap import JOINTS

    joints = np.zeros((len(rotations(name)), 54, 3), np.float32)
    joints[:, list(JOINTS)] = rotations(name)
    body, left, right = (joints[:, a:b].reshape(len(joints), -1) for a, b in ((0, 24), (24, 39), (39, 54)))
    return {"pred_body_pose": body, "pred_left_hand_pose": left, "pred_right_hand_pose": right}


# --- one function a format -----------------------------------------------------------------------------------------


def each(name_of: str, write: Callable[[Path, str], object]) -> Callable[[Path], Path]:
    def make_all(folder: Path) -> Path:
        folder.mkdir(parents=True)
        for name in NAMES:
            write(folder / name_of.format(name), name)
        return folder

    return make_all


def write_images(folder: Path, name: str) -> None:
    from PIL import Image

    folder.mkdir()
    for i, frame in enumerate(pictures(name)[0]):
        Image.fromarray(frame).save(folder / f"frame-{i + 1}.png")  # 10 comes after 9, not after 1


def write_openpose(folder: Path, name: str) -> None:
    """BODY-25 with hands, a file a frame; nobody in the last."""
    pose = exact_pose(name).to("openpose-50")
    folder.mkdir()
    values = np.concatenate([np.nan_to_num(pose.xy), pose.confidence[..., None]], axis=-1)
    for i, row in enumerate(values):
        body = np.zeros((25, 3))
        body[:8] = row[:8]
        person = {"pose_keypoints_2d": body.ravel().tolist()}
        for side, start in (("left", 8), ("right", 29)):
            person[f"hand_{side}_keypoints_2d"] = row[start : start + 21].ravel().tolist()
        people = [person] if i < len(values) - 1 else []
        (folder / f"{name}_{i:012d}_keypoints.json").write_text(json.dumps({"version": 1.3, "people": people}))


def write_pack(folder: Path) -> Path:
    poses = [exact_pose(name) for name in NAMES]
    size = np.array(poses[0].size, np.float32)
    frames = np.concatenate(
        [np.concatenate([np.nan_to_num(p.xy) / size, np.zeros_like(p.xy[..., :1]), p.confidence[..., None]], axis=-1)
         for p in poses]
    )  # fmt: skip
    folder.mkdir(parents=True)
    offsets = np.cumsum([0, *map(len, poses)])
    labels = [name.partition("~")[0] for name in NAMES]
    np.savez(folder / "pack.npz", frames=frames, offsets=offsets, label=labels, signer=["a", "b", "a", "b"],
             seq_id=[f"data/{name}" for name in NAMES], fps=[25.0] * 4)  # fmt: skip
    return folder / "pack.npz"


def stored(file: str, write: Callable[[Path], object]) -> Callable[[Path], Path]:
    def make_file(folder: Path) -> Path:
        folder.mkdir(parents=True)
        write(folder / file)
        return folder / file

    return make_file


def write_hands(path: Path) -> None:
    with GroupedHDF5(path) as store:
        for name in NAMES:
            with store.add(name) as group:
                write_hand_images(group, *pictures(name), 0.0)


def write_semantic(path: Path) -> None:
    with h5py.File(path, "w") as file:
        for name in NAMES:
            seed = len(name) + int(name[-1])
            file[f"{name}/semantic"] = np.random.default_rng(seed).standard_normal((16, 2590)).astype(np.float32)
            file[f"{name}/frames"] = np.arange(16)


def write_crops(path: Path) -> None:
    with h5py.File(path, "w") as file:
        for name in NAMES:
            file[f"{name}/crops"] = pictures(name)[0][12:20]
            file[name].attrs["fps"] = FPS


def write_depth(path: Path) -> None:
    with h5py.File(path, "w") as file:
        for name in NAMES:
            file[f"{name}/depth"] = pictures(name)[0][12:20, :, :, 0]
            file[name].attrs["fps"] = FPS


def write_mocap_frames(folder: Path, name: str) -> None:
    folder.mkdir()
    arrays = frankmocap_arrays(name)
    for i in range(len(arrays["pred_body_pose"])):
        person = {key: [values[i].tolist()] for key, values in arrays.items()}
        (folder / f"{i:05d}_prediction_result.json").write_text(json.dumps({"pred_output_list": [person]}))


POSE, PICTURES, ROTATIONS = frozenset({"pose"}), frozenset({"frames", "pose"}), frozenset({"rotations"})

FORMATS: dict[str, Format] = {
    "video": Format("video", "talk.mp4", PICTURES, True,
                    each("{}.mp4", lambda path, name: write_video(path, pictures(name)[0], FPS))),
    "folder of images": Format("folder of images", "frames/", PICTURES, True, each("{}", write_images)),
    ".pose": Format(".pose file", "talk.pose", POSE, True,
                    each("{}.pose", lambda path, name: write_pose(path, exact_pose(name)))),
    "pose store, one video": Format("pose store (.h5)", "talk.h5", POSE, True,
                                    each("{}.h5", lambda path, name: write_pose(path, exact_pose(name)))),
    "pose store, many videos": Format("pose store (.h5)", "poses.h5", POSE, False,
                                      stored("s.h5", lambda p: write_store(p, {n: exact_pose(n) for n in NAMES}))),
    "packed OpenPose": Format("packed OpenPose (.h5)", "keypoints.hdf5", POSE, False,
                              stored("p.hdf5", lambda p: write_packed(p, [(n, exact_pose(n)) for n in NAMES]))),
    "OpenPose folder": Format("OpenPose folder", "talk_json/", POSE, True, each("{}", write_openpose)),
    "SPOTER CSV": Format("SPOTER CSV", "train.csv", POSE, False, stored("t.csv", lambda p: write_spoter_csv(
        p, [(exact_pose(n), n.partition("~")[0]) for n in NAMES]))),
    "landmark pack": Format("landmark pack (.npz)", "pack.npz", POSE, False, write_pack),
    "FrankMocap file": Format("FrankMocap file", "talk.npz, .json, .pkl", ROTATIONS, True, each(
        "{}.npz", lambda path, name: np.savez(path, **frankmocap_arrays(name)))),
    "FrankMocap folder": Format("FrankMocap folder", "mocap/", ROTATIONS, True, each("{}", write_mocap_frames)),
    "hand images": Format("hand images (.h5)", "hands.h5", frozenset({"hand"}), False, stored("hands.h5", write_hands)),
    "semantic vectors": Format("semantic vectors (.h5)", "semantic.h5", frozenset({"semantic"}), False,
                               stored("semantic.h5", write_semantic)),
    "body crops": Format("body crops (.h5)", "crops.h5", PICTURES, False, stored("crops.h5", write_crops)),
    "depth maps": Format("depth maps (.h5)", "depth.h5", frozenset({"depth"}), False, stored("depth.h5", write_depth)),
    "arrays: rotations": Format("arrays (.npz)", "talk.npz", ROTATIONS, True, each(
        "{}.npz", lambda path, name: np.savez(path, rotations=rotations(name), fps=25.0))),
    "arrays: frames": Format("arrays (.npz)", "talk.npz", PICTURES, True, each(
        "{}.npz", lambda path, name: np.savez(path, frames=pictures(name)[0][12:20], fps=FPS))),
}  # fmt: skip


def make(format: str, folder: Path) -> Made:
    """The files of a format in an empty folder."""
    how = FORMATS[format]
    many = how.make(folder / "all clips")
    kept = folder / "kept poses"
    if "frames" in how.holds and how.alone and format != "arrays: frames":
        for path in sorted(many.iterdir()):
            stamp = source_stamp(path, FPS if path.is_dir() else None)
            pose = replace(pictures(path.name)[1], estimator="holistic")
            write_pose(kept / f"{path.name.removesuffix('.mp4')}.pose", pose, stamp)
    if not how.alone:
        if format == "SPOTER CSV":
            parts, names = [str(row) for row in range(2, 6)], [f"t-{row}" for row in range(2, 6)]
        elif format == "hand images":
            parts = [f"{name}/{side}_hand" for name in NAMES for side in ("left", "right")]
            names = [part.replace("/", "~") for part in parts]
        else:
            parts = [f"data/{name}" if format == "landmark pack" else name for name in NAMES]
            names = [part.replace("/", "_") for part in parts]
        return Made(many, f"{many}#{parts[0]}", str(many), tuple(names), kept)
    for path in sorted(many.iterdir()):
        if not path.name.endswith(".json"):
            target = folder / "labelled" / path.name.partition("~")[0] / path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(path, target) if path.is_dir() else shutil.copy(path, target)
    one = next(p for p in sorted(many.iterdir()) if p.name.startswith("HOUSE~1"))
    return Made(many, str(one), str(folder / "labelled"), NAMES, kept)


def as_clip(name: str) -> Clip:
    pose = exact_pose(name)
    return Clip(name, pose.fps, pose, label=name.partition("~")[0])


# --- commands ------------------------------------------------------------------------------------------------------

COMMANDS: dict[str, str] = {
    "pose": "pose",
    "enroll": "encoder", "spot": "encoder", "embed": "encoder", "index": "encoder", "search": "encoder",
    "classify": "encoder", "explain": "encoder", "train": "encoder", "eval isolated": "encoder",
    "phonology describe": "pose", "phonology compare": "pose", "phonology keyframes": "pose",
    "phonology locations": "pose", "phonology movements": "pose", "phonology orientations": "pose",
    "phonology clusters": "pose", "phonology vle semantic": "pose",
    "phonology crops": "pictures", "phonology hands": "pictures",
    "phonology vle predict": "hand",
    "report": "video",
}  # fmt: skip
"""Command → what it needs of a recording; "encoder": what the encoder that is named needs, the default one a pose."""

WORDS = {"rotations": "joint rotations", "hand": "hand images", "semantic": "semantic vectors"}


def cell(format: str, needs: str) -> str:
    """What docs/inputs.md says of a format and a command's need."""
    holds = FORMATS[format].holds
    if needs == "encoder":
        (other,) = holds - {"pose", "frames"} or {""}
        if other == "depth":
            return "`train`, `classify`: beside videos, `videos/?depth=depth.h5`"
        return "yes" if not other else f"yes, with an encoder of {WORDS[other]}"
    if needs == "video":
        return "yes" if format == "video" else "without pictures"
    wanted = {"pose": {"pose"}, "pictures": {"frames", "pose"}, "hand": {"hand"}}[needs]
    words = {"pose": "no pose", "pictures": "no pictures", "hand": "no hand images"}
    if not wanted <= holds:
        return f"no: {words[needs]}"
    return "yes, estimated" if needs == "pose" and "frames" in holds else "yes"


def _listed(commands: list[str]) -> str:
    own = [f"`{c}`" for c in commands if not c.startswith("phonology ")]
    of_phonology = ", ".join(f"`{c.removeprefix('phonology ')}`" for c in commands if c.startswith("phonology "))
    return ", ".join([*own, f"phonology {of_phonology}"] if of_phonology else own)


def markdown_table() -> str:
    """The table of docs/inputs.md: formats × groups of commands with one need."""
    groups: dict[str, list[str]] = {}
    for command, needs in COMMANDS.items():
        groups.setdefault(needs, []).append(command)
    titles = {"pose": "need a pose", "encoder": "need what their encoder needs", "pictures": "cut pictures",
              "hand": "need hand images", "video": "show pictures"}  # fmt: skip
    head = ["format", "e.g.", *(f"{titles[n]}: {_listed(cs)}" for n, cs in groups.items())]
    lines = [head, ["---"] * len(head)]
    lines += [[name, f"`{f.example}`", *(cell(name, needs) for needs in groups)] for name, f in FORMATS.items()]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
