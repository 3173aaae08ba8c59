"""Fetches the networks of the estimator `holistic` out of MediaPipe's wheel and checks them.

    python scripts/make/fetch_holistic.py [--wheel mediapipe-0.10.21-….whl]

The files are MediaPipe's, under the Apache Licence 2.0; version 0.10.21 is the newest whose wheel holds them. They are
the same in the wheel of every platform. All are unchanged but the body's landmarks: the branch that draws a mask of the
person, and the landmarks in metres, are taken out, which nothing here reads. Without `--wheel` pip downloads the wheel
for Linux on x86-64 and Python 3.11. Exit code 1, and nothing changed, when a file is not the one that is expected.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from safe_files import write_bytes

FOLDER = Path(__file__).parents[2] / "embeddings" / "weights" / "holistic"
FILES = {
    "pose_detection.tflite": (
        "mediapipe/modules/pose_detection/pose_detection.tflite",
        "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
    ),
    "pose_landmark_full.tflite": (
        "mediapipe/modules/pose_landmark/pose_landmark_full.tflite",
        "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
    ),
    "hand_landmark_full.tflite": (
        "mediapipe/modules/hand_landmark/hand_landmark_full.tflite",
        "11c272b891e1a99ab034208e23937a8008388cf11ed2a9d776ed3d01d0ba00e3",
    ),
    "hand_landmark_lite.tflite": (
        "mediapipe/modules/hand_landmark/hand_landmark_lite.tflite",
        "048edd3645c9bf7397d19a9f6e3a42957d6e414c9bea6598030a2e9b624156e6",
    ),
    "LICENSE": (
        "mediapipe-0.10.21.dist-info/LICENSE",
        "8707eef0533987efc5b155d64761eeb6e20793f50b9bd1a68dad1cf4719d0ed8",
    ),
}
"""Name → path in the wheel, SHA-256."""
PRUNED = {
    "pose_landmark_full.tflite": (
        (0, 1, 3),
        "853abb8f826a3932ca3b2b91d2fd65fc9fc7b639aad8d0095385c3b06d8db616",
    ),
}
"""Name → outputs that stay (landmarks, presence, heat maps), SHA-256 of what is left."""


def pruned(content: bytes, outputs: Sequence[int]) -> bytes:
    """The network without the operations and weights that only other outputs need."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model: Any = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    graph = model.subgraphs[0]
    needed = {graph.outputs[i] for i in outputs}
    graph.outputs = np.array([graph.outputs[i] for i in outputs], np.int32)
    staying = []
    for operation in reversed(graph.operators):
        if any(tensor in needed for tensor in operation.outputs):
            staying.append(operation)
            needed |= {tensor for tensor in operation.inputs if tensor >= 0}
    graph.operators = staying[::-1]
    used = needed | set(graph.inputs) | {tensor for operation in staying for tensor in operation.outputs}
    for number, tensor in enumerate(graph.tensors):
        if number not in used:
            model.buffers[tensor.buffer].data = None
    model.signatureDefs = None
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def check(name: str, content: bytes, expected: str) -> None:
    digest = hashlib.sha256(content).hexdigest()
    if digest != expected:
        raise SystemExit(f"{name}: SHA-256 {digest}; expected {expected}")


def downloaded(folder: Path) -> Path:
    """The wheel, by pip."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    platform = ["--platform", "manylinux_2_28_x86_64", "--python-version", "3.11"]
    subprocess.run([*command, *platform, "--dest", str(folder), "mediapipe==0.10.21"], check=True)
    return next(folder.glob("mediapipe-*.whl"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheel", type=Path, help="MediaPipe's wheel, where it is there already")
    wheel = parser.parse_args().wheel
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(wheel or downloaded(Path(folder))) as archive:
        contents = {name: archive.read(inside) for name, (inside, _) in FILES.items()}
    for name, content in contents.items():
        check(name, content, FILES[name][1])
    for name, (outputs, expected) in PRUNED.items():
        contents[name] = pruned(contents[name], outputs)
        check(f"{name}, pruned", contents[name], expected)
    for name, content in contents.items():
        write_bytes(FOLDER / name, content)
        print(f"{name}: {len(content)} bytes")


if __name__ == "__main__":
    main()
