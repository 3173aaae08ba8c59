"""Segment, then match: the published decoding by hand, and the whole way with a tiny TorchScript network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from typer.testing import CliRunner

from embeddings.clip import Pose
from eval.spotting import one_to_one_f1
from spotter.cli.app import app
from spotter.comparison.segments import SegmentMethod, cut_signs, network_input

from ..worlds import small_world, truth


def said(text: str) -> NDArray[np.float64]:
    """Log probabilities from letters: O, B, I sure; b a beginning of just 60 %; o an outside of just 50 %."""
    rows = {"O": (98, 1, 1), "B": (1, 98, 1), "I": (1, 1, 98), "b": (20, 60, 20), "o": (50, 1, 49),
            "i": (49, 1, 50)}  # fmt: skip
    return np.log(np.array([rows[letter] for letter in text]) / 100)


@pytest.mark.parametrize(
    ("frames", "spans"),
    [
        ("OOBIIIOO", [(2, 6)]),
        ("BBIIBII", [(0, 4), (4, 7)]),  # a beginning ends the sign before; the last sign ends with the video
        ("BBBBOB", [(0, 5), (5, 6)]),  # while it begins, nothing ends it; a beginning just after the end
        ("OBIoIIOO", [(1, 6)]),  # half outside is not outside
        ("OOIIIOI", [(2, 5), (6, 7)]),  # nothing begins: runs of inside
        ("OiIiO", [(2, 4)]),  # a run begins above 50 % and lasts while it is 50 %
        ("ObIIO", []),  # 60 % is not above 60 %, and yet a beginning: runs are not looked at
        ("OOO", []),
    ],
)
def test_the_published_decoding(frames: str, spans: list[tuple[int, int]]) -> None:
    assert cut_signs(said(frames)).tolist() == [list(span) for span in spans]


def test_shoulders_are_the_unit_and_legs_and_gaps_are_nothing() -> None:
    xy = np.full((2, 75, 2), 300, np.float32)
    pose = Pose(xy, np.ones((2, 75), np.float32), "mediapipe-holistic", 25, (640, 480), np.ones((2, 75), np.float32))
    for name, places in {
        "left_shoulder": [(200, 100), (200, 100)], "right_shoulder": [(100, 100), (50, 100)], "nose": [(137.5, 25)] * 2,
    }.items():  # fmt: skip
        xy[:, pose.joint(name)] = places
    pose.z[:, pose.joint("nose")] = -124  # type: ignore[index]
    xy[1, 40] = np.nan
    made = network_input(pose)
    # shoulders 100 and 150 apart: the unit is 125; their middles at 150 and 125, so the origin is (137.5, 100, 1)
    np.testing.assert_allclose(made[0, pose.joint("nose")], [0, -0.6, -1], atol=1e-6)
    np.testing.assert_allclose(made[1, 40], 0)
    np.testing.assert_allclose(made[:, 25:33], 0)
    assert (made[:, 24] != 0).any()
    pose.xy[:, pose.joint("left_shoulder")] = np.nan
    with pytest.raises(ValueError, match="shoulders were never seen"):
        network_input(pose)


class Marked(torch.nn.Module):
    """Says that a sign lies between the frames in which the nose is marked by a depth above 50."""

    def forward(self, pose: torch.Tensor) -> dict[str, torch.Tensor]:
        mark = pose[0, :, 0, 2]
        rows = torch.full((1, mark.shape[0], 3), -9.0)
        rows[0, :, 0] = torch.where(mark > 0.5, torch.tensor(-9.0), torch.tensor(-0.001))
        rows[0, :, 1] = torch.where(mark > 1.5, torch.tensor(-0.001), torch.tensor(-9.0))
        rows[0, :, 2] = torch.where((mark > 0.5) & (mark < 1.5), torch.tensor(-0.001), torch.tensor(-9.0))
        return {"sign": rows, "sentence": rows}


def test_true_cuts_name_the_signs(tmp_path: Path) -> None:
    w, file = small_world(), tmp_path / "network.pth"
    torch.jit.script(Marked()).save(str(file))
    queries = []
    for clip in w.queries:
        assert clip.pose is not None
        unit = np.nanmean(np.linalg.norm(clip.pose.xy[:, 11] - clip.pose.xy[:, 12], axis=1))
        z = np.zeros(clip.pose.xy.shape[:2], np.float32)
        for span in clip.spans:
            z[span.start : span.end, 0] = unit
            z[span.start, 0] = 2 * unit
        queries.append(replace(clip, pose=replace(clip.pose, z=z)))
    method = SegmentMethod.of(file)
    assert method.spans(queries[0]).tolist() == [[s.start, s.end] for s in queries[0].spans]
    found = method.detections(w.exemplars, queries)
    assert one_to_one_f1(truth(queries), {v: [(d.sign, d.start, d.end) for d in r] for v, r in found.items()}).f1 > 0.8
    (only,) = method.detections(w.exemplars, queries[:1], known={"query-1": "sign-007"})["query-1"]
    assert only.sign == "sign-007"


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "no.pth").write_bytes(b"no network")
    done = CliRunner().invoke(
        app, ["eval", "compare", "--data", "procedural:5?signs=3&videos=2&each=1", "--methods", "segment-match",
              "--segmenter", str(tmp_path / "no.pth")]
    )  # fmt: skip
    assert "is no TorchScript file" in str(done.exception)
    torch.jit.script(torch.nn.Linear(3, 3)).save(str(tmp_path / "other.pth"))
    with pytest.raises(ValueError, match="does not map normalised poses"):
        SegmentMethod.of(tmp_path / "other.pth").spans(small_world().queries[0])
