"""Exemplars for encoders that look at pictures: trimmed by their poses, like those of encoders that look at poses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from embeddings.clip import Clip
from embeddings.encoders.i3d import I3D, I3DConfig
from embeddings.encoders.vtn import VTNHC, VTNConfig
from embeddings.pose import write_pose
from embeddings.video import write_video
from gallery import Gallery
from spotter import SpottingOptions, enroll, spot
from spotter.enrolment import Exemplar

from .worlds import small_world

RATES = (50.0, 30.0)
SMALL = VTNConfig(backbone="mobilenet_v3_small", layers=1, heads=2, size=32)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two signs at two frame rates: grey films with their poses beside them."""
    folder = tmp_path_factory.mktemp("dictionary of films")
    for clip, fps in zip(small_world().exemplars, RATES, strict=False):
        assert clip.pose is not None
        pose = clip.pose.resample(fps)
        width, height = pose.size
        scale = 64 / height
        small = replace(pose, xy=pose.xy * scale, size=(round(width * scale), 64))
        frames = (np.full((64, small.size[0], 3), 60 + i % 90, np.uint8) for i in range(len(pose)))
        write_video(folder / f"{clip.label}.mp4", frames, fps)
        write_pose(folder / f"{clip.label}.pose", small)
    return folder


def spans(gallery: Gallery) -> dict[str, tuple[float, float]]:
    return {f"{f['source']}".partition(".")[0]: (f["start"], f["end"]) for f in gallery.facts}


def test_spans_are_those_of_the_pose_gallery(clips: Path) -> None:
    torch.manual_seed(0)
    by_pose = spans(enroll(clips))
    for network in (I3D(I3DConfig(width=0.125, size=32)).eval(), VTNHC(SMALL).eval()):
        gallery = enroll(clips, encoder=network)
        assert len(by_pose) == 2
        for name, (start, end) in spans(gallery).items():
            expected = by_pose[name]
            assert start == pytest.approx(expected[0], abs=1 / 25)
            assert end == pytest.approx(expected[1], abs=1 / 25)
            assert end - start < 0.8 * _seconds(clips / f"{name}.mp4")
        assert [len(f) for f in gallery.features if f is not None] == [f["frames"] for f in gallery.facts]


def _seconds(film: Path) -> float:
    from embeddings.video import probe

    return probe(film).duration


def test_the_vector_is_that_of_the_span(clips: Path) -> None:
    torch.manual_seed(0)
    network = I3D(I3DConfig(width=0.125, size=32)).eval()
    trimmed = enroll(clips, encoder=network)
    given = [
        Exemplar(label, clips / f"{label}.mp4", spans(trimmed)[label]) for label in trimmed.exemplar_labels
    ]  # fmt: skip
    again = enroll(given, encoder=network)
    np.testing.assert_allclose(again.vectors, trimmed.vectors, atol=1e-4)
    whole = enroll(clips, encoder=network, trim=False)
    for label, (start, end) in spans(whole).items():
        assert start == 0
        assert end == pytest.approx(_seconds(clips / f"{label}.mp4"), abs=0.05)
    options = SpottingOptions(window=16, stride=8, refine=False)
    assert len(spot(clips / f"{trimmed.labels[0]}.mp4", trimmed, network, options)) > 0


def test_what_cannot_be_trimmed_is_said() -> None:
    torch.manual_seed(0)
    from embeddings.encoders.sl_gcn import SLGCN3D, SLGCN3DConfig

    network = SLGCN3D(SLGCN3DConfig(widths=(16, 16), head_units=1, part_dim=8, groups=8)).eval()
    rotations = Clip("A", 25.0, label="A", extra={"rotations": np.zeros((40, 39, 3), np.float32)})
    with pytest.warns(UserWarning, match="A: has no pose to trim it by; it is taken whole"):
        gallery = enroll([rotations], encoder=network)
    assert (gallery.facts[0]["start"], gallery.facts[0]["end"]) == (0, 40 / 25)
