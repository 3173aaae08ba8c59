from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from embeddings.encoders.base import EncoderOutput
from embeddings.training.losses import LossWeights, PartTriplet, TripletCrossEntropy


def naive_triplet(vectors: torch.Tensor, labels: torch.Tensor, margin: float) -> float:
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


@pytest.mark.parametrize("seed", range(4))
def test_the_triplet_term_is_the_formula_for_each_part(seed: int) -> None:
    torch.manual_seed(seed)
    parts, labels = torch.randn(10, 3, 5) * 0.3, torch.randint(0, 3, (10,))
    expected = sum(naive_triplet(parts[:, p], labels, 0.2) for p in range(3)) / 3
    assert float(PartTriplet(0.2)(parts, labels)) == pytest.approx(expected, rel=1e-4)


def test_the_terms_are_weighted_and_either_may_stand_alone() -> None:
    torch.manual_seed(0)
    out = EncoderOutput(torch.randn(6, 4), torch.randn(6, 2, 4), torch.randn(6, 3))
    labels = torch.tensor([0, 0, 1, 1, 2, 2])
    both = TripletCrossEntropy(LossWeights(triplet=2.0, cross_entropy=0.5))(out, labels)
    assert out.logits is not None
    expected = 2 * both["triplet"] + 0.5 * F.cross_entropy(out.logits, labels)
    torch.testing.assert_close(both["loss"], expected)
    alone = TripletCrossEntropy(LossWeights(cross_entropy=0))(out._replace(logits=None), labels)
    assert set(alone) == {"loss", "triplet"}


def test_what_cannot_be_computed_is_refused() -> None:
    with pytest.raises(ValueError, match="both loss weights are 0"):
        TripletCrossEntropy(LossWeights(0, 0))
    out = EncoderOutput(torch.randn(4, 4), torch.randn(4, 1, 4), None)
    with pytest.raises(ValueError, match="no classifier"):
        TripletCrossEntropy()(out, torch.tensor([0, 0, 1, 1]))
