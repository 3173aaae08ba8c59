"""Tiny videos whose frames say which one they are, in every odd shape a test needs."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

BITS = 8


def numbered(i: int, width: int = 64, height: int = 48) -> np.ndarray:
    """A picture that holds its number as eight black or white stripes (readable after lossy coding)."""
    stripes = np.array([255 * (i >> b & 1) for b in range(BITS)], np.uint8)
    row = np.repeat(stripes, width // BITS)
    row = np.pad(row, (0, width - len(row)))
    return np.repeat(np.repeat(row[None], height, axis=0)[..., None], 3, axis=2)


def number_of(picture: np.ndarray) -> int:
    """The number of a `numbered` picture, after any coding and resizing."""
    width = picture.shape[1] // BITS
    middle = picture[picture.shape[0] // 2, width // 2 :: width, 0][:BITS]
    return sum(1 << b for b, level in enumerate(middle) if level > 127)


def write_timed(path: Path, times_ms: Sequence[int], audio: bool = False, gop: int = 12, last_ms: int = 40) -> Path:
    """A video of numbered pictures shown at the given milliseconds (any spacing)."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.time_base = Fraction(1, 1000)
        stream.codec_context.time_base = Fraction(1, 1000)
        stream.options = {"crf": "18", "preset": "ultrafast", "g": str(gop)}
        sound = out.add_stream("aac", rate=16000) if audio else None
        ends = [*times_ms[1:], times_ms[-1] + last_ms]
        for i, (at, end) in enumerate(zip(times_ms, ends, strict=True)):
            frame = av.VideoFrame.from_ndarray(numbered(i), format="rgb24")
            frame.pts, frame.time_base, frame.duration = at, Fraction(1, 1000), end - at
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
        if sound is not None:
            _sing(out, sound, seconds=times_ms[-1] / 1000 + 0.04)
    return path


def write_sound(path: Path) -> Path:
    with av.open(str(path), "w") as out:
        _sing(out, out.add_stream("aac", rate=16000), seconds=1.0)
    return path


def _sing(out: av.container.OutputContainer, sound: av.stream.Stream, seconds: float) -> None:
    for k in range(int(16000 * seconds) // 1024):
        tone = np.sin(np.arange(k * 1024, (k + 1) * 1024) / 20).astype(np.float32)[None] * 0.2
        frame = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
        frame.rate, frame.pts, frame.time_base = 16000, k * 1024, Fraction(1, 16000)
        out.mux(sound.encode(frame))
    out.mux(sound.encode())


MATRICES = {
    0: (1, 0, 0, 1),
    90: (0, 1, -1, 0),  # shown turned clockwise by a quarter, as telephones write it
    180: (-1, 0, 0, -1),
    270: (0, -1, 1, 0),
}


def turn(path: Path, clockwise: int) -> Path:
    """Sets the display matrix of an MP4's only track, in the bytes of its `tkhd` box."""
    raw = bytearray(path.read_bytes())
    box = raw.index(b"tkhd")
    matrix = box + 4 + 4 + 20 + 8 + 8  # name; version, flags; times, id, duration; reserved; layer, volume
    a, b, c, d = (v * 65536 for v in MATRICES[clockwise])
    assert struct.unpack(">9i", raw[matrix : matrix + 36])[8] == 1 << 30, "not the matrix"
    raw[matrix : matrix + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(raw)
    return path
