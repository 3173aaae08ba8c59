"""Made-up signs can be performed, and minimal pairs are minimal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from embeddings.synthetic import (
    ARRANGEMENTS,
    HANDSHAPES,
    LOCATIONS,
    MOVEMENT_KINDS,
    PARAMETERS,
    Draws,
    Movement,
    Posture,
    Sign,
    differences,
    minimal_pair,
    random_sign,
)  # fmt: skip
from embeddings.synthetic.lexicon import feasible

SIGNS = [random_sign(Draws(i), f"s{i}") for i in range(150)]


def test_random_signs_are_feasible_and_varied() -> None:
    assert all(feasible(sign) for sign in SIGNS[:30])
    assert {s.arrangement for s in SIGNS} == set(ARRANGEMENTS)
    assert {len(s.postures) for s in SIGNS} == {1, 2, 3}
    assert {m.kind for s in SIGNS for m in s.movements} == set(MOVEMENT_KINDS)
    assert len({p.location for s in SIGNS for p in s.postures}) >= len(LOCATIONS) - 2
    assert len({p.handshape.name for s in SIGNS for p in s.postures}) > 60


def test_fifteen_places_in_the_order_of_the_location_vector() -> None:
    names = list(LOCATIONS)
    assert len(names) == 15
    assert names[0] == "neutral space"
    assert names[5:8] == ["mouth", "chin", "cheeks"]
    assert names[13:] == ["arm", "other hand"]


@pytest.mark.parametrize("parameter", PARAMETERS)
def test_minimal_pairs_differ_in_one_parameter(parameter: str) -> None:
    rng, found = Draws(1), 0
    for sign in SIGNS[:12]:
        try:
            other = minimal_pair(sign, parameter, rng, "pair")
        except RuntimeError:  # some arms can face their palm only one way, or hold it so in one place only
            continue
        assert differences(sign, other) == (parameter,)
        assert feasible(other)
        found += 1
    assert found >= 8


def test_same_seed_same_sign() -> None:
    assert random_sign(Draws(3), "a") == random_sign(Draws(3), "a")
    assert differences(SIGNS[0], replace(SIGNS[0], label="other")) == ()


def test_an_arm_cannot_do_everything() -> None:
    away = Posture(HANDSHAPES["B"], "shoulders", "away", "up", contact=True)
    assert not feasible(Sign("x", (away,), (Movement(),)))


def test_wrong_signs_are_refused() -> None:
    posture = Posture(HANDSHAPES["5"], "chin", "body", "up")
    with pytest.raises(ValueError, match="one to three"):
        Sign("x", (), ())
    with pytest.raises(ValueError, match="0 movements for 1 postures"):
        Sign("x", (posture,), ())
    with pytest.raises(ValueError, match="base-hand"):
        Sign("x", (posture,), (Movement(),), "base-hand")
    with pytest.raises(ValueError, match="location 'knee' is not known; expected one of neutral space"):
        Posture(HANDSHAPES["5"], "knee", "body", "up")
    with pytest.raises(ValueError, match="movement kind 'jump'"):
        Movement("jump")
    with pytest.raises(ValueError, match="parameter 'colour'"):
        minimal_pair(SIGNS[0], "colour", Draws(0))
