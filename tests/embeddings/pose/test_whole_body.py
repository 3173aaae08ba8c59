"""The optional estimators: planted networks where their packages are installed, clear words where they are not."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from embeddings.pose import estimate
from embeddings.pose.estimate import make_estimator
from embeddings.pose.estimators.topdown import keypoint_rows
from embeddings.video import write_video

ROOT = Path(__file__).resolve().parents[3]
HAS_RTMLIB = all(importlib.util.find_spec(name) for name in ("rtmlib", "onnxruntime", "onnx"))
HAS_MMPOSE = all(importlib.util.find_spec(name) for name in ("mmpose", "mmcv", "mmengine"))


def test_scores_and_keypoints_in_our_terms() -> None:
    keypoints, scores = np.ones((133, 2)), np.full(133, 0.6)
    scores[0], scores[1], scores[2], keypoints[3, 0] = 1.4, 0.05, np.nan, np.nan
    xy, confidence, z, _ = keypoint_rows(keypoints, scores, min_confidence=0.1)
    assert confidence[:5].tolist() == pytest.approx([1, 0, 0, 0, 0.6])
    assert np.isnan(xy[1:4]).all()
    assert xy[0].tolist() == [1, 1]
    assert z is None
    with pytest.raises(ValueError, match=r"\(17, 2\); expected \(133, 2\)"):
        keypoint_rows(np.ones((17, 2)), np.ones(17), 0)


@pytest.mark.parametrize(
    ("name", "lacking", "line"),
    [
        ("rtmlib", "rtmlib", "pip install 'oneshot-sign-spotter[rtmlib]'"),
        ("mmpose", "mmcv", "pip install --no-deps mmpose==1.3.2"),
    ],
)
def test_a_missing_package_is_named_with_the_line_that_installs_it(name: str, lacking: str, line: str) -> None:
    code = (
        f"import sys; sys.modules[{lacking!r}] = None\n"
        f"from embeddings.pose.estimate import make_estimator\nmake_estimator({name!r}, checkpoint='x.onnx')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError")
    assert line in last


def planted_network(path: Path, width: int = 192, height: int = 256) -> Path:
    """Two SimCC outputs whose maxima do not depend on the picture: keypoint i at (i, 2 i) of the network's input."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    outputs, nodes, weights = [], [], []
    for name, length, step in (("simcc_x", 2 * width, 1), ("simcc_y", 2 * height, 2)):
        table = np.zeros((1, 133, length), np.float32)
        table[0, np.arange(133), np.minimum(2 * step * np.arange(133), length - 1)] = 0.8
        weights.append(numpy_helper.from_array(table, f"{name}_table"))
        nodes.append(helper.make_node("Add", [f"{name}_table", "nothing"], [name]))
        outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 133, length]))
    weights.append(numpy_helper.from_array(np.zeros(1, np.float32), "zero"))
    first = [
        helper.make_node("ReduceMean", ["input"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
    ]
    picture = helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, height, width])
    graph = helper.make_graph([*first, *nodes], "planted", [picture], outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return path


@pytest.mark.skipif(not HAS_RTMLIB, reason="rtmlib, onnxruntime and onnx are not installed (extra [rtmlib])")
def test_rtmlib_runs_a_planted_network_over_a_video(tmp_path: Path) -> None:
    network = planted_network(tmp_path / "wholebody.onnx")
    video = write_video(tmp_path / "a.mp4", [np.zeros((480, 640, 3), np.uint8)] * 3, 25)
    pose = estimate(video, "rtmlib", checkpoint=network)
    assert (pose.skeleton, len(pose), pose.size) == ("coco-wholebody-133", 3, (640, 480))
    assert pose.estimator.startswith("rtmlib ")
    assert pose.estimator.endswith(" wholebody")
    np.testing.assert_allclose(pose.confidence, 0.8, atol=1e-6)
    # the whole frame, 1.25 times as wide, made as tall as the network's input is: 800 × 1066.7 around the middle
    scale, left, top = 800 / 192, 320 - 400, 240 - 800 / 192 * 256 / 2
    expected = np.stack([np.arange(133) * scale + left, np.minimum(2 * np.arange(133), 255.5) * scale + top], axis=1)
    np.testing.assert_allclose(pose.xy[0], expected, atol=0.1)
    boxed = estimate(video, "rtmlib", checkpoint=network, box=(100, 50, 340, 370))
    # its box of 240 × 320, 1.25 times: 300 × 400 around (220, 210)
    np.testing.assert_allclose(boxed.xy[0, 10], [220 - 150 + 10 * 300 / 192, 210 - 200 + 20 * 400 / 256], atol=0.1)


@pytest.mark.skipif(not HAS_RTMLIB, reason="rtmlib, onnxruntime and onnx are not installed (extra [rtmlib])")
def test_rtmlib_refuses_what_is_no_whole_body_network(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"none\.onnx: no such model file"):
        make_estimator("rtmlib", checkpoint=tmp_path / "none.onnx")
    (tmp_path / "text.onnx").write_text("no network")
    with pytest.raises(ValueError, match=r"text\.onnx: not a readable ONNX model"):
        make_estimator("rtmlib", checkpoint=tmp_path / "text.onnx")


@pytest.mark.skipif(not HAS_MMPOSE, reason="mmpose is not installed (extra [mmpose])")
def test_mmpose_builds_a_whole_body_network_and_infers(tmp_path: Path) -> None:
    spec = importlib.util.find_spec("mmpose")
    assert spec is not None
    assert spec.origin is not None
    configs = Path(spec.origin).parent / ".mim/configs/wholebody_2d_keypoint/topdown_heatmap/coco-wholebody"
    config = configs / "td-hm_hrnet-w48_8xb32-210e_coco-wholebody-256x192.py"
    video = write_video(tmp_path / "a.mp4", [np.full((240, 320, 3), 90, np.uint8)] * 2, 25)
    pose = estimate(video, "mmpose", config=config)
    assert (pose.skeleton, len(pose), pose.size) == ("coco-wholebody-133", 2, (320, 240))
    assert pose.estimator.startswith("mmpose 1.")
    # random weights: anywhere in the box of the whole frame, 1.25 times
    seen = ~np.isnan(pose.xy[..., 0])
    assert seen.any()
    assert (np.abs(pose.xy[seen] - (160, 120)) <= np.array([200, 267])).all()
    assert "mmdet" not in sys.modules
    with pytest.raises(ValueError, match="needs the model's config file"):
        make_estimator("mmpose")
    with pytest.raises(ValueError, match=r"none\.pth: no such checkpoint file"):
        make_estimator("mmpose", config=config, checkpoint=tmp_path / "none.pth")
