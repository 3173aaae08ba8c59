from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
import torch

from embeddings.clip import Clip, Pose
from embeddings.encoders import load_encoder
from embeddings.encoders.checkpoint import load_checkpoint, save_checkpoint
from embeddings.encoders.graph import adjacency, bone_parents, drop_graph
from embeddings.encoders.graph_layers import Attention, DecoupledGraphConv, PartClassifier
from embeddings.encoders.sl_gcn import SLGCN, SLGCN3D, SLGCN3DConfig, SLGCNConfig
from embeddings.skeletons import SKELETONS

from ..test_clip import make_pose

SMALL = SLGCNConfig(streams=("joint", "bone", "motion"), widths=(16, 16, 32), head_units=1, part_dim=8, groups=8)


PUBLISHED_EDGES = (
    "0-1 0-2 1-3 3-5 2-4 4-6 5-7 6-17 7-8 7-9 7-11 7-13 7-15 9-10 11-12 13-14 15-16 17-18 17-19 17-21 17-23 17-25 "
    "19-20 21-22 23-24 25-26"
)


@pytest.mark.parametrize("streams", [("joint",), ("joint", "bone", "motion")])
def test_published_sizes(streams: tuple[str, ...]) -> None:
    """11.82 M and 9.71 M, with 80 classes for each part, and with the constants that the published code counts: of
    each unit an identity matrix a channel (4·64 + 3·128 + 3·256 = 1408 in all) and the adjacency of all joints."""
    with torch.device("meta"):
        flat = SLGCN(SLGCNConfig(streams=streams, classes=80))
        deep = SLGCN3D(SLGCN3DConfig(streams=streams, classes=80))
    assert (len(flat.part_layers), flat.dim) == (81, 81 * 256)
    assert (len(deep.part_layers), deep.dim) == (39, 39 * 256)
    for network, joints, published in ((flat, 27, 11.82), (deep, 39, 9.71)):
        constants = (1408 + 10) * joints**2
        assert round((sum(p.numel() for p in network.parameters()) + constants) / 1e6, 2) == published
    if streams == ("joint",):  # counted by hand from the published layers
        assert sum(p.numel() for p in flat.parameters()) + 1418 * 27**2 == 11_822_992
        assert sum(p.numel() for p in deep.parameters()) + 1418 * 39**2 == 9_709_000


def test_bones_are_the_published_edges() -> None:
    edges = {tuple(map(int, pair.split("-"))) for pair in PUBLISHED_EDGES.split()}
    assert set(SKELETONS["sl-gcn-27"].edges) == edges


def test_columns_of_the_learned_adjacency_are_divided_by_their_sum() -> None:
    layer = DecoupledGraphConv(1, 1, np.array([[[1.0, 3.0], [1.0, 1.0]]], np.float32), 1, "sum").eval()
    graph = layer.normalised_adjacency()[0, 0]
    np.testing.assert_allclose(graph.detach(), [[1 / 2.001, 3 / 4.001], [1 / 2.001, 1 / 4.001]], rtol=1e-6)
    # the joint with five fingers: its five fifths sum to one, and their length is 1 / √5
    published = DecoupledGraphConv(16, 16, adjacency("sl-gcn-27"), 16, "sum").normalised_adjacency()
    shipped = DecoupledGraphConv(16, 16, adjacency("sl-gcn-27"), 16, "length").normalised_adjacency()
    assert published[1, 0, :, 7].sum().item() == pytest.approx(1 / 1.001, rel=1e-5)
    assert shipped[1, 0, :, 7].sum().item() == pytest.approx(5**0.5, rel=1e-3)


def test_graph_convolution_of_a_hand_computed_case() -> None:
    layer = DecoupledGraphConv(1, 1, np.array([[[1.0, 3.0], [1.0, 1.0]]], np.float32), 1, "sum").eval()
    with torch.no_grad():
        layer.linear.weight.fill_(1.0)
        layer.linear.bias.zero_()  # type: ignore[union-attr]
        y = layer(torch.tensor([2.0, 5.0]).view(1, 1, 1, 2))
    # from row to column: 2·1 + 5·1 and 2·3 + 5·1, over the sums; a tenth of that (batch norm) on top of the input
    expected = [2 + 0.1 * 7 / 2.001, 5 + 0.1 * 11 / 4.001]
    np.testing.assert_allclose(y.flatten(), expected, rtol=1e-4)


def test_attention_adds_what_it_weighs_space_first_then_time_then_channels() -> None:
    attention = Attention(2, 1)
    y = torch.ones(1, 2, 1, 1)
    np.testing.assert_allclose(attention(y).detach().flatten(), 1.5**3)  # σ(0) = .5 in each, y·σ + y
    with torch.no_grad():
        attention.spatial.bias.fill_(1.0)  # type: ignore[union-attr]
        attention.temporal.weight[:, :, 4] = 1.0
        attention.squeeze.weight.fill_(1.0)
        attention.squeeze.bias.zero_()
        attention.excite.weight.fill_(1.0)
    # 1 + σ(1) = 1.7310586; · (1 + σ(2 · 1.7310586)) = 3.4094753; · (1 + σ(2 · 3.4094753)) = 6.8152308
    np.testing.assert_allclose(attention(y).detach().flatten(), 6.8152308, rtol=1e-6)


def test_drop_graph_is_in_the_last_four_units() -> None:
    network = SLGCN(SLGCNConfig(widths=(8,) * 10, groups=8, part_dim=4)).train()
    differs = []
    for number, unit in enumerate(network.units):
        x = torch.randn(2, 3 if number == 0 else 8, 16, 27, generator=torch.Generator().manual_seed(number)).abs()
        results = []
        for seed in range(4):
            torch.manual_seed(seed)
            results.append(unit(x))
        differs.append(any(not torch.equal(results[0], other) for other in results[1:]))
    assert differs == [False] * 6 + [True] * 4


def test_drop_graph_is_in_both_branches_of_a_unit() -> None:
    network = SLGCN(SLGCNConfig(widths=(8,) * 10, groups=8, part_dim=4)).train()
    with patch("embeddings.encoders.graph_layers.drop_graph", side_effect=lambda x, *_: x) as dropped:
        network({"joints": torch.randn(2, 16, 27, 3)})
    assert dropped.call_count == 8  # four units, before the sum and on the residual


def test_each_part_is_classified_by_the_cosines_with_its_own_class_vectors() -> None:
    classifier = PartClassifier(2, 2, 2, 16.0)
    with torch.no_grad():
        classifier.weight.copy_(torch.tensor([[[2.0, 0.0], [0.0, 5.0]], [[1.0, 0.0], [0.0, 1.0]]]))
        scores = classifier(torch.tensor([[[3.0, 4.0], [1.0, 0.0]]]))
    # cosines .6 and .8 of part 0, 1 and 0 of part 1, however long the vectors are
    np.testing.assert_allclose(scores, [[[9.6, 12.8], [16.0, 0.0]]], atol=1e-5)
    with torch.no_grad():  # class vectors (0, 3) and (4, 3) of part 0: columns of its matrix
        classifier.weight[0] = torch.tensor([[0.0, 4.0], [3.0, 3.0]])
        scores = classifier(torch.tensor([[[0.0, 2.0], [1.0, 0.0]]]))
    np.testing.assert_allclose(scores[0, 0], [16.0, 9.6], atol=1e-5)
    torch.manual_seed(0)
    network = SLGCN(SLGCNConfig(widths=(8,), head_units=1, part_dim=4, groups=8, classes=3)).eval()
    out = network({"joints": torch.randn(2, 16, 27, 3)})
    assert out.part_logits is not None
    assert out.logits is not None
    assert out.part_logits.shape == (2, 27, 3)
    torch.testing.assert_close(out.logits, out.part_logits.mean(dim=1))


def test_the_shipped_weights_are_read_as_they_were_trained(tmp_path: Path) -> None:
    network = load_encoder("sl-gcn")
    assert (network.config.adjacency, network.config.part_bias, network.config.classifier) == ("length", True, "joint")
    x = torch.from_numpy(np.random.default_rng(5).normal(size=(1, 16, 27, 3)).astype(np.float32))
    with torch.inference_mode():
        vector = network({"joints": x}).embedding[0]
    expected = [-0.01754264, 0.02424615, 0.01525102, -0.03702125]  # of the code that they were trained with
    np.testing.assert_allclose(vector[[0, 1, 100, -1]], expected, atol=2e-6)
    published = SLGCN(SLGCNConfig(widths=(8,), head_units=1, part_dim=4, groups=8, classes=2))
    assert load_checkpoint(save_checkpoint(tmp_path / "new.safetensors", published)).config == published.config


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
    seen: list[int] = []
    for unit in network.units:
        unit.register_forward_hook(lambda *args: seen.append(args[2].shape[2]))
    with torch.inference_mode():
        network({"joints": torch.randn(1, 150, 27, 3)})
    assert seen == [150] * 4 + [75] * 3 + [38] * 3  # at units 5 and 8
    assert all(unit.temporal.stride == (1, 1) for unit in SLGCN(replace(config, strided=False, window=16)).units)


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


def test_drop_graph_drops_the_neighbours_of_a_joint_too() -> None:
    # joint 0 alone has features and so is the only one to be chosen; it drops 1, which it is linked to, and not 2
    x = torch.zeros(200, 1, 4, 3)
    x[..., 0] = 1.0
    linked = torch.tensor([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    torch.manual_seed(0)
    with patch("embeddings.encoders.graph.F.max_pool1d", lambda seeds, *_, **__: torch.zeros_like(seeds)):
        mask = drop_graph(x + 1e-9, linked, 0.5, 1) / (x + 1e-9)
    dropped = (mask == 0).all(dim=2)[:, 0]  # (B, V)
    assert 20 < dropped[:, 0].sum() < 200
    torch.testing.assert_close(dropped[:, 1], dropped[:, 0])
    assert not dropped[:, 2].any()


@pytest.mark.parametrize(
    ("change", "message"),
    [({"streams": ("depth",)}, "streams"), ({"alignment": "hip"}, "alignment"), ({"widths": (10,)}, "multiples")],
)
def test_a_wrong_config_says_what_is_wrong(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SLGCN(SLGCNConfig(**{"widths": (16,), "head_units": 1, **change}))
