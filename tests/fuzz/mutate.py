# ruff: noqa: E501
"""Mutants of a file: damage as disks and networks do it, and as somebody would who means harm."""

from __future__ import annotations

import io
import json
import random
import struct
import zipfile
from collections.abc import Sequence

__all__ = ["mutant"]

NUMBERS = (0, 1, 2, 7, 8, 127, 128, 255, 256, 32767, 65535, 1 << 16, 1 << 24, (1 << 31) - 1, 1 << 31, (1 << 32) - 1,
           1 << 40, (1 << 63) - 1, (1 << 64) - 1)  # fmt: skip
WORDS = (
    "NaN", "nan", "inf", "-inf", "Infinity", "1e999", "-1e999", "-1", "0", "1e-320", "9" * 400, "1" + "0" * 5000, "null", "true",
    "[]", "{}", '""', "[[[[[[[[", "{" * 50, "\0", "\r", "\n", "\r\n", "\x1b[2J", "\u2028", "\ud7ff", "\ufeff", "../../x",
    "%00", '"', "'", ",", ";", "\t", "=cmd()", "-->", "<", "&", "&#0;", "]]>", "1" * 30, "0x10", "1_000", "١", "²", "--", "99999999999",
)  # fmt: skip
TEXT_ENDINGS = (".csv", ".tsv", ".json", ".eaf", ".vtt", ".srt", ".textgrid", ".txt", ".toml")


def mutant(seeds: Sequence[bytes], name: str, key: str) -> bytes:
    """One mutant, the same for the same key.

    Args:
        seeds: whole files of the kind; name: of the file, its ending says what it is.
    """
    draw = random.Random(key)
    data = draw.choice(list(seeds))
    ending = "." + name.lower().rpartition(".")[2]
    way = draw.random()
    if ending == ".npz" and way < 0.8:
        return _zipped(data, draw)
    if ending == ".safetensors" and way < 0.7:
        return _headed(data, draw)
    if ending == ".json" and way < 0.5:
        return _json(data, draw)
    for _ in range(draw.choice((1, 1, 1, 2, 3, 8, 40))):
        data = _step(data, seeds, draw, ending in TEXT_ENDINGS)
    return data


def _step(data: bytes, seeds: Sequence[bytes], draw: random.Random, text: bool) -> bytes:
    size = len(data)
    at = draw.randrange(size) if size else 0
    end = min(size, at + draw.choice((1, 2, 4, 8, 16, 100, 1000)))
    way = draw.randrange(12 if text else 9)
    if way == 0 and size:
        return data[:at] + bytes([data[at] ^ 1 << draw.randrange(8)]) + data[at + 1 :]
    if way == 1 and size:
        return data[:at] + bytes([draw.randrange(256)]) + data[at + 1 :]
    if way == 2:
        return data[:at]
    if way == 3:
        return data[:at] + data[end:]
    if way == 4:
        return data[:at] + draw.randbytes(draw.choice((1, 2, 8, 64))) + data[at:]
    if way == 5:
        return data[:end] + data[at:end] * draw.choice((1, 2, 10, 100)) + data[end:]
    if way == 6:
        other = draw.choice(list(seeds))
        cut = draw.randrange(len(other) + 1)
        return data[:at] + other[cut:]
    if way == 7:
        number = draw.choice(NUMBERS)
        form = draw.choice(("<H", "<I", "<Q", ">H", ">I", ">Q"))
        width = struct.calcsize(form)
        return data[:at] + struct.pack(form, number & ((1 << 8 * width) - 1)) + data[at + width :]
    if way == 8:
        value = draw.choice((float("nan"), float("inf"), -float("inf"), -1.0, 0.0, 1e300, 5e-324))
        return data[:at] + (struct.pack("<d", value) if draw.random() < 0.5 else _float32(value)) + data[at + 8 :]
    return _word(data, draw)


def _float32(value: float) -> bytes:
    return struct.pack("<f", value if abs(value) < 3e38 or value in (float("inf"), -float("inf")) else 0.0)


def _word(data: bytes, draw: random.Random) -> bytes:
    """A number or word of a text gives way to another."""
    import re

    places = [m.span() for m in re.finditer(rb"-?\d+(?:\.\d+)?|[A-Za-z_]+", data)]
    start, end = draw.choice(places) if places else (0, 0)
    return data[:start] + draw.choice(WORDS).encode("utf-8", "surrogatepass") + data[end:]


def _json(data: bytes, draw: random.Random) -> bytes:
    """A value somewhere in the JSON gives way to another, its form being kept."""
    try:
        value = json.loads(data)
    except ValueError:
        return data
    holders = []

    def walk(part: object) -> None:
        if isinstance(part, dict):
            holders.extend((part, key) for key in part)
            for inner in list(part.values()):
                walk(inner)
        elif isinstance(part, list):
            holders.extend((part, place) for place in range(len(part)))
            for inner in part[:20]:
                walk(inner)

    walk(value)
    for _ in range(draw.choice((1, 1, 2, 5))):
        if not holders:
            break
        holder, key = draw.choice(holders)
        new = draw.choice(
            (
                None,
                True,
                0,
                -1,
                1.5,
                1e308,
                float("nan"),
                float("inf"),
                10**400,
                "",
                "x",
                "NaN",
                [],
                {},
                [[]],
                [1],
                {"a": 1},
                _deep(),
            )
        )
        try:
            if draw.random() < 0.2:
                del holder[key]  # type: ignore[attr-defined]
            else:
                holder[key] = new  # type: ignore[index]
        except (KeyError, IndexError):
            continue
    try:
        return json.dumps(value).encode()
    except ValueError:
        return data


def _deep() -> object:
    value: object = 0
    for _ in range(300):
        value = [value]
    return value


def _zipped(data: bytes, draw: random.Random) -> bytes:
    """The arrays of an `.npz` damaged one by one, with right checksums."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
    except Exception:
        return data
    name = draw.choice(sorted(members))
    way = draw.random()
    if way < 0.1:
        del members[name]
    elif way < 0.2:
        members[name] = members[draw.choice(sorted(members))]
    elif way < 0.5:
        shape = draw.choice(("()", "(0,)", "(1,)", "(99999999999,)", "(1, 1, 1, 1)", "(3, 0)", "(-1,)", "(2, 3)"))
        kind = draw.choice(("<f8", "<f4", "|O", "<U9", "|b1", "<i8", "<f2", "<c16", "|S4", "<M8[s]", "|V8", "<u1"))
        header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}"
        header += " " * (63 - (10 + len(header)) % 64) + "\n"
        body = members[name][128:]
        members[name] = b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header.encode() + body
    else:
        for _ in range(draw.choice((1, 1, 3, 20))):
            members[name] = _step(members[name], [members[name]], draw, False)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", draw.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        for inner, content in members.items():
            archive.writestr(inner, content)
    return out.getvalue()


def _headed(data: bytes, draw: random.Random) -> bytes:
    """The JSON header of a safetensors file, or the numbers behind it."""
    length = int.from_bytes(data[:8], "little")
    header, body = data[8 : 8 + length], data[8 + length :]
    if draw.random() < 0.4:
        at = draw.randrange(0, max(1, len(body) - 8))
        value = draw.choice((b"\0\0\xc0\x7f", b"\0\0\x80\x7f", b"\0\x7e\0\x7e", b"\0\x7c\0\x7c", b"\xff" * 4))
        body = body[:at] + value + body[at + 4 :]
    elif draw.random() < 0.6:
        try:
            facts = json.loads(header)
        except ValueError:
            return data
        holders = [facts, *(v for v in facts.values() if isinstance(v, dict))]
        inside = facts.get("__metadata__", {})
        texts = [key for key, value in inside.items() if isinstance(value, str) and value[:1] in "{["]
        if texts and draw.random() < 0.6:
            key = draw.choice(texts)
            inside[key] = _json(inside[key].encode(), draw).decode()
        else:
            header = _json(header, draw)
            facts = json.loads(header)
        assert holders
        header = json.dumps(facts).encode()
    else:
        header = _step(header, [header], draw, True)
    return struct.pack("<Q", len(header)) + header + body
