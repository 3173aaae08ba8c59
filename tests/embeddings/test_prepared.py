"""A clip as an encoder takes it: right-handed, in the encoder's frames."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from embeddings.clip import Clip
from embeddings.pose import write_pose
from embeddings.prepared import prepared
from embeddings.recordings import RecordingError
from embeddings.synthetic import SignWorld
from spotter import enroll
from spotter.cli.app import app
from spotter.enrolment import Exemplar

from ..spotter.worlds import small_world

WORLD = SignWorld(12, 8, minimal_pairs=0.0)


def left_hander() -> Clip:
    who = next(i for i in range(1, 120) if WORLD.signer(i).left_handed)
    return WORLD.clip(WORLD.signs[0], who)


def test_a_left_handed_signer_is_prepared_in_the_mirror() -> None:
    encoder, clip = small_world().encoder, left_hander()
    assert clip.pose is not None
    one, mirrored = prepared(clip, encoder), prepared(replace(clip, pose=clip.pose.mirrored()), encoder)
    np.testing.assert_array_equal(one.inputs["pose"], mirrored.inputs["pose"])
    assert one.clip is clip  # the clip itself keeps the signer's own hands


def test_embed_gives_a_left_hander_the_vector_that_enrol_gives(tmp_path: Path) -> None:
    clip, encoder = left_hander(), small_world().encoder
    assert clip.pose is not None
    file = write_pose(tmp_path / "LEFT.h5", clip.pose)
    done = CliRunner().invoke(app, ["embed", str(file), "-o", str(tmp_path / "vectors"), "--window", "15"])
    assert done.exit_code == 0, done.output
    with np.load(tmp_path / "vectors" / "LEFT.npz") as data:
        row = int(np.argmin(abs(data["start"] - 0.8)))
        span, vector = (float(data["start"][row]), float(data["end"][row])), data["vectors"][row]
    assert span[1] - span[0] == pytest.approx(15 / 25)
    enrolled = enroll([Exemplar("LEFT", file, span)], encoder=encoder).vectors[0]
    assert float(vector @ enrolled) > 0.9999
    # as it was filmed it is another vector
    asked = np.array([[span[0] * 25, span[1] * 25]])
    assert float(encoder.embed(encoder.prepare(clip), asked)[0] @ enrolled) < 0.99


def test_its_length_is_in_the_encoders_frames() -> None:
    encoder, clip = small_world().encoder, WORLD.clip(WORLD.signs[0])
    assert clip.pose is not None
    fast = replace(clip, pose=clip.pose.resample(50.0), fps=50.0, spans=())
    one = prepared(fast, encoder)
    assert len(one) == round(len(fast) / 2)
    assert one.duration == len(fast) / 50
    assert one.encoder_frames(10, 20) == (5, 10)
    assert one.rows(10, 20) == slice(5, 10)
    assert one.rows(len(fast) - 1, len(fast)) == slice(len(one) - 1, len(one))
    assert one.features.shape[0] == len(one)
    assert one.embed(np.array([[0, 16]])).shape == (1, encoder.dim)


def test_a_clip_without_frames_or_without_a_pose_is_named() -> None:
    encoder = small_world().encoder
    clip = WORLD.clip(WORLD.signs[0])
    assert clip.pose is not None
    with pytest.raises(ValueError, match="x: has no frames"):
        prepared(Clip("x", 25.0, clip.pose[:0]), encoder)
    said = r"x \(clip\): holds joint rotations, and encoder 'sign-tcn' needs a pose; give the video or a pose file"
    with pytest.raises(RecordingError, match=said):
        prepared(Clip("x", 25.0, extra={"rotations": np.zeros((2, 39, 3))}), encoder)
