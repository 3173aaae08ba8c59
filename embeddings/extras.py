"""Packages that only some work needs: installed as an extra, asked for where that work begins."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["DISTRIBUTION", "extra"]

DISTRIBUTION = "oneshot-sign-spotter"


@contextmanager
def extra(name: str, work: str) -> Iterator[None]:
    """Around the imports of an extra's packages: one that is absent becomes a message that says what to install.

    Args:
        name: of the extra in pyproject.toml, such as "train".
        work: what needs it, as the first words of a sentence: "training".

    Raises:
        ImportError: a package is not installed, or does not load.
    """
    try:
        yield
    except ImportError as error:
        absent = isinstance(error, ModuleNotFoundError) and error.name
        reason = f"the package {error.name!r}, which is not installed" if absent else f"a package that fails ({error})"
        raise ImportError(f"{work} needs {reason}; pip install '{DISTRIBUTION}[{name}]'") from error
