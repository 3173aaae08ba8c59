"""The boundary of all readers: whatever goes wrong inside leaves as the declared error, with path and reason."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

__all__ = ["boundary", "reader", "reason_of"]

Function = TypeVar("Function", bound=Callable[..., Any])

PASSING = (ImportError, NotImplementedError)
"""A package that is not installed is no fault of the file."""
MOST_CHARACTERS = 300
"""Of a reason; libraries put whole files into their messages."""


@contextmanager
def boundary(path: object, kind: type[Exception], *passing: type[Exception]) -> Iterator[None]:
    """Turns every error of the block into `kind`, its message naming `path` and the reason.

    Errors of that kind that name the file, and of the kinds `passing`, leave as they are; so do those of packages that
    are not installed. A kind that is not made from a message alone has a class method `unreadable(path, reason)`.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, (*passing, *PASSING)):
            raise
        reason = reason_of(error)
        named = (Path(path).name if isinstance(path, str | Path) else str(path)) in str(error)
        if isinstance(error, kind) and named:
            raise
        if isinstance(error, kind) and kind.__module__ != "builtins":
            raise kind(f"{path}: {error}") from error
        make = getattr(kind, "unreadable", None)
        if make is not None:
            raise make(path, reason) from error
        raise kind(
            reason if named and isinstance(error, ValueError) else f"{path}: cannot be read ({reason})"
        ) from error


def reader(kind: type[Exception], *passing: type[Exception]) -> Callable[[Function], Function]:
    """`boundary` around a function, method or generator: the path is the first of its arguments that can be one."""

    def decorate(function: Function) -> Function:
        if inspect.isgeneratorfunction(function):

            @wraps(function)
            def generate(*arguments: Any, **options: Any) -> Any:
                with boundary(_path(arguments, options), kind, *passing):
                    yield from function(*arguments, **options)

            return cast(Function, generate)

        @wraps(function)
        def call(*arguments: Any, **options: Any) -> Any:
            with boundary(_path(arguments, options), kind, *passing):
                return function(*arguments, **options)

        return cast(Function, call)

    return decorate


def _path(arguments: tuple[Any, ...], options: dict[str, Any]) -> object:
    return next((value for value in (*arguments, *options.values()) if isinstance(value, str | Path)), "the input")


def reason_of(error: BaseException) -> str:
    """What an error says, in one line for people."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror if error.filename is None else f"{Path(str(error.filename)).name}: {error.strerror}"
    if isinstance(error, RecursionError):
        return "its parts lie too deep in each other"
    if isinstance(error, MemoryError):
        return "it asks for more memory than there is"
    text = " ".join(str(error).split())
    text = text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]} …"
    if isinstance(error, KeyError):
        return f"it lacks {text}"
    if isinstance(error, ValueError) and text:
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
