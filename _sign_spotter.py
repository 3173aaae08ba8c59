"""How the toolkit's packages find each other, whatever else on the path bears their names.

`embeddings`, `gallery` and `eval` are everyday words. A user's folder may hold an `eval.py`, an `embeddings.py` or a
package `gallery/`, and Python looks into the script's folder (or the working folder) first.

**Guarantee.** Wherever `import spotter` (or `import embeddings`) gives the toolkit's package, everything in it works:
inside the toolkit the names of its packages mean those that lie beside this file, always. The user's own modules stay
as they are: imported before or after, under their own names, for the user's own code.

**Limits.** The name that the user's code imports itself must be the toolkit's: where the user's own `spotter.py` comes
first on the path, `import spotter` is that file. (The `spotter` command never looks into the working folder, and
`python -m spotter` looks there for the name `spotter` alone.) Where the user's own `eval.py` comes first, the user's
`import eval` is that file too; scoring is then reached through `spotter.score`. And a name that meant the toolkit's
package when it was first imported keeps that meaning until the process ends, as with every Python module.

**How.** Nothing changes where no other module is in the way: the packages are imported under their usual names. Where
one is, the toolkit's package is imported as `_sign_spotter.eval`: this module has a `__path__`, so that is an ordinary
import under a name that nobody else uses, also in worker processes that start afresh. Import statements inside the
toolkit stay plain (`from eval.spotting import match`: editors and type checkers follow them), because its modules are
loaded with an `__import__` of their own, which Python looks up in the builtins of the importing module.
"""

from __future__ import annotations

import builtins
import os
import sys
from collections.abc import Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import find_spec
from threading import RLock
from types import ModuleType
from typing import Any

__all__ = ["PACKAGES", "module_name"]

ROOT = os.path.dirname(os.path.realpath(__file__))
PACKAGES = ("spotter", "embeddings", "gallery", "eval", "safe_files")

__path__ = [ROOT]

_chosen: dict[str, str] = {}
_lock = RLock()


def module_name(name: str) -> str:
    """The name by which a module of the toolkit is imported in this process.

    Args:
        name: its usual name, such as "eval.spotting".

    Returns:
        The same name, or `_sign_spotter.eval.spotting` where another module is called `eval` here.
    """
    package, dot, rest = name.partition(".")
    with _lock:
        if package not in _chosen:
            _chosen[package] = package if _is_ours(package) else f"{__name__}.{package}"
    return _chosen[package] + dot + rest


def _is_ours(package: str) -> bool:
    """Whether the package's usual name leads to the toolkit's own one, be it imported already or not."""
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):  # a module that was made by hand has no spec
        return False
    origin = None if spec is None else spec.origin
    return origin is not None and os.path.realpath(origin) == os.path.join(ROOT, package, "__init__.py")


def _import(
    name: str,
    globals: Mapping[str, object] | None = None,
    locals: Mapping[str, object] | None = None,
    fromlist: Sequence[str] = (),
    level: int = 0,
) -> ModuleType:
    """`__import__` of the toolkit's modules: absolute imports of its packages go by `module_name`."""
    package = name.partition(".")[0]
    if level == 0 and package in PACKAGES and (own := module_name(package)) != package:
        module = builtins.__import__(own + name[len(package) :], globals, locals, fromlist, 0)
        return module if fromlist else sys.modules[own]
    return builtins.__import__(name, globals, locals, fromlist, level)


_BUILTINS: dict[str, Any] = {**vars(builtins), "__import__": _import}


class _Loader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        module.__dict__["__builtins__"] = _BUILTINS
        super().exec_module(module)


class _Finder(MetaPathFinder):
    """Finds the modules inside the packages as Python does, and has them loaded by `_Loader`."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if path is None or name.removeprefix(f"{__name__}.").partition(".")[0] not in PACKAGES:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or type(spec.loader) is not SourceFileLoader:
            return spec
        if os.path.realpath(spec.loader.path).startswith(ROOT + os.sep):  # and not in a user's package of that name
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


sys.meta_path.insert(0, _Finder())
