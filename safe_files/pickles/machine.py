"""The instructions of pickles that plain data and NumPy arrays are written with, interpreted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .arrays import PendingArray, PendingDtype, RefusedError, array_of, dtype_of, from_buffer, scalar_of
from .source import DamageError
from .values import ENTRY, ITEM, LIST, MOST_TEXT, NUMBER, Values

__all__ = ["Reader"]

BUILTINS = ("bytes", "list", "dict", "int", "float")

NAMES: frozenset[tuple[str, str]] = frozenset(
    {
        ("numpy", "dtype"),
        ("numpy", "ndarray"),
        *((f"numpy.{core}.multiarray", name) for core in ("core", "_core") for name in ("_reconstruct", "scalar")),
        *((f"numpy.{core}.numeric", "_frombuffer") for core in ("core", "_core")),
        ("_codecs", "encode"),
        ("collections", "OrderedDict"),
        ("collections", "defaultdict"),
        # Protocols below 3 are Python 2's: its module of built-ins has another name.
        *(
            (module, kind)
            for module in ("builtins", "__builtin__")
            for kind in ("bytes", "list", "dict", "int", "float")
        ),
    }
)
"""Everything a file may name. The names stand for cases of `CALLS` below; none is looked up."""


@dataclass(frozen=True)
class Name:
    """A name that a file may use, `numpy.dtype` for example."""

    module: str
    name: str


class Reader(Values):
    """Interprets the instructions of one pickle; `INSTRUCTIONS` below has one function for each."""

    def run(self) -> Any:
        """The value on the stack when the file says stop."""
        while (code := self.take(1)) != b".":
            instruction = INSTRUCTIONS.get(code)
            if instruction is None:
                raise DamageError(f"instruction {code!r} is none of plain data")
            instruction(self)
        if self.below or len(self.stack) != 1:
            raise DamageError(f"ends with {len(self.stack)} values on the stack; expected one")
        return self.stack.pop()

    def name(self, module: Any, name: Any) -> None:
        if (module, name) not in NAMES:
            raise RefusedError(f"names {_shown(module)}.{_shown(name)}; only plain data and NumPy arrays are read")
        self.push(Name(module, name), ENTRY)

    def name_of_lines(self) -> None:
        module = self.line().decode()
        self.name(module, self.line().decode())

    def name_of_stack(self) -> None:
        name, module = self.pop(), self.pop()
        if type(name) is not str or type(module) is not str:
            raise DamageError("a name is not a string")
        self.name(module, name)

    def reduce(self) -> None:
        """What the file takes for a call."""
        arguments, function = self.pop(), self.pop()
        if type(function) is not Name or type(arguments) is not tuple:
            raise DamageError("calls something that is no name")
        build = CALLS.get(function.name)
        if build is None:
            raise RefusedError(f"makes a {function.module}.{function.name}; only plain data and NumPy arrays are read")
        build(self, arguments)

    def encoded(self, arguments: tuple[Any, ...]) -> None:
        """Bytes of the oldest protocols."""
        if [type(a) for a in arguments] != [str, str] or arguments[1] not in ("latin1", "latin-1"):
            raise RefusedError("encodes bytes in a way that is not known; expected latin1")
        self.charge(len(arguments[0]))
        self.push(arguments[0].encode("latin-1"), NUMBER + ITEM)

    def ordered(self, arguments: tuple[Any, ...]) -> None:
        """An OrderedDict, empty or, in Python 2's files, with its list of pairs."""
        pairs = arguments[0] if arguments else []
        if len(arguments) > 1 or type(pairs) is not list:
            raise DamageError("an OrderedDict is not made of a list of pairs")
        if not all(type(pair) in (list, tuple) and len(pair) == 2 for pair in pairs):
            raise DamageError("an OrderedDict is not made of a list of pairs")
        self.charge(2 * ITEM * len(pairs))
        self.mapping([part for pair in pairs for part in pair])

    def default(self, arguments: tuple[Any, ...]) -> None:
        if len(arguments) > 1 or not all(a is None or type(a) is Name for a in arguments):
            raise DamageError("a defaultdict is not made of a type")
        self.mapping([])

    def empty_bytes(self, arguments: tuple[Any, ...]) -> None:
        if arguments:
            raise RefusedError("makes bytes in a way that is not known")
        self.push(b"")

    def new_array(self, arguments: tuple[Any, ...]) -> None:
        if len(arguments) != 3 or arguments[0] != Name("numpy", "ndarray"):
            raise RefusedError("makes an array in a way that is not known")
        self.push(PendingArray(), LIST)

    def build(self) -> None:
        """The state of a data type or an array; nothing else has one."""
        state, target = self.pop(), self.top()
        if type(target) is PendingDtype:
            target.set_state(state)
        elif type(target) is PendingArray:
            self.charge(LIST)
            array = self.stack[-1] = array_of(state)
            for index in target.slots:
                if self.memo[index] is target:
                    self.memo[index] = array
        else:
            raise RefusedError(f"sets the state of a {type(target).__name__}; only NumPy arrays have one")

    def protocol(self) -> None:
        if (version := self.number("B")) > 5:
            raise DamageError(f"protocol {version}; expected 0 to 5")

    def frame(self) -> None:
        if (count := self.number("<Q")) > self.size - self.position:
            raise DamageError(f"a frame of {count} bytes, {self.size - self.position} left: the file is cut")


def _shown(text: str) -> str:
    return text if text.isprintable() and len(text) <= 80 else ascii(text[:80])


CALLS: dict[str, Callable[[Reader, tuple[Any, ...]], None]] = {
    "dtype": lambda r, arguments: r.push(dtype_of(arguments), LIST),
    "_reconstruct": Reader.new_array,
    "scalar": lambda r, arguments: r.push(scalar_of(arguments), LIST),
    "_frombuffer": lambda r, arguments: r.push(from_buffer(arguments), LIST),
    "encode": Reader.encoded,
    "bytes": Reader.empty_bytes,
    "OrderedDict": Reader.ordered,
    "defaultdict": Reader.default,
}

INSTRUCTIONS: dict[bytes, Callable[[Reader], None]] = {
    b"\x80": Reader.protocol,
    b"\x95": Reader.frame,
    b"(": Reader.mark,
    b"N": lambda r: r.push(None, ITEM),
    b"\x88": lambda r: r.push(True, ITEM),
    b"\x89": lambda r: r.push(False, ITEM),
    b"I": lambda r: r.decimal(truth=True),
    b"L": Reader.decimal,
    b"J": lambda r: r.push(r.number("<i")),
    b"K": lambda r: r.push(r.number("B")),
    b"M": lambda r: r.push(r.number("<H")),
    b"\x8a": lambda r: r.long("B"),
    b"\x8b": lambda r: r.long("<i"),
    b"F": lambda r: r.push(float(r.line())),
    b"G": lambda r: r.push(r.number(">d")),
    b"S": Reader.quoted,
    b"T": lambda r: r.text(r.number("<i"), "ascii"),
    b"U": lambda r: r.text(r.number("B"), "ascii"),
    b"V": lambda r: r.keep_text(r.line(MOST_TEXT).decode("raw-unicode-escape")),
    b"X": lambda r: r.text(r.number("<I")),
    b"\x8c": lambda r: r.text(r.number("B")),
    b"\x8d": lambda r: r.text(r.number("<Q")),
    b"C": lambda r: r.data(r.number("B")),
    b"B": lambda r: r.data(r.number("<I")),
    b"\x8e": lambda r: r.data(r.number("<Q")),
    b"\x96": lambda r: r.data(r.number("<Q")),
    b"]": lambda r: r.push_list([]),
    b"l": lambda r: r.push_list(r.marked()),
    b"a": Reader.append_one,
    b"e": lambda r: r.append(r.marked()),
    b")": lambda r: r.push_tuple([]),
    b"\x85": lambda r: r.few(1),
    b"\x86": lambda r: r.few(2),
    b"\x87": lambda r: r.few(3),
    b"t": lambda r: r.push_tuple(r.marked()),
    b"}": lambda r: r.mapping([]),
    b"d": lambda r: r.mapping(r.marked()),
    b"s": Reader.set_one,
    b"u": lambda r: r.set_items(r.marked()),
    b"p": lambda r: r.put(int(r.line())),
    b"q": lambda r: r.put(r.number("B")),
    b"r": lambda r: r.put(r.number("<I")),
    b"\x94": lambda r: r.put(len(r.memo)),
    b"g": lambda r: r.get(int(r.line())),
    b"h": lambda r: r.get(r.number("B")),
    b"j": lambda r: r.get(r.number("<I")),
    b"c": Reader.name_of_lines,
    b"\x93": Reader.name_of_stack,
    b"R": Reader.reduce,
    b"b": Reader.build,
}
"""The instructions of `pickletools.opcodes` that plain data and arrays are written with, protocols 0 to 5."""
