"""Spliced streams: spans where the signs are, no jump at the seams, other signers than the exemplars', by seed."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from embeddings.clip import Clip
from embeddings.synthetic import SignWorld
from spotter.enrolment import exemplar_span

from ...conftest import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "scripts"))
from scripts.real.streams import BRIDGE, FPS, StreamSet, crossed, placed, real_streams, splice


@pytest.fixture(scope="module")
def clips() -> list[Clip]:
    """Two takes of three signs by two signers, whose cameras stand differently."""
    world = SignWorld(31, 3)
    return [
        replace(
            world.clip(sign, signer=who, camera=who, take=take), name=f"{sign.label}-{who}-{take}", signer=f"s{who}"
        )
        for sign in world.signs
        for who in (1, 2)
        for take in (0, 1)
    ]


def test_spans_hold_the_very_frames_of_the_sign(clips: list[Clip]) -> None:
    parts = [placed(c) for c in clips[:3]]
    stream = splice("all", parts, {str(c.label) for c in parts})
    assert len(stream) == sum(map(len, parts)) + 2 * BRIDGE
    for part, span in zip(parts, stream.spans, strict=True):
        start, end = exemplar_span(part)
        assert span.label == part.label
        np.testing.assert_array_equal(stream.pose.xy[span.start : span.end], part.pose.xy[start:end])


def test_seams_have_no_jump_and_bodies_one_size(clips: list[Clip]) -> None:
    parts = [placed(clips[0]), placed(clips[2])]
    stream = splice("two", parts, ())
    assert stream.spans == ()
    seam = len(parts[0])
    steps = np.linalg.norm(np.diff(stream.pose.xy[seam - 1 : seam + BRIDGE + 1], axis=0), axis=-1)
    whole = np.linalg.norm(parts[1].pose.xy[0] - parts[0].pose.xy[-1], axis=-1)
    np.testing.assert_allclose(steps, np.broadcast_to(whole / (BRIDGE + 1), steps.shape), rtol=1e-3, atol=2e-3)
    widths = [_shoulder_width(part) for part in parts]
    assert widths[0] == pytest.approx(widths[1], rel=1e-4)
    assert stream.fps == FPS


def _shoulder_width(clip: Clip) -> float:
    left, right = (clip.pose.xy[:, clip.pose.joint(f"{side}_shoulder")] for side in ("left", "right"))
    return float(np.nanmedian(np.linalg.norm(left - right, axis=1)))


def test_each_signer_in_turn_and_never_in_their_own_streams(clips: list[Clip]) -> None:
    sets = crossed("set", clips, streams=2, each=3, seed=4)
    assert list(sets) == ["set/s1", "set/s2"]
    for name, (exemplars, queries) in sets.items():
        signer = name.partition("/")[2]
        assert {c.signer for c in exemplars} == {signer}
        assert signer not in {q.signer for q in queries}
        assert sorted(str(c.label) for c in exemplars) == sorted({s.label for q in queries for s in q.spans})
        assert [len(q.spans) for q in queries] == [3, 3]
    again = crossed("set", clips, streams=2, each=3, seed=4)
    other = crossed("set", clips, streams=2, each=3, seed=5)
    assert _spans(again) == _spans(sets) != _spans(other)


def _spans(sets: dict[str, StreamSet]) -> list:
    return [q.spans for found in sets.values() for q in found.queries]


def test_nothing_to_splice_is_an_error() -> None:
    with pytest.raises(ValueError, match="no clips to splice"):
        splice("empty", [], ())


@pytest.mark.real
def test_real_sets_pair_other_people(real_data: Path, tmp_path: Path) -> None:
    for name in ("ksl77_koala_videos", "ksl13_apache"):
        (tmp_path / name).symlink_to(real_data / name)
    sets = real_streams(tmp_path)
    assert {name.partition("/")[0] for name in sets} == {"ksl-13", "ksl-20"}
    for exemplars, queries in sets.values():
        labels = {c.label for c in exemplars}
        assert all(span.label in labels and 0 <= span.start < span.end <= len(q) for q in queries for span in q.spans)
        assert len({q.name for q in queries}) == len(queries)
