"""Every loss is its formula, computed slowly here; windows without a sign count where they should and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from embeddings.encoders.base import EncoderOutput
from embeddings.training.losses import (
    LOSSES,
    Change,
    CosineSoftmax,
    CrossEntropy,
    Loss,
    Objective,
    PartTriplet,
    SmoothL1,
    SupervisedContrast,
    Triplet,
)

RNG = np.random.default_rng(0)


def naive_triplet(vectors: Tensor, labels: Tensor, margin: float) -> float:
    """Every triplet in turn; the mean of those that are not zero."""
    values = []
    for a in range(len(labels)):
        for p in range(len(labels)):
            for n in range(len(labels)):
                if a != p and labels[a] == labels[p] and labels[a] != labels[n]:
                    d = (vectors[a] - vectors[p]).norm() - (vectors[a] - vectors[n]).norm() + margin
                    if d > 0:
                        values.append(float(d))
    return sum(values) / len(values) if values else 0.0


def naive_contrast(vectors: Tensor, labels: Tensor, temperature: float) -> float:
    """Khosla et al. 2020, equation 2 (the sum over positives outside the logarithm); anchors without a positive are
    left out."""
    unit, values = F.normalize(vectors, dim=1), []
    for a in range(len(labels)):
        others = [k for k in range(len(labels)) if k != a]
        positives = [k for k in others if labels[k] == labels[a]]
        likeness = {k: float(unit[a] @ unit[k]) / temperature for k in others}
        total = np.log(sum(np.exp(v) for v in likeness.values()))
        if positives:
            values.append(-np.mean([likeness[p] - total for p in positives]))
    return float(np.mean(values))


def batch(labels: Tensor, classes: int = 3) -> dict[str, Tensor]:
    return {"label": labels, "sign": labels < classes}


@pytest.mark.parametrize("seed", range(4))
def test_the_triplet_term_is_the_formula_for_each_part(seed: int) -> None:
    torch.manual_seed(seed)
    parts, labels = torch.randn(10, 3, 5) * 0.3, torch.randint(0, 3, (10,))
    out = EncoderOutput(parts[:, 1], parts, None)
    expected = sum(naive_triplet(parts[:, p], labels, 0.2) for p in range(3)) / 3
    assert float(PartTriplet(margin=0.2)(out, batch(labels), None, RNG)) == pytest.approx(expected, rel=1e-4)
    whole = naive_triplet(parts[:, 1], labels, 0.3)
    assert float(Triplet(margin=0.3)(out, batch(labels), None, RNG)) == pytest.approx(whole, rel=1e-4)
    unit = F.normalize(parts, dim=-1)
    expected = sum(naive_triplet(unit[:, p], labels, 0.2) for p in range(3)) / 3
    normalised = PartTriplet(normalise=True)(out, batch(labels), None, RNG)
    assert float(normalised) == pytest.approx(expected, rel=1e-4)


def test_some_parts_are_drawn() -> None:
    torch.manual_seed(0)
    parts, labels = torch.randn(8, 6, 4), torch.arange(8) % 2
    each = [naive_triplet(parts[:, p], labels, 0.2) for p in range(6)]
    out = EncoderOutput(parts[:, 0], parts, None)
    values = {
        round(float(PartTriplet(parts=1)(out, batch(labels), None, np.random.default_rng(k))), 4) for k in range(60)
    }
    assert values == {round(v, 4) for v in each}


def test_supervised_contrast_is_the_formula_and_sees_windows_without_a_sign() -> None:
    torch.manual_seed(1)
    vectors, labels = torch.randn(9, 6), torch.tensor([0, 0, 1, 1, 1, 2, 2, 3, 4])  # 3 and 4 are no signs
    out = EncoderOutput(vectors, vectors[:, None], None)
    value = SupervisedContrast(temperature=0.2)(out, batch(labels), None, RNG)
    assert float(value) == pytest.approx(naive_contrast(vectors, labels, 0.2), rel=1e-4)
    assert float(value) != pytest.approx(naive_contrast(vectors[:7], labels[:7], 0.2), rel=1e-2)


def test_classifiers_see_signs_alone() -> None:
    torch.manual_seed(2)
    vectors, logits, labels = torch.randn(6, 4), torch.randn(6, 3), torch.tensor([0, 1, 2, 1, 3, 4])
    out = EncoderOutput(F.normalize(vectors, dim=1), vectors[:, None], logits)
    value = CrossEntropy(smoothing=0.1)(out, batch(labels), None, RNG)
    log = logits[:4].log_softmax(1)
    slow = [-(0.9 * log[k, labels[k]] + 0.1 * log[k].mean()) for k in range(4)]
    assert float(value) == pytest.approx(float(torch.stack(slow).mean()), rel=1e-5)
    softmax = CosineSoftmax(scale=5.0)
    head = softmax.head(4, 3)
    assert isinstance(head, nn.Linear)
    cosines = torch.stack([F.cosine_similarity(vectors, w[None], dim=1) for w in head.weight], dim=1)
    expected = F.nll_loss((5 * cosines[:4]).log_softmax(1), labels[:4])
    assert float(softmax(out, batch(labels), head, RNG).detach()) == pytest.approx(float(expected.detach()), rel=1e-5)


def test_a_network_that_classifies_by_parts_has_a_cross_entropy_for_each() -> None:
    """Two parts, two classes: log(1 + e^3.2) = 3.23995 and log(1 + e^-2) = 0.126928, their mean; not the cross-entropy
    of the mean scores, log(1 + e^0.6) = 1.03749. A window without a sign is left out."""
    scores = torch.tensor([[[9.6, 12.8], [16.0, 14.0]], [[0.0, 9.0], [9.0, 0.0]]])
    vectors = torch.zeros(2, 4)
    out = EncoderOutput(vectors, vectors.view(2, 2, 2), scores.mean(dim=1), scores)
    value = CrossEntropy()(out, batch(torch.tensor([0, 2]), classes=2), None, RNG)
    assert float(value) == pytest.approx((3.239953 + 0.126928) / 2, rel=1e-5)


def test_values_and_their_change_by_hand() -> None:
    from embeddings.training.frame_network import FrameOutput

    values = torch.tensor([[[0.1, 1.0], [0.4, 1.0]], [[0.0, 0.0], [0.0, 3.0]]])  # (2, V = 2, K = 2)
    target = torch.zeros(2, 2, 2)
    given = {"target": target, "weight": torch.tensor([0.5, 1.5])}
    out = FrameOutput(values, values[:, 0])
    # below β: d² / 2β; above: d − β / 2
    first = 0.5 * (0.1**2 / 0.4 + (1.0 - 0.1)) / 2
    assert float(SmoothL1(beta=0.2)(out, given, None, RNG)) == pytest.approx(first / 2, rel=1e-5)
    change = 0.5 * (0.3 - 0.05) / 2, 1.5 * (3.0 - 0.05) / 2
    assert float(Change(beta=0.1)(out, given, None, RNG)) == pytest.approx(sum(change) / 2, rel=1e-5)


class Fixed(nn.Module):
    """A network that says what it is told, of which one number can be trained."""

    required_inputs = ("x",)
    dim = 4

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))
        self.classes = classes

    def forward(self, inputs: dict[str, Tensor]) -> EncoderOutput:
        x = inputs["x"] * self.scale
        return EncoderOutput(F.normalize(x, dim=1), x[:, None], x[:, : self.classes] if self.classes else None)


def test_the_terms_are_weighted_and_what_weighs_nothing_is_left_out() -> None:
    torch.manual_seed(0)
    given = {"x": torch.randn(6, 4), **batch(torch.tensor([0, 0, 1, 1, 2, 2]))}
    terms: dict[str, Loss] = {
        "triplet": Triplet(2.0),
        "cross_entropy": CrossEntropy(0.5),
        "cosine_softmax": CosineSoftmax(0),
    }
    both = Objective(Fixed(3), terms, 3, seed=0)(given, step=0)
    assert set(both) == {"loss", "triplet", "cross_entropy"}
    torch.testing.assert_close(both["loss"], 2 * both["triplet"] + 0.5 * both["cross_entropy"])
    alone = Objective(Fixed(0), {"triplet": Triplet()}, 3, seed=0)(given, step=0)
    assert set(alone) == {"loss", "triplet"}
    with pytest.raises(ValueError, match="no classifier"):
        Objective(Fixed(0), {"cross_entropy": CrossEntropy()}, 3, seed=0)(given, step=0)


def test_weights_of_a_loss_are_trained_and_give_the_class_vectors() -> None:
    torch.manual_seed(0)
    objective = Objective(Fixed(0), {"cosine_softmax": CosineSoftmax()}, 3, seed=0)
    given = {"x": torch.randn(6, 4), **batch(torch.tensor([0, 0, 1, 1, 2, 2]))}
    objective(given, 0)["loss"].backward()
    vectors = objective.class_vectors()
    assert vectors is not None
    assert vectors.shape == (3, 4)
    head = objective.heads["cosine_softmax"].weight
    assert head.grad is not None
    assert head.grad.abs().sum() > 0
    assert Objective(Fixed(0), {"triplet": Triplet()}, 3, seed=0).class_vectors() is None


def test_losses_are_computed_in_32_bits_whatever_the_network() -> None:
    torch.manual_seed(0)
    objective = Objective(Fixed(0), {"cosine_softmax": CosineSoftmax()}, 3, seed=0)
    given = {"x": torch.randn(6, 4), **batch(torch.tensor([0, 0, 1, 1, 2, 2]))}
    with torch.autocast("cpu", torch.bfloat16):
        mixed = objective(given, 0)["loss"]
    out, head = Fixed(0)({"x": given["x"]}), objective.heads["cosine_softmax"]
    assert torch.equal(mixed, CosineSoftmax()(out, given, head, RNG))


def test_every_loss_has_a_default_and_says_what_it_is() -> None:
    for kind in LOSSES.values():
        assert kind().weight == 1.0
        assert kind.__doc__
