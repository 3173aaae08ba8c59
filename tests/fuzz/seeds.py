# ruff: noqa: E501
"""Small whole files of every kind, as the program and others write them."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from .. import writers

Seed = Callable[[Path], object]

TABLES = (
    "video;sign;start_ms;end_ms\nv;TREE;1000;1400\nv;HOUSE;2000;2300\n",
    "file,label,start_frame,end_frame,fps\nv.mp4,TREE,25,40,25\nw.mp4,HOUSE,0,20,12.5\n",
    "video,sign,start,end\nv,\"A, B\",1.0,1.5\nv,,3,4\n",
)  # fmt: skip
SPANS = (
    "clip,start,end\na,0.5,1.0\nb,1,2\n",
    "CLASS;SIGN;BEGIN;END\n20;A;406;900\n21;B;0;800\n",
    "a,0.5,1.0\nb,0.1,0.9\n",
)
SRT = ("1\n00:00:01,000 --> 00:00:02,000\nTREE\n\n2\n00:00:03,000 --> 00:00:03,500\nHOUSE\n",)


def of_writer(write: Seed, made: str = "", named: str = "") -> Seed:
    """What a writer writes; `made` is renamed to `named`."""

    def fill(folder: Path) -> None:
        write(folder)
        if made:
            (folder / made).rename(folder / named)

    return fill


def text(name: str, contents: Sequence[str]) -> Seed:
    """Texts by turns: the first as the file, the others beside it as further forms."""

    def fill(folder: Path) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        for number, content in enumerate(contents):
            target = folder / name if number == 0 else folder / f"{name}.form-{number}"
            target.write_text(content, encoding="utf-8")

    return fill


@cache
def short_pose() -> Any:
    return replace(writers.pose()[:6], estimator="holistic")


def pose(folder: Path) -> None:
    from embeddings.pose import write_pose

    write_pose(folder / "talk.pose", short_pose())


def pose_store(folder: Path) -> None:
    from embeddings.pose.formats.store import write_store

    write_store(folder / "s.h5", {"a": short_pose(), "b": short_pose()})


def packed(folder: Path) -> None:
    from embeddings.pose.formats.store import write_packed

    write_packed(folder / "p.h5", [("a", short_pose()), ("b", short_pose())])


def hands(folder: Path) -> None:
    shutil.copyfile(writers.INPUTS.hands, folder / "hands.h5")


def semantic(folder: Path) -> None:
    import h5py

    with h5py.File(folder / "sem.h5", "w") as file:
        file["a/semantic"] = np.ones((4, 10), np.float32)
        file["a/frames"] = np.arange(4)


def crops(folder: Path) -> None:
    import h5py

    with h5py.File(folder / "crops.h5", "w") as file:
        file["a/crops"] = np.ones((3, 8, 8, 3), np.uint8)
        file["a"].attrs["fps"] = 12.5


def spoter_csv(folder: Path) -> None:
    from embeddings.pose.formats.spoter_csv import write_spoter_csv

    write_spoter_csv(folder / "t.csv", [(short_pose(), "1"), (short_pose(), "2")])


def openpose(folder: Path) -> None:
    (folder / "o").mkdir()
    for number in range(2):
        person = {"pose_keypoints_2d": [1.0, 2.0, 0.5] * 25}
        person |= {f"hand_{side}_keypoints_2d": [1.0, 2.0, 0.5] * 21 for side in ("left", "right")}
        frame = json.dumps({"version": 1.3, "people": [person]})
        (folder / "o" / f"talk_{number:012d}_keypoints.json").write_text(frame)


def landmark_pack(folder: Path) -> None:
    frames = np.full((6, 75, 4), 0.5, np.float32)
    np.savez(
        folder / "pack.npz", frames=frames, offsets=[0, 2, 6], label=["A", "B"], seq_id=["a", "b"], fps=[25.0, 25.0]
    )


def _mocap() -> dict[str, Any]:
    return {
        "pred_body_pose": np.zeros((2, 72)),
        "pred_left_hand_pose": np.zeros((2, 45)),
        "pred_right_hand_pose": np.zeros((2, 45)),
    }


def frankmocap_json(folder: Path) -> None:
    person = {key: values[:1].tolist() for key, values in _mocap().items()}
    (folder / "f.json").write_text(json.dumps([{"pred_output_list": [person]}, {"pred_output_list": []}]))


def frankmocap_npz(folder: Path) -> None:
    np.savez(folder / "f.npz", **_mocap())


def frankmocap_pickle(folder: Path) -> None:
    person = {key: values[:1] for key, values in _mocap().items()}
    for name in ("f.pkl", "t.pkl"):
        (folder / name).write_bytes(pickle.dumps({"pred_output_list": [person]}))


def old_pickle(folder: Path) -> None:
    (folder / "t.pkl").write_bytes(pickle.dumps({"v": np.array([[3, 40, 80]]), "w": [[5, 1, 2, 0.5]]}, 2))


def challenge(folder: Path) -> None:
    (folder / "t.json").write_text(json.dumps({"p01_n002": [[6, 640, 1200, 0.5], [7, 2000, 2400]]}))


def arrays(folder: Path) -> None:
    np.savez(folder / "a.npz", rotations=np.zeros((3, 39, 3), np.float32), fps=25.0)


def vectors(folder: Path) -> None:
    np.savez(folder / "v.npz", ids=np.array(["a", "b"]), vectors=np.eye(2))


def image_folder(folder: Path) -> None:
    from PIL import Image

    (folder / "i").mkdir()
    for number in range(1, 4):
        Image.fromarray(np.full((9, 12, 3), 40 * number, np.uint8)).save(folder / "i" / f"frame-{number}.png")


def small_encoder(folder: Path) -> None:
    import torch

    from embeddings.encoders.checkpoint import save_checkpoint
    from embeddings.encoders.sign_tcn import SignTCN, SignTCNConfig

    torch.manual_seed(0)
    save_checkpoint(folder / "weights.safetensors", SignTCN(SignTCNConfig(8, 8, 8, (1,), 4, 2)))


def recipe(folder: Path) -> None:
    import embeddings.training

    published = Path(embeddings.training.__file__).parent / "published" / "sl-gcn-quick.toml"
    shutil.copyfile(published, folder / "r.toml")


def decision_log(folder: Path) -> None:
    from spotter.project.log import DecisionLog, Line

    with DecisionLog(folder / "decisions.db") as log:
        log.append([Line("note", "", "ann", "1", detail={"text": "a"})])


def foreign_elan(folder: Path) -> None:
    """With dependent tiers and time slots without a value, as ELAN writes them."""
    (folder / "t.eaf").write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n<ANNOTATION_DOCUMENT AUTHOR="" DATE="2001-01-01T00:00:00+00:00" '
        'FORMAT="3.0" VERSION="3.0"><HEADER MEDIA_FILE="" TIME_UNITS="milliseconds"><MEDIA_DESCRIPTOR '
        'MEDIA_URL="file:///v.mp4" MIME_TYPE="video/mp4"/></HEADER><TIME_ORDER><TIME_SLOT TIME_SLOT_ID="ts1" '
        'TIME_VALUE="100"/><TIME_SLOT TIME_SLOT_ID="ts2"/><TIME_SLOT TIME_SLOT_ID="ts3" TIME_VALUE="900"/></TIME_ORDER>'
        '<TIER LINGUISTIC_TYPE_REF="t" TIER_ID="glosses"><ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" '
        'TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts2"><ANNOTATION_VALUE>TREE</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION>'
        '</ANNOTATION></TIER><TIER LINGUISTIC_TYPE_REF="score" PARENT_REF="glosses" TIER_ID="glosses score"><ANNOTATION>'
        '<REF_ANNOTATION ANNOTATION_ID="a2" ANNOTATION_REF="a1"><ANNOTATION_VALUE>0.5</ANNOTATION_VALUE></REF_ANNOTATION>'
        '</ANNOTATION></TIER><LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="t" TIME_ALIGNABLE="true"/></ANNOTATION_DOCUMENT>\n',
        encoding="utf-8",
    )


def _benchmarks() -> list[tuple[str, str, Seed, str, str, tuple[Any, ...]]]:
    from eval.datasets import asl_citizen, boston104, ipn_compact, landmark_table

    instance = {"bbox": [1, 2, 3, 4], "fps": 25, "frame_end": -1, "frame_start": 1, "instance_id": 0, "signer_id": 1,
                "source": "x", "split": "train", "url": "u", "variation_id": 0, "video_id": "1"}  # fmt: skip
    entry = {"url": "u", "start": 0, "end": 9, "label": 0, "text": "a", "signer_id": 1, "box": [0, 0, 1, 1]}
    head = ",".join([*ipn_compact.COLUMNS, *ipn_compact.FACTS])
    compact = head + "\n" + ",".join(['"[0, 1]"'] * 42 + ["v", "B0A", "0", "1", "2", "2"]) + "\n"
    columns = ",".join([*landmark_table.COLUMNS, *landmark_table.FACTS])
    table = (
        "\n".join([columns, *(",".join(["0.5"] * 225 + ["v", "Ann", str(k), "p.mp4", "A"]) for k in range(2))]) + "\n"
    )
    return [
        ("AUTSL", "a.csv", text("a.csv", ("signer0_sample1,1\nsigner0_sample2,2\n",)), "autsl", "read_labels", ("train",)),
        ("AUTSL classes", "c.csv", text("c.csv", ("ClassId,TR,EN\n0,abla,sister\n",)), "autsl", "read_classes", ()),
        ("WLASL", "w.json", text("w.json", (json.dumps([{"gloss": "book", "instances": [instance]}]),)), "wlasl", "read", ()),
        ("WLASL csv", "wlasl.csv", writers.dataset("wlasl", "write_csv", "wlasl.csv", writers.instances), "wlasl", "read_csv", ()),
        ("IPN list", "l.txt", text("l.txt", ("./frames/v 1 1 9\n./frames/v 2 10 12\n",)), "ipn", "read_list", ("train",)),
        ("IPN annotations", "annotations.txt", writers.dataset("ipn", "write_annotations", "annotations.txt", writers.gestures), "ipn", "read_annotations", ()),
        ("IPN compact", "i.csv", text("i.csv", (compact,)), "ipn_compact", "read", ()),
        ("landmark table", "t.csv", text("t.csv", (table,)), "landmark_table", "read_table", ()),
        ("MS-ASL", "m.json", text("m.json", (json.dumps([entry]),)), "msasl", "read_split", ("train",)),
        ("MSSL", "gt.json", text("gt.json", ('{"p01_n002": [[6, 640, 1200]]}',)), "mssl", "read", ()),
        ("OSLWL", "trims.csv", writers.make_trims, "oslwl", "read_trims", ()),
        ("LSA64", "s.md", text("s.md", ("01|Opaque|R|\n02|Red|R|\n",)), "lsa64", "read_signs", ()),
        ("ASL Citizen", "c.csv", text("c.csv", (",".join(asl_citizen.COLUMNS) + "\nP1,a.mp4,A,X\n",)), "asl_citizen", "read_split", ("train",)),
        ("manifest", "manifest.csv", writers.dataset("manifest", "write", "manifest.csv"), "manifest", "read", ()),
        ("GSL", "gsl.txt", text("gsl.txt", ("a_signer1_rep2_b/s0|HELLO I\n",)), "gsl", "read", ()),
        ("BOSTON104", "h.csv", text("h.csv", (",".join(boston104.TRACKS) + "\n9,0,1,1,1,1,1,1\n",)), "boston104", "read_tracks", ()),
    ]  # fmt: skip


BENCHMARKS = _benchmarks()
