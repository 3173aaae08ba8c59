"""`Draws`: random numbers that are the same on every machine, with every NumPy, in any number of threads.

NumPy promises the raw output of its bit generators but not the methods of `numpy.random.Generator`, whose streams may
change with a release, and whose normals call the machine's own mathematical functions. Here every value is made from
the raw 64-bit numbers of Philox 4x64-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3") by
additions, multiplications, divisions and square roots alone, which IEEE 754 rounds in one way everywhere.

`on_grid` does the rest: what is computed with sines, matrix products or sums may differ in its last bit between
machines, so each result that leaves the procedural world is rounded to a grid that is coarser by many orders of
magnitude (a micrometre, a thousandth of a pixel).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from typing import Any, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

__all__ = ["Draws", "on_grid"]

Array = NDArray[np.float64]
Shape = int | tuple[int, ...]
T = TypeVar("T")

# Wichura 1988, algorithm AS 241 (PPND16), the quantile function of the normal distribution to about 1 part in 10^16.
# Coefficients of numerators and denominators, highest power first.
_CENTRE = (
    (2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4, 4.5921953931549871457e4,
     1.3731693765509461125e4, 1.9715909503065514427e3, 1.3314166789178437745e2, 3.3871328727963666080e0),
    (5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4, 2.1213794301586595867e4,
     5.3941960214247511077e3, 6.8718700749205790830e2, 4.2313330701600911252e1, 1.0),
)  # fmt: skip
_MIDDLE = (
    (7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258e0,
     3.64784832476320460504e0, 5.76949722146069140550e0, 4.63033784615654529590e0, 1.42343711074968357734e0),
    (1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
     6.89767334985100004550e-1, 1.67638483018380384940e0, 2.05319162663775882187e0, 1.0),
)  # fmt: skip
_TAIL = (
    (2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2,
     2.96560571828504891230e-1, 1.78482653991729133580e0, 5.46378491116411436990e0, 6.65790464350110377720e0),
    (2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4,
     1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1, 1.0),
)  # fmt: skip
_LN2 = 0.6931471805599453


class Draws:
    """Random draws that follow from a key; the methods are those of `numpy.random.Generator` that the world needs.

    - ``random``: the upper 53 bits of a raw number over 2^53.
    - ``uniform``, ``integers``, ``choice`` without `p`: ``low + (high - low) · random``, rounded down for integers.
    - ``choice`` with `p`: the first whose cumulated weight exceeds ``random``.
    - ``permutation``, ``choice`` without replacement: in the order of one ``random`` each.
    - ``normal``, ``standard_normal``: the quantile (Wichura 1988, AS 241) of ``random`` cut to 52 bits plus half a
      step, which is neither 0 nor 1.
    - ``geometric``: ``ceil(log(1 - random) / log(1 - p))``.
    - ``poisson``: how often ``random`` can be multiplied before the product falls below ``exp(-mean)``.

    A draw of an array takes one raw number per entry, in C order, so an array holds what as many single draws give.

    Args:
        key: numbers and words; their text, joined by the unit separator U+001F, is hashed (BLAKE2b, 128 bits) to the
            generator's key. The counter begins at 0.
    """

    def __init__(self, *key: object) -> None:
        digest = hashlib.blake2b("\x1f".join(map(str, key)).encode(), digest_size=16).digest()
        words = np.array([int.from_bytes(digest[i : i + 8], "little") for i in (0, 8)], np.uint64)
        self._bits = np.random.Philox(key=words)

    @overload
    def random(self, size: None = None) -> float: ...
    @overload
    def random(self, size: Shape) -> Array: ...
    def random(self, size: Shape | None = None) -> float | Array:
        """Uniform in [0, 1)."""
        if size is None:
            return (int(self._bits.random_raw()) >> 11) * 2.0**-53
        raw = self._bits.random_raw(math.prod(size) if isinstance(size, tuple) else size)
        return ((np.asarray(raw, np.uint64) >> np.uint64(11)).astype(np.float64) * 2.0**-53).reshape(size)

    @overload
    def uniform(self, low: float = 0.0, high: float = 1.0, size: None = None) -> float: ...
    @overload
    def uniform(self, low: float, high: float, size: Shape) -> Array: ...
    def uniform(self, low: float = 0.0, high: float = 1.0, size: Shape | None = None) -> float | Array:
        """Uniform in [low, high)."""
        return low + (high - low) * self.random(size)

    @overload
    def integers(self, low: int, high: int | None = None, size: None = None) -> int: ...
    @overload
    def integers(self, low: int, high: int | None, size: Shape) -> NDArray[np.int64]: ...
    def integers(self, low: int, high: int | None = None, size: Shape | None = None) -> int | NDArray[np.int64]:
        """Whole numbers in [low, high), or in [0, low) without `high`; fewer than 2^32 of them."""
        first, count = (0, low) if high is None else (low, high - low)
        if not 0 < count < 2**32:
            raise ValueError(f"a whole number out of {count}; expected between 1 and 2^32 of them")
        if size is None:
            return first + int(self.random() * count)
        return first + np.floor(self.random(size) * count).astype(np.int64)

    def choice(self, values: int | Sequence[Any], size: int | None = None, replace: bool = True, p: Any = None) -> Any:
        """One of the values, or a list of `size` of them; an integer n stands for 0 … n - 1.

        Args:
            replace: a value may come twice; False also needs `size` and takes no weights.
            p: weights of the values, of any positive sum.
        """
        given = range(values) if isinstance(values, int) else values
        if not replace:
            if size is None or p is not None or size > len(given):
                raise ValueError(f"{size} different ones of {len(given)}; expected a smaller size, and no weights")
            return [given[i] for i in self.permutation(len(given))[:size]]
        if size is not None:
            return [self.choice(given, p=p) for _ in range(size)]
        if p is None:
            return given[self.integers(len(given))]
        weights = [float(w) for w in p]
        if len(weights) != len(given) or min(weights) < 0 or not sum(weights) > 0:
            raise ValueError(f"weights {weights} for {len(given)} values; expected one each, none negative")
        aim, total = self.random() * sum(weights), 0.0
        for i, weight in enumerate(weights):
            total += weight
            if aim < total:
                return given[i]
        return given[max(i for i, weight in enumerate(weights) if weight > 0)]

    @overload
    def permutation(self, values: int) -> list[int]: ...
    @overload
    def permutation(self, values: Sequence[T]) -> list[T]: ...
    def permutation(self, values: int | Sequence[T]) -> list[T] | list[int]:
        """The values (or 0 … n - 1) in a random order."""
        count = values if isinstance(values, int) else len(values)
        order = np.argsort(self.random(count), kind="stable").tolist()
        return order if isinstance(values, int) else [values[i] for i in order]

    @overload
    def normal(self, mean: float = 0.0, deviation: float = 1.0, size: None = None) -> float: ...
    @overload
    def normal(self, mean: float, deviation: float, size: Shape) -> Array: ...
    def normal(self, mean: float = 0.0, deviation: float = 1.0, size: Shape | None = None) -> float | Array:
        """Normally distributed."""
        if size is None:
            return mean + deviation * _normal_quantile((math.floor(self.random() * 2.0**52) + 0.5) * 2.0**-52)
        return mean + deviation * _normal_quantiles((np.floor(self.random(size) * 2.0**52) + 0.5) * 2.0**-52)

    def standard_normal(self, size: Shape, dtype: type[np.floating] = np.float64) -> NDArray[Any]:
        """Normally distributed with mean 0 and deviation 1, drawn in float64 and then converted."""
        return self.normal(0.0, 1.0, size).astype(dtype)

    @overload
    def geometric(self, p: float, size: None = None) -> int: ...
    @overload
    def geometric(self, p: float, size: Shape) -> NDArray[np.int64]: ...
    def geometric(self, p: float, size: Shape | None = None) -> int | NDArray[np.int64]:
        """How many tries until the first success of probability `p`, at least 1."""
        if not 0 < p <= 1:
            raise ValueError(f"probability {p}; expected above 0 and at most 1")
        if size is None:
            return int(self.geometric(p, 1)[0])
        uniform = self.random(size)
        if p == 1:
            return np.ones(size, np.int64)
        tries = np.ceil(_log(1.0 - uniform) / _log(np.array(1.0 - p)))
        return np.maximum(tries, 1).astype(np.int64)

    def poisson(self, mean: float) -> int:
        """How many events of a mean number (Knuth; in portions of 16, below which the product cannot underflow)."""
        if not 0 <= mean < 1e6:
            raise ValueError(f"mean {mean}; expected between 0 and a million")
        count = 0
        while mean > 0:
            portion = min(mean, 16.0)
            mean -= portion
            # 12 digits, so that the machine's own exp cannot decide
            limit, product = round(math.exp(-portion), 12), self.random()
            while product > limit:
                count, product = count + 1, product * self.random()
        return count


@overload
def on_grid(values: float, digits: int) -> float: ...
@overload
def on_grid(values: NDArray[np.floating], digits: int) -> Array: ...
def on_grid(values: float | NDArray[np.floating], digits: int) -> float | Array:
    """Values as float64, rounded to multiples of ``2 ** -digits``: exact in float32 below ``2 ** (24 - digits)``."""
    if isinstance(values, float | int):
        return round(values * 2.0**digits) * 2.0**-digits
    # + 0.0: a negative zero has other bytes than a zero, and an arctangent of its own
    rounded: Array = np.rint(np.asarray(values, np.float64) * 2.0**digits) * 2.0**-digits + 0.0
    return rounded


def _horner(coefficients: Sequence[float], at: Any) -> Any:
    value = coefficients[0] * at + coefficients[1]
    for coefficient in coefficients[2:]:
        value *= at  # in place where it is an array
        value += coefficient
    return value


def _ratio(tables: tuple[tuple[float, ...], tuple[float, ...]], at: Any) -> Any:
    return _horner(tables[0], at) / _horner(tables[1], at)


def _normal_quantiles(share: Array) -> Array:
    """x with a normal probability of `share` (in (0, 1)) below it."""
    q = share - 0.5
    out: Array = q * _ratio(_CENTRE, 0.180625 - q * q)
    outer = np.abs(q) > 0.425
    if outer.any():
        depth = np.sqrt(-_log(np.where(q[outer] < 0, share[outer], 1.0 - share[outer])))
        size = np.where(depth <= 5.0, _ratio(_MIDDLE, depth - 1.6), _ratio(_TAIL, depth - 5.0))
        out[outer] = np.where(q[outer] < 0, -size, size)
    return out


def _normal_quantile(share: float) -> float:
    """The same arithmetic for a single number, which an array would make twenty times as slow."""
    q = share - 0.5
    if abs(q) <= 0.425:
        return float(q * _ratio(_CENTRE, 0.180625 - q * q))
    depth = math.sqrt(-float(_log_series(*math.frexp(share if q < 0 else 1.0 - share))))
    size = float(_ratio(_MIDDLE, depth - 1.6) if depth <= 5.0 else _ratio(_TAIL, depth - 5.0))
    return -size if q < 0 else size


def _log(values: Array) -> Array:
    """Natural logarithm, from additions, multiplications and divisions alone."""
    mantissa, exponent = np.frexp(values)
    logarithm: Array = _log_series(mantissa, exponent)
    return logarithm


def _log_series(mantissa: Any, exponent: Any) -> Any:
    """log of ``mantissa · 2^exponent``, mantissa in [0.5, 1): 2 artanh of ``(m - 1) / (m + 1)``, m in [√½, √2)."""
    low = mantissa < 0.7071067811865476
    m = mantissa * (1.0 + low)
    s = (m - 1.0) / (m + 1.0)
    return 2.0 * s * _horner([1.0 / k for k in range(25, 0, -2)], s * s) + (exponent - 1.0 * low) * _LN2
