# ruff: noqa: E501
"""Pickles as people have them, and damaged copies of them."""

from __future__ import annotations

import pickle
import random
from collections import OrderedDict, defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)

PIECES = (
    b"(", b".", b"N", b"]", b"}", b")", b"a", b"e", b"s", b"u", b"t", b"l", b"d", b"b", b"R", b"\x85", b"\x86", b"\x87",
    b"\x94", b"\x93", b"h\x00", b"q\x00", b"h\x01", b"j\xff\xff\xff\x7f", b"r\xff\xff\xff\x7f", b"\x8e" + b"\xff" * 8,
    b"\x96" + b"\x7f" * 8, b"\x8b\xff\xff\xff\x7f", b"\x95" + b"\xff" * 8, b"p9999999999\n", b"cnumpy\ndtype\n",
    b"cnumpy\nndarray\n", b"cnumpy.core.multiarray\n_reconstruct\n", b"cnumpy.core.multiarray\nscalar\n",
    b"cnumpy.core.numeric\n_frombuffer\n", b"cos\nsystem\n", b"ccollections\nOrderedDict\n", b"X\x02\x00\x00\x00O8",
    b"X\x02\x00\x00\x00f8", b"K\x00", b"K\x03", b"J\xff\xff\xff\xff", b"C\x08AAAAAAAA", b"F1e999\n", b"I01\n", b"0", b"2",
)  # fmt: skip
"""Instructions that a mutant may get."""


def values() -> dict[str, Any]:
    """What the challenge's and FrankMocap's files hold, and every kind of value beside."""
    draws = np.random.default_rng(0)
    body = draws.normal(size=(1, 72))
    arrays = {
        kind: (draws.normal(size=(2, 3)) * 50).astype(kind)
        for kind in ["b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16", ">f8", ">i2"]
    }
    return {
        "challenge": {"p01_n001": [[20, 1000, 1600], [3, 0, 40, 0.5]], "p01_n002": [], "p02_n001": [(7, 5, 2**40)]},
        "arrays of rows": {"a": np.array([[1, 40, 80], [2, 80, 120]]), "b": [np.array([5, 1, 2]), np.int64(4)]},
        "frankmocap": {
            "demo_type": "frank",
            "smpl_type": "smplx",
            "image_path": "/videos/ä b/00001.jpg",
            "body_bbox_list": [np.array([1, 2, 30, 40])],
            "hand_bbox_list": [{"left_hand": None, "right_hand": np.array([1.5, 2, 3, 4], np.float32)}],
            "save_mesh": False,
            "pred_output_list": [{"pred_body_pose": body, "pred_left_hand_pose": body[:, :48].copy(), "faces": None}],
        },
        "plain": [None, True, False, -1, 2**70, -(2**100), 0.5, -1e300, "ä\n€😀", "", b"", b"\x00\xff", (), ((1,), 2, 3, 4)],
        "keys": {1: 2, None: 3, False: 4, b"k": 5, "s": 6, -5: 7},
        "dicts": [OrderedDict([("b", 1), ("a", [2])]), defaultdict(list, x=[1]), OrderedDict()],
        "arrays": arrays,
        "strings": [np.array([["ä", "HOUSE"]]), np.array([b"ab", b"c"]), np.str_("sign"), np.bytes_(b"b"), np.bool_(True)],
        "forms": [
            np.zeros((0, 3)), np.array(5.0), np.arange(6.0).reshape(2, 3).T, np.arange(24).reshape(2, 3, 4).transpose(1, 0, 2),
            np.arange(10)[::2], np.float32(2.5), np.float64(-0.0), np.uint8(9),
        ],
        "shared": [[1, 2]] * 3 + ["word"] * 3,
    }  # fmt: skip


def seeds() -> list[bytes]:
    """Every value at every protocol, with NumPy 1's names and NumPy 2's."""
    written = [pickle.dumps(value, protocol) for value in values().values() for protocol in PROTOCOLS]
    return written + [other_numpy(raw) for raw in written if other_numpy(raw) != raw]


def other_numpy(raw: bytes) -> bytes:
    """The same values with the names that the other of NumPy 1 and 2 writes."""
    old, new = (b"numpy._core.", b"numpy.core.") if np.__version__ >= "2" else (b"numpy.core.", b"numpy._core.")
    if raw[:1] != b"\x80" or raw[1] < 4:
        return raw.replace(old, new)
    parts = raw.split(old)  # a byte with the name's length stands before, the frame's length at the file's beginning
    step = len(new) - len(old)
    renamed = (
        new.join(part[:-1] + bytes([part[-1] + step]) for part in parts[:-1]) + (new if parts[1:] else b"") + parts[-1]
    )
    frame = int.from_bytes(raw[3:11], "little") + step * (len(parts) - 1)
    return renamed[:3] + frame.to_bytes(8, "little") + renamed[11:] if raw[2:3] == b"\x95" else renamed


def mutants(count: int, seed: int) -> Iterator[bytes]:
    """Damaged copies of the seeds: bits, bytes, cuts, pieces moved, instructions put in, two files joined."""
    draw = random.Random(seed)
    files = seeds()
    for _ in range(count):
        raw = bytearray(draw.choice(files))
        for _ in range(draw.choice((1, 1, 2, 4, 8))):
            at = draw.randrange(len(raw) + 1)
            match draw.randrange(7):
                case 0 if at < len(raw):
                    raw[at] ^= 1 << draw.randrange(8)
                case 1 if at < len(raw):
                    raw[at] = draw.randrange(256)
                case 2:
                    del raw[at : at + draw.randrange(1, 9)]
                case 3:
                    raw[at:at] = draw.choice(PIECES)
                case 4:
                    start = draw.randrange(len(raw) + 1)
                    raw[at:at] = raw[start : start + draw.randrange(1, 40)]
                case 5:
                    raw[at : at + 4] = draw.choice((b"\xff\xff\xff\xff", b"\x00\x00\x00\x00", b"\xff\xff\xff\x7f"))
                case 6 if draw.random() < 0.2:
                    other = draw.choice(files)
                    raw[at:] = other[draw.randrange(len(other)) :]
        yield bytes(raw)
