"""Fitted weights: odds that are right, for every set of encoders that says something."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from spotter.fusion.calibration import FusedCalibration, fit_fusion


def development(seed: int = 0, count: int = 20000) -> tuple[np.ndarray, np.ndarray]:
    """(values of three encoders, truth): log odds are −2 + 1.5 a + .5 b; the third encoder says the contrary."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(count, 3))
    odds = -2 + 1.5 * values[:, 0] + 0.5 * values[:, 1]
    true = rng.random(count) < 1 / (1 + np.exp(-odds))
    values[:, 2] -= true
    return values, true


def test_weights_are_recovered_and_none_is_negative() -> None:
    values, true = development()
    fitted = fit_fusion(["a", "b", "c"], False, values, true)
    bias, weights = fitted.maps["0+1"]
    assert bias == pytest.approx(-2, abs=0.1)
    assert weights == pytest.approx((1.5, 0.5), abs=0.1)
    assert fitted.maps["0+1+2"][1][2] == 0
    assert set(fitted.maps) == {"0", "1", "2", "0+1", "0+2", "1+2", "0+1+2"}


def test_what_says_nothing_is_left_out_and_probabilities_stay_right() -> None:
    values, true = development()
    fitted = fit_fusion(["a", "b", "c"], False, values, true)
    fresh, truth = development(1)
    for missing in ((), (1, 2), (0, 2)):
        said = [None if m in missing else fresh[:, m] for m in range(3)]
        shares = 1 / (1 + np.exp(-fitted.log_odds(said)))
        for low, high in ((0.0, 0.1), (0.1, 0.3), (0.3, 0.7)):
            here = (shares >= low) & (shares < high)
            if here.sum() > 300:
                assert truth[here].mean() == pytest.approx(shares[here].mean(), abs=0.04)
    holes = fresh.copy()
    holes[::2, 1] = np.nan
    odds = fitted.log_odds([holes[:, 0], holes[:, 1], None])
    np.testing.assert_allclose(odds[::2], fitted.log_odds([fresh[::2, 0], None, None]))
    np.testing.assert_allclose(odds[1::2], fitted.log_odds([fresh[1::2, 0], fresh[1::2, 1], None]))
    with pytest.raises(ValueError, match="no encoder says anything"):
        fitted.log_odds([None, None, None])


def test_it_is_kept_whole_and_damage_is_named(tmp_path: Path) -> None:
    values, true = development(count=500)
    fitted = fit_fusion(["a", "b", "c"], True, values, true, facts={"worlds": 3})
    fitted.save(tmp_path / "fused.json")
    assert FusedCalibration.load(tmp_path / "fused.json") == fitted
    text = (tmp_path / "fused.json").read_text()
    for wrong in ("", "[]", text.replace('"0+1+2"', '"0+1+7"'), text.replace('"bias": ', '"bias": NaN, "x": ')):
        (tmp_path / "wrong.json").write_text(wrong)
        with pytest.raises(ValueError, match=r"wrong\.json: not a readable calibration of fused encoders"):
            FusedCalibration.load(tmp_path / "wrong.json")
    with pytest.raises(ValueError, match="are all alike"):
        fit_fusion(["a"], False, values[:, :1], np.zeros(500, bool))
