from __future__ import annotations

import numpy as np
import pytest
import torch

from embeddings.clip import Clip, Pose
from embeddings.encoders.graph import adjacency, bone_parents, drop_graph
from embeddings.encoders.sl_gcn import SLGCN, SLGCN3D, SLGCN3DConfig, SLGCNConfig
from embeddings.skeletons import SKELETONS

from ..test_clip import make_pose

SMALL = SLGCNConfig(streams=("joint", "bone", "motion"), widths=(16, 16, 32), head_units=1, part_dim=8, groups=8)


def test_published_sizes() -> None:
    with torch.device("meta"):
        flat, deep = SLGCN(), SLGCN3D()
    assert (len(flat.part_layers), flat.dim) == (81, 81 * 256)
    assert (len(deep.part_layers), deep.dim) == (39, 39 * 256)
    # without classifiers; the published 11.82 M and 9.71 M count the training classifier, whose size is not told
    assert sum(p.numel() for p in flat.parameters()) == pytest.approx(9.15e6, rel=0.01)
    assert sum(p.numel() for p in deep.parameters()) == pytest.approx(6.76e6, rel=0.01)


def test_embeddings_are_unit_rows_whose_product_is_the_mean_over_parts() -> None:
    torch.manual_seed(0)
    network = SLGCN(SMALL).eval()
    with torch.inference_mode():
        out = network({"joints": torch.randn(2, 16, 27, 3)})
        necked = network.neck(out.parts.flatten(1)).view_as(out.parts)
    torch.testing.assert_close(out.embedding.norm(dim=1), torch.ones(2))
    by_part = torch.cosine_similarity(necked[0], necked[1], dim=-1).mean()
    torch.testing.assert_close(out.embedding[0] @ out.embedding[1], by_part)


def test_bones_and_motion_of_a_hand_computed_case() -> None:
    network = SLGCN(SLGCNConfig(streams=("bone", "motion"), widths=(16,), head_units=1, part_dim=4))
    joints = torch.zeros(1, 2, 27, 3)
    joints[0, 0, 0] = torch.tensor([1.0, 2.0, 0.5])  # the nose, parent of both shoulders
    joints[0, 0, 1] = torch.tensor([4.0, 6.0, 0.7])
    joints[0, 1, 1] = torch.tensor([5.0, 6.5, 0.9])
    x = network.streams(joints)
    assert x.shape == (1, 6, 2, 27)
    assert x[0, :3, 0, 1].tolist() == pytest.approx([3.0, 4.0, 0.7])  # child − parent, own confidence
    assert x[0, :3, 0, 0].tolist() == pytest.approx([0.0, 0.0, 0.5])  # the root has no bone
    assert x[0, 3:, 0, 1].tolist() == pytest.approx([1.0, 0.5, 0.7])  # next − this
    assert x[0, 3:5, 1, 1].tolist() == [0.0, 0.0]  # nothing comes after the last frame


def test_nose_alignment_puts_the_nose_at_256_150_in_every_frame() -> None:
    pose = make_pose(5, "coco-wholebody-133")
    network = SLGCN(SLGCNConfig(widths=(16,), head_units=1, part_dim=4, alignment="nose"))
    joints = network.prepare(Clip("a", 25.0, pose))["joints"]
    np.testing.assert_allclose(joints[:, 0, 0] * 256 + 256, 256, atol=1e-3)
    np.testing.assert_allclose(joints[:, 0, 1] * 256 + 256, 150, atol=1e-3)


def test_body_alignment_forgets_place_and_size() -> None:
    pose = make_pose(5, "coco-wholebody-133")
    moved = Pose(pose.xy * 0.4 + 30, pose.confidence, pose.skeleton, 25.0, pose.size)
    network = SLGCN(SMALL)
    first, second = (network.prepare(Clip("a", 25.0, p))["joints"] for p in (pose, moved))
    np.testing.assert_allclose(first, second, atol=1e-4)


def test_missing_joints_are_borrowed_with_confidence_zero() -> None:
    pose = make_pose(5, "sl-gcn-27")
    pose.xy[2, 9] = np.nan
    pose.confidence[2, 9] = 0
    joints = SLGCN(SMALL).prepare(Clip("a", 25.0, pose))["joints"]
    np.testing.assert_array_equal(joints[2, 9, :2], joints[1, 9, :2])
    assert joints[2, 9, 2] == 0


def test_isolated_recipe_halves_time_twice() -> None:
    config = SLGCNConfig(widths=(16,) * 10, part_dim=4, strided=True, window=150)
    network = SLGCN(config).eval()
    seen = []
    network.units[-1].register_forward_hook(lambda *args: seen.append(args[2].shape[2]))
    with torch.inference_mode():
        network({"joints": torch.randn(1, 150, 27, 3)})
    assert seen == [38]


def test_three_dimensional_network_reads_rotations_and_names_what_it_lacks() -> None:
    network = SLGCN3D(SLGCN3DConfig(widths=(16,), part_dim=4)).eval()
    clip = Clip("a", 25.0, extra={"rotations": np.random.default_rng(0).normal(size=(20, 39, 3)).astype(np.float32)})
    vectors = network.embed(network.prepare(clip), np.array([[0, 16], [2, 18]]))
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    with pytest.raises(ValueError, match=r"extra\['rotations'\]"):
        network.prepare(Clip("b", 25.0, make_pose(4)))


def test_adjacency_links_what_the_skeleton_links() -> None:
    graph = adjacency("sl-gcn-27")
    parents = bone_parents("sl-gcn-27")
    assert graph.shape == (3, 27, 27)
    for parent, child in SKELETONS["sl-gcn-27"].edges:
        assert graph[1, child, parent] > 0
        assert graph[2, parent, child] > 0
        assert parents[child] == parent


def test_drop_graph_keeps_the_mean_and_drops_whole_joints_or_frames() -> None:
    torch.manual_seed(0)
    x = torch.ones(64, 3, 16, 27)
    neighbours = torch.from_numpy((adjacency("sl-gcn-27").sum(axis=0) > 0).astype(np.float32))
    y = drop_graph(x, neighbours, 0.9, 5)
    zero = (y == 0).all(dim=1)  # (B, T, V)
    assert 0.02 < zero.float().mean() < 0.5
    assert y.mean() == pytest.approx(1.0, abs=0.02)
    lines = zero.all(dim=1).any(dim=1) | zero.all(dim=2).any(dim=1)
    assert bool(lines[zero.flatten(1).any(dim=1)].all())


@pytest.mark.parametrize(
    ("change", "message"),
    [({"streams": ("depth",)}, "streams"), ({"alignment": "hip"}, "alignment"), ({"widths": (10,)}, "multiples")],
)
def test_a_wrong_config_says_what_is_wrong(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SLGCN(SLGCNConfig(**{"widths": (16,), "head_units": 1, **change}))
