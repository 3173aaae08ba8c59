"""Names of recordings: each file once, each name once."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embeddings.recordings import Recording, RecordingError, file_name, file_of, identified


def recording(path: str, kind: str = "video", part: str = "", name: str = "") -> Recording:
    where = Path(path)
    holds = frozenset({"frames"} if kind == "video" else {"pose"})
    return Recording(where, name or where.stem, kind, holds, part)


def names(*paths: str, root: str | None = None) -> list[str]:
    found = identified([recording(path) for path in paths], None if root is None else Path(root))
    return [r.name for r in found.recordings]


def test_stems_and_folders_only_where_stems_are_the_same() -> None:
    assert names("/d/a/x.mp4", "/d/a/y.mp4") == ["x", "y"]
    assert names("/d/a/x.mp4", "/d/b/x.mp4", "/d/b/y.mp4") == ["a/x", "b/x", "y"]
    assert names("/d/1/a/x.mp4", "/d/2/a/x.mp4") == ["1/a/x", "2/a/x"]
    assert names("/d/a/x.mp4", "/d/a/x.mov") == ["a/x.mp4", "a/x.mov"]
    assert names("/d/a/X.mp4", "/d/b/x.mp4") == ["a/X", "b/x"], "some file systems do not tell them apart"


def test_a_root_names_all_by_their_path() -> None:
    assert names("/d/a/x.mp4", "/d/y.mp4", root="/d") == ["a/x", "y"]
    with pytest.raises(RecordingError, match="does not lie in"):
        names("/e/x.mp4", root="/d")


def test_the_same_file_is_searched_once() -> None:
    found = identified([recording("/d/x.mp4"), recording("/d/../d/x.mp4"), recording("/d/y.mp4")])
    assert [r.name for r in found.recordings] == ["x", "y"]
    assert len(found.repeated) == 1


def test_clips_of_files_of_many_are_told_apart_by_their_file() -> None:
    clips = [recording(f"/d/{file}.h5", "pose store", "talk", "talk") for file in ("one", "two")]
    assert [r.name for r in identified(clips).recordings] == ["one/talk", "two/talk"]


def test_files_of_names() -> None:
    assert file_of(Path("p"), "a/x", ".pose") == Path("p/a/x.pose")
    assert file_name("what? a/b", ".eaf") == "what_ a_b.eaf"
    long = file_name("ñ" * 300, ".eaf")
    assert len(long.encode()) <= 200
    assert long != file_name("ñ" * 299, ".eaf")


FOLDERS = st.lists(st.sampled_from(["a", "b", "A", "c d"]), max_size=3).map("/".join)
PATHS = st.builds(
    lambda folder, stem, end: f"/d/{folder}/{stem}.{end}",
    FOLDERS,
    st.sampled_from("xyX"),
    st.sampled_from(["mp4", "mov"]),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(PATHS, max_size=8))
def test_no_two_files_have_one_name(paths: list[str]) -> None:
    found = [r.name.casefold() for r in identified([recording(path) for path in paths]).recordings]
    assert len(set(found)) == len(found) == len({str(Path(p).resolve()) for p in paths})
