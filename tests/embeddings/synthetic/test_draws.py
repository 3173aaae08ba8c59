"""Random numbers that are the same everywhere: known answers, distributions, and whole worlds by their bytes."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from scipy import stats

from embeddings.synthetic import Draws, Noise, SignWorld
from embeddings.synthetic.draws import on_grid
from embeddings.synthetic.filming.look import random_look
from embeddings.synthetic.filming.render import render_video

MANY = 200_000


def test_philox_gives_its_published_numbers() -> None:
    # Random123's known answer (kat_vectors: philox4x64-10, counter 0, key 0); NumPy counts up before it draws
    last = np.full(4, 2**64 - 1, np.uint64)
    raw = np.random.Philox(key=np.zeros(2, np.uint64), counter=last).random_raw(4).tolist()
    assert raw == [0x16554D9ECA36314C, 0xDB20FE9D672D0FDC, 0xD7E772CEE186176B, 0x7E68B68AEC7BA23B]


def test_uniform_numbers_are_the_upper_bits_of_philox_keyed_by_the_words() -> None:
    digest = hashlib.blake2b(b"7\x1fname", digest_size=16).digest()
    key = np.frombuffer(digest, "<u8").astype(np.uint64)
    expected = [(int(r) >> 11) / 2**53 for r in np.random.Philox(key=key).random_raw(5)]
    assert Draws(7, "name").random(5).tolist() == expected


@pytest.mark.parametrize("method", ["random", "normal"])
def test_an_array_holds_what_single_draws_give(method: str) -> None:
    one, many = Draws(3), Draws(3)
    single = [getattr(one, method)() for _ in range(400)]
    arguments = (400,) if method == "random" else (0.0, 1.0, 400)
    assert getattr(many, method)(*arguments).tolist() == single  # equal to the last bit, tails included


def test_keys_are_apart() -> None:
    first = {Draws(*key).random() for key in [(1,), (1, 2), (12,), ("1", "2", ""), ("signs",), (1, "signs")]}
    assert len(first) == 6
    assert Draws(1, 2).random() == Draws("1", "2").random()


def test_distributions() -> None:
    rng = Draws("distributions")
    assert stats.kstest(rng.random(MANY), "uniform").pvalue > 0.01
    assert stats.kstest(rng.uniform(-2.0, 3.0, MANY), stats.uniform(-2, 5).cdf).pvalue > 0.01
    assert stats.kstest(rng.normal(1.0, 2.0, MANY), stats.norm(1, 2).cdf).pvalue > 0.01
    counts = np.bincount(rng.integers(3, 9, MANY), minlength=9)[3:]
    assert stats.chisquare(counts).pvalue > 0.01
    tries = np.bincount(rng.geometric(0.3, MANY), minlength=40)[1:20]
    assert stats.chisquare(tries, tries.sum() * _share(stats.geom(0.3).pmf(np.arange(1, 20)))).pvalue > 0.01
    for mean in (0.4, 3.0, 40.0):
        events = np.array([rng.poisson(mean) for _ in range(20_000)])
        assert events.mean() == pytest.approx(mean, rel=0.03)
        assert events.var() == pytest.approx(mean, rel=0.05)
    picked = np.bincount([rng.choice(3, p=[1, 2, 5]) for _ in range(20_000)])
    assert stats.chisquare(picked, np.array([2500, 5000, 12500])).pvalue > 0.01
    orders = [tuple(rng.permutation("abc")) for _ in range(6000)]
    assert stats.chisquare([orders.count(o) for o in sorted(set(orders))]).pvalue > 0.01
    assert len(set(orders)) == 6


def _share(values: np.ndarray) -> np.ndarray:
    return np.asarray(values / values.sum())


def test_normal_quantiles_are_the_textbooks() -> None:
    class Planted(Draws):
        def random(self, size: object = None) -> object:  # type: ignore[override]
            shares = np.array([0.5, 0.975, 0.025, 0.9995, 1e-9, 2.0**-53, 1 - 2.0**-53, 0.0])
            return shares if size is not None else float(shares[1])

    found = Planted().normal(0.0, 1.0, 8)
    assert found[1:5] == pytest.approx([1.959963984540054, -1.959963984540054, 3.290526731491926, -5.997807015], 1e-9)
    assert abs(found[0]) < 1e-15
    assert np.isfinite(found).all()
    assert found[7] == found[5] < -8 < 8 < found[6]  # the lowest two share the first of 2^52 steps


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda r: r.integers(0), "between 1"),
        (lambda r: r.integers(5, 5), "between 1"),
        (lambda r: r.choice(3, p=[1, 2]), "one each"),
        (lambda r: r.choice(3, p=[1, 2, -1]), "none negative"),
        (lambda r: r.choice(3, 4, replace=False), "smaller size"),
        (lambda r: r.geometric(0.0), "above 0"),
        (lambda r: r.poisson(-1.0), "between 0"),
    ],
)
def test_impossible_draws_are_refused(call, message) -> None:
    with pytest.raises(ValueError, match=message):
        call(Draws(0))


def test_grid_rounds_to_exact_multiples() -> None:
    values = np.array([0.1, -0.1, 3.00048828125, 1e-9, np.nan])
    rounded = on_grid(values, 10)
    assert [Fraction(v) for v in rounded[:4]] == [Fraction(102, 1024), Fraction(-102, 1024), Fraction(3072, 1024), 0]
    assert np.isnan(rounded[4])
    assert on_grid(0.1, 10) == rounded[0]
    assert not np.signbit(on_grid(np.array([-1e-9]), 10)).any()


def world_bytes(folder: Path) -> dict[str, str]:
    """Hashes of what a small world consists of."""
    world = SignWorld(2026, 24)
    performance = world.perform([0, 1, 2], signer=1, fps=15.0, take=1)
    noisy = world.continuous([3, 4, 5], 2, 2, noise=Noise(), fillers=1.0, pauses=0.3, rotations=True)
    camera = world.camera(3)
    video = render_video(folder / "clip.mp4", performance.figure, random_look(Draws(1)), camera)
    assert noisy.pose is not None
    parts = {
        "signs": repr(world.signs).encode(),
        "figure": performance.figure.xyz.tobytes(),
        "pose": camera.project(performance.figure).xy.tobytes(),
        "noisy": b"".join(a.tobytes() for a in (noisy.pose.xy, noisy.pose.confidence)),
        "rotations": noisy.extra["rotations"].tobytes(),
        # decoded: the encoder writes its version into the file
        "video": b"".join(f.to_ndarray(format="yuv420p").tobytes() for f in av.open(str(video)).decode(video=0)),
    }
    return {name: hashlib.sha256(content).hexdigest()[:16] for name, content in parts.items()}


PINNED = {
    "signs": "a28e9ccc66c03d2f",
    "figure": "4205022a4c8ec0ec",
    "pose": "d99bd6b477a019ae",
    "noisy": "c76c37672db785e9",
    "rotations": "8a0abb64a351d710",
    "video": "0ba0a9ab9f04e47f",
}
"""Made on x86-64 with AVX-512; equal with NumPy 1.26 and 2.x and without AVX. A change here is another world: every
figure measured on procedural worlds changes with it."""


def test_a_world_has_these_bytes(tmp_path: Path) -> None:
    assert world_bytes(tmp_path) == PINNED


@pytest.mark.slow
@pytest.mark.skipif(platform.machine().lower() not in ("x86_64", "amd64"), reason="names x86 instruction sets")
def test_a_world_has_the_same_bytes_on_an_older_processor_with_two_threads(tmp_path: Path) -> None:
    """The libraries' own switches make this machine one without AVX2, where they compute otherwise."""
    code = (
        "import sys, json, pathlib; from tests.embeddings.synthetic.test_draws import world_bytes; "
        "print(json.dumps(world_bytes(pathlib.Path(sys.argv[1]))))"
    )
    older = {
        "NPY_DISABLE_CPU_FEATURES": "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX2 FMA3",
        "OPENBLAS_CORETYPE": "Nehalem",
        "OPENBLAS_NUM_THREADS": "2",
        "OPENCV_CPU_DISABLE": "AVX2,AVX512-SKX,FP16",
        "OPENCV_IPP": "disabled",
        "MALLOC_PERTURB_": "165",
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, str(tmp_path)],
        env={**os.environ, **older}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout) == PINNED
