"""Files made to do harm, one attack each; `tests/fuzz` has the damaged ones."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from eval.segments import Segment, SegmentError, read_segments
from safe_files import ArraysError, HDF5Error, JSONError, boundary, open_hdf5, parse_json, read_json, read_npz, reader


def external_storage(file: h5py.File) -> None:
    file.create_dataset("a", shape=(64,), dtype="u1", external=[("/etc/passwd", 0, 64)])


def external_link(file: h5py.File) -> None:
    file["a"] = h5py.ExternalLink("/etc/hostname", "a")


def soft_link(file: h5py.File) -> None:
    file["a"] = h5py.SoftLink("/b")


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((2,), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "a", (2,))
    file.create_virtual_dataset("a", layout)


def unwritten(file: h5py.File) -> None:
    file.create_dataset("a", shape=(20_000, 20_000), dtype="f4", chunks=(100, 100))


def own_parent(file: h5py.File) -> None:
    file.create_group("a/b")
    file["a/b/c"] = file["a"]


def reference(file: h5py.File) -> None:
    file["b"] = 1
    file["a"] = np.array([file["b"].ref], dtype=h5py.ref_dtype)


ATTACKS: list[tuple[Callable[[h5py.File], None], str]] = [
    (external_storage, "values in another file"), (external_link, "a link to another place"),
    (soft_link, "a link to another place"), (virtual, "values in another file"),
    (unwritten, "more than the file can hold"),
    (own_parent, "is the same group as"), (reference, "expected numbers or texts"),
]  # fmt: skip


@pytest.mark.parametrize(("attack", "reason"), ATTACKS, ids=lambda value: getattr(value, "__name__", ""))
def test_hdf5_that_leaves_its_file_is_refused(attack: Callable[[h5py.File], None], reason: str, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        attack(file)
    with pytest.raises(HDF5Error, match=rf"x\.h5: not a readable HDF5 file \(.*{reason}"):
        open_hdf5(tmp_path / "x.h5")


def test_good_hdf5_opens_and_a_changed_file_is_gone_through_again(tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    for _ in range(2):
        with h5py.File(path, "w") as file:
            file.create_dataset("a/b", data=np.arange(5.0), compression="gzip").attrs["name"] = "HOUSE"
        with open_hdf5(path) as file:
            assert file["a/b"][:].tolist() == [0, 1, 2, 3, 4]
            assert file["a/b"].attrs["name"] == "HOUSE"
        path.write_bytes(path.read_bytes()[:-100])
        with pytest.raises(HDF5Error, match="not a readable HDF5 file"):
            open_hdf5(path)
    (tmp_path / "empty.h5").touch()
    for name, reason in (("empty.h5", "empty"), ("none.h5", "No such file"), ("", "not an HDF5 file")):
        with pytest.raises(HDF5Error, match=reason):
            open_hdf5(tmp_path / name)


def npz(path: Path, header: str, body: bytes = b"") -> Path:
    text = (header + " " * (63 - (10 + len(header)) % 64) + "\n").encode()
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text + body)
    path.write_bytes(content.getvalue())
    return path


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999,), }", "more than the file can hold"),
        ("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", "describes no plain array"),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }", "has 8 bytes; its header says 16"),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (), }", ""),
        ("{'descr': __import__('os'), 'fortran_order': False, 'shape': (), }", "describes no plain array"),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }", "describes no plain array"),
    ],
)
def test_npz_headers(header: str, reason: str, tmp_path: Path) -> None:
    path = npz(tmp_path / "x.npz", header, struct.pack("<d", 2.5))
    if not reason:
        assert float(read_npz(path)["a"]) == 2.5
        return
    with pytest.raises(ArraysError, match=rf"x\.npz: 'a' .*{reason}"):
        read_npz(path)


def test_arrays_come_back(tmp_path: Path) -> None:
    made = {
        "a": np.arange(6.0).reshape(2, 3).T,
        "b": np.array("HOUSE"),
        "c": np.zeros((0, 3), np.int8),
        "d": np.array([b"x"]),
    }
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "x.npz", **made)
        for name, array in read_npz(tmp_path / "x.npz").items():
            np.testing.assert_array_equal(array, made[name])
            assert array.dtype == made[name].dtype
    with pytest.raises(KeyError, match="lacks e; it holds a, b, c, d"):
        read_npz(tmp_path / "x.npz", ["a", "e"])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": NaN}', "finite numbers only"), ("[1e999]", "expected a finite one"), ("1" * 500, "500 digits"),
        ("[" * 5000 + "]" * 5000, "100 deep"), ("[" * 101 + "]" * 101, "100 deep"),
        ('{"a": ', "line 1: not valid JSON"),
    ],
)  # fmt: skip
def test_json_is_strict(text: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(JSONError, match=rf"x\.json.*{reason}"):
        read_json(tmp_path / "x.json")


def test_json_as_others_write_it() -> None:
    value = {"a": [1, -2.5e3, "ä\u2028", None, True], "b": {"c": []}}
    assert parse_json(json.dumps(value)) == parse_json(json.dumps(value).encode()) == value
    assert parse_json("[" * 100 + "]" * 100)


def test_whatever_goes_wrong_is_the_declared_error_and_names_the_file(tmp_path: Path) -> None:
    @reader(SegmentError)
    def read(path: Path, error: Exception) -> None:
        raise error

    for error in (
        KeyError("a"),
        OverflowError("too large"),
        RecursionError(),
        IndexError("5"),
        OSError(5, "I/O error"),
    ):
        with pytest.raises(SegmentError, match=r"x\.csv: cannot be read \("):
            read(tmp_path / "x.csv", error)
    with pytest.raises(SegmentError, match=r"^x\.csv, line 3: wrong$"):
        read(tmp_path / "x.csv", SegmentError("x.csv, line 3: wrong"))
    with pytest.raises(ImportError), boundary(tmp_path, SegmentError):
        raise ImportError


# --- ELAN --------------------------------------------------------------------------------------------------------


def elan(path: Path, inside: str, slots: str = '<TIME_SLOT TIME_SLOT_ID="t1" TIME_VALUE="100"/>'
         '<TIME_SLOT TIME_SLOT_ID="t2" TIME_VALUE="900"/>', encoding: str = "UTF-8") -> Path:  # fmt: skip
    path.write_text(f'<?xml version="1.0" encoding="{encoding}"?><ANNOTATION_DOCUMENT><TIME_ORDER>{slots}</TIME_ORDER>'
                    f"{inside}</ANNOTATION_DOCUMENT>")  # fmt: skip
    return path


ALIGNED = (
    '<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a0" TIME_SLOT_REF1="t1" TIME_SLOT_REF2="t2">'
    "<ANNOTATION_VALUE>TREE</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>"
)


def chain(length: int, first: str = "a0") -> str:
    return "".join(
        f'<ANNOTATION><REF_ANNOTATION ANNOTATION_ID="a{k}" ANNOTATION_REF="{first if k == 1 else f"a{k - 1}"}">'
        f"<ANNOTATION_VALUE>V{k}</ANNOTATION_VALUE></REF_ANNOTATION></ANNOTATION>"
        for k in range(length, 0, -1)
    )


def test_a_chain_of_dependent_annotations_is_followed_once(tmp_path: Path) -> None:
    """20,000 of them, the last first: looked up one from another, each way is walked once."""
    path = elan(tmp_path / "x.eaf", f'<TIER TIER_ID="a">{ALIGNED}</TIER><TIER TIER_ID="b">{chain(20_000)}</TIER>')
    (rows,) = read_segments(path).values()
    assert len(rows) == 20_001
    assert {(row.start, row.end) for row in rows} == {(0.1, 0.9)}


def test_annotations_that_refer_to_each_other_are_named(tmp_path: Path) -> None:
    path = elan(tmp_path / "x.eaf", f'<TIER TIER_ID="b">{chain(3, first="a3")}</TIER>')
    with pytest.raises(SegmentError, match=r"x\.eaf: annotation a\d refers to annotation a\d, which refers back"):
        read_segments(path)


def test_tiers_inside_tiers_are_none(tmp_path: Path) -> None:
    path = elan(tmp_path / "x.eaf", '<TIER TIER_ID="a">' * 3000 + ALIGNED + "</TIER>" * 3000)
    assert read_segments(path) == {"x": []}


@pytest.mark.parametrize("time", ["inf", "nan", "-5", "1e999", "x"])
def test_times_that_are_none(time: str, tmp_path: Path) -> None:
    slots = f'<TIME_SLOT TIME_SLOT_ID="t1" TIME_VALUE="{time}"/><TIME_SLOT TIME_SLOT_ID="t2" TIME_VALUE="9"/>'
    with pytest.raises(SegmentError, match=r"x\.eaf: a time slot's value is"):
        read_segments(elan(tmp_path / "x.eaf", f'<TIER TIER_ID="a">{ALIGNED}</TIER>', slots))


def test_an_encoding_that_nobody_knows(tmp_path: Path) -> None:
    with pytest.raises(SegmentError, match=r"x\.eaf.*not valid XML"):
        read_segments(elan(tmp_path / "x.eaf", "", encoding="martian"))


def test_a_video_cannot_lead_out_of_the_folder_of_results(tmp_path: Path) -> None:
    from eval.annotations.challenge import write_submission

    with pytest.raises(ValueError, match="cannot be a file's name"):
        write_submission(tmp_path / "out", {"../../x": [Segment("../../x", "1", 0.0, 1.0)]})
    assert list(tmp_path.rglob("*.txt")) == []


def test_a_line_separator_is_a_part_of_its_cue(tmp_path: Path) -> None:
    path = tmp_path / "x.vtt"
    path.write_text("WEBVTT\n\n00:01.000 --> 00:02.000\nA\u2028B\x85C\n\n00:03.000 --> 00:04.000\nD\n")
    assert [row.sign for row in read_segments(path)["x"]] == ["A B C", "D"]


def test_a_title_in_another_encoding_does_not_make_a_video_unreadable(tmp_path: Path) -> None:
    import av

    from embeddings.video import probe

    with av.open(str(tmp_path / "film.mp4"), "w") as out:
        out.metadata["title"] = "TITLE-TITLE"
        stream = out.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        for _ in range(3):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), "rgb24")))
        out.mux(stream.encode())
    data = (tmp_path / "film.mp4").read_bytes()
    assert b"TITLE-TITLE" in data
    (tmp_path / "odd.mp4").write_bytes(data.replace(b"TITLE-TITLE", b"TITLE-T\xeeTLE"))
    assert probe(tmp_path / "odd.mp4").fps == probe(tmp_path / "film.mp4").fps == 25
