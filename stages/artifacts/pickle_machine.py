"""The opcodes of pickles, run by this project: nothing of Python's own unpickler is used.

Only what data needs is known. A name stands for a function of this project that gets parts and
checks them, or is refused. Work and memory are counted, so that a small file cannot ask for much.
Opcodes are those of the module `pickle`, protocols 0 to 5.
"""

from __future__ import annotations

import codecs
import struct
from collections.abc import Callable
from typing import Any, Protocol

MOST_STEPS = 250_000
"""Opcodes of one file, or entries of all its containers, each counted where it is referred to."""
MOST_BYTES = 512 * 1024**2
"""Of all arrays and texts, each counted where it is referred to."""
_LONGEST_NUMBER = 512
_MARK = object()


class RefusedError(ValueError):
    """Something in the pickle is not data."""


class Spending:
    """Counts what a pickle asks for.

    Raises:
        RefusedError: more than any file of data needs.
    """

    def __init__(self) -> None:
        self.steps, self.bytes = MOST_STEPS, MOST_BYTES

    def spend(self, steps: int = 0, count_bytes: int = 0) -> None:
        self.steps -= steps
        self.bytes -= count_bytes
        if self.steps < 0 or self.bytes < 0:
            raise RefusedError("more entries or bytes than data have")


class Part(Protocol):
    """An object that is built of parts: what `BUILD` gives it, it checks."""

    def build(self, state: Any) -> None: ...


Builder = Callable[..., Any]
"""Checks the arguments that a pickle gives a name, and returns what they stand for."""


class Name:
    """A name in a pickle. call: what calling it gives. new: what an empty object of it is."""

    def __init__(self, name: str, call: Builder | None = None, new: Builder | None = None) -> None:
        self.name, self._call, self._new = name, call, new

    def call(self, *arguments: Any) -> Any:
        if self._call is None:
            raise RefusedError(f"a call of {self.name}")
        return self._call(*arguments)

    def new(self) -> Any:
        if self._new is None:
            raise RefusedError(f"an object of {self.name}")
        return self._new()


class PickleMachine:
    """Runs one pickle.

    find: the meaning of a module's name; raises RefusedError for names that are not data.
    """

    def __init__(self, content: bytes, find: Callable[[str, str], Name]) -> None:
        self._content, self._at = content, 0
        self._find = find
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        self.spending = Spending()

    def run(self) -> Any:
        """The object that the pickle describes, of containers, numbers, texts and parts.

        Raises:
            RefusedError: it is not data. ValueError, IndexError, ...: it is damaged.
        """
        while True:
            self.spending.spend(steps=1)
            code = self._take(1)
            if code == b".":
                return self._stack.pop()
            step = _STEPS.get(code)
            if step is None:
                raise ValueError(f"the opcode {code!r}, which data do not need")
            step(self)

    def _take(self, count: int) -> bytes:
        end = self._at + count
        if count < 0 or end > len(self._content):
            raise EOFError("the file ends within the pickle")
        taken, self._at = self._content[self._at : end], end
        return taken

    def _line(self) -> bytes:
        end = self._content.find(b"\n", self._at)
        if end < 0:
            raise EOFError("the file ends within the pickle")
        taken, self._at = self._content[self._at : end], end + 1
        return taken

    def _number(self, form: str) -> Any:
        return struct.unpack(form, self._take(struct.calcsize(form)))[0]

    def _push(self, value: Any) -> None:
        self._stack.append(value)

    def _to_mark(self) -> list[Any]:
        for place in range(len(self._stack) - 1, -1, -1):
            if self._stack[place] is _MARK:
                found = self._stack[place + 1 :]
                del self._stack[place:]
                self.spending.spend(steps=len(found))
                return found
        raise ValueError("the end of a list without its beginning")

    def _long(self, count: int) -> None:
        if count > _LONGEST_NUMBER:
            raise RefusedError(f"a number of {count} bytes")
        self._push(int.from_bytes(self._take(count), "little", signed=True))

    def _integer(self) -> None:
        line = self._line()
        self._push(line == b"01" if line in (b"00", b"01") else self._decimal(line))

    @staticmethod
    def _decimal(line: bytes) -> int:
        if len(line) > _LONGEST_NUMBER:
            raise RefusedError(f"a number of {len(line)} digits")
        return int(line)

    def _quoted(self) -> None:
        line = self._line().strip()
        if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in b"'\"":
            raise ValueError("a text without its quotes")
        self._push(codecs.escape_decode(line[1:-1])[0].decode("latin1"))

    def _unicode(self, count: int) -> None:
        self._push(self._take(count).decode("utf-8", "surrogatepass"))

    def _get(self, index: int) -> None:
        self._push(self._memo[index])

    def _put(self, index: int) -> None:
        self._memo[index] = self._stack[-1]

    def _append(self, values: list[Any]) -> None:
        target = self._stack[-1]
        if type(target) is list:
            target.extend(values)
        elif type(target) is set:
            target.update(_key(value) for value in values)
        else:
            raise RefusedError(f"entries of {type(target).__name__}")

    def _set_items(self, values: list[Any]) -> None:
        target = self._stack[-1]
        if type(target) is not dict or len(values) % 2:
            raise RefusedError(f"entries of {type(target).__name__}")
        for key, value in zip(values[::2], values[1::2], strict=True):
            target[_key(key)] = value

    def _pop(self, count: int) -> list[Any]:
        if len(self._stack) < count:
            raise ValueError("a list with too few entries")
        taken = self._stack[-count:]
        del self._stack[-count:]
        return taken

    def _dict(self) -> None:
        values = self._to_mark()
        self._push({})
        self._set_items(values)

    def _global(self) -> None:
        self._push(self._find(self._line().decode(), self._line().decode()))

    def _stack_global(self) -> None:
        module, name = self._pop(2)
        if type(module) is not str or type(name) is not str:
            raise ValueError("a name that is not text")
        self._push(self._find(module, name))

    def _named(self, what: Any) -> Name:
        if not isinstance(what, Name):
            raise RefusedError(f"a call of {type(what).__name__}")
        return what

    def _reduce(self) -> None:
        function, arguments = self._pop(2)
        if type(arguments) is not tuple:
            raise ValueError("a call without arguments")
        made = self._named(function).call(*arguments)
        self.spending.spend(count_bytes=len(made) if isinstance(made, bytes | str) else 0)
        self._push(made)

    def _new(self) -> None:
        kind, arguments = self._pop(2)
        if arguments != ():
            raise RefusedError(f"an object of {self._named(kind).name} from arguments")
        self._push(self._named(kind).new())

    def _build(self) -> None:
        (state,) = self._pop(1)
        build = getattr(self._stack[-1], "build", None)
        if build is None or isinstance(self._stack[-1], Name):
            raise RefusedError(f"a state of {type(self._stack[-1]).__name__}")
        build(state)


def _key(value: Any) -> Any:
    """A key of a table: texts and numbers, which no file can make collide."""
    if type(value) in (str, bytes, bool) or (type(value) is int and abs(value) < 2**53):
        return value
    whole = getattr(value, "whole", None)
    if whole is None:
        raise RefusedError(f"a key of type {type(value).__name__}")
    return whole()


_STEPS: dict[bytes, Callable[[PickleMachine], object]] = {
    b"\x80": lambda m: m._take(1),
    b"\x95": lambda m: m._take(8),
    b"(": lambda m: m._push(_MARK),
    b"0": lambda m: m._pop(1),
    b"1": lambda m: m._to_mark(),
    b"2": lambda m: m._push(m._stack[-1]),
    b"N": lambda m: m._push(None),
    b"\x88": lambda m: m._push(True),
    b"\x89": lambda m: m._push(False),
    b"I": PickleMachine._integer,
    b"J": lambda m: m._push(m._number("<i")),
    b"K": lambda m: m._push(m._number("<B")),
    b"M": lambda m: m._push(m._number("<H")),
    b"L": lambda m: m._push(m._decimal(m._line().removesuffix(b"L"))),
    b"\x8a": lambda m: m._long(m._number("<B")),
    b"\x8b": lambda m: m._long(m._number("<i")),
    b"F": lambda m: m._push(float(m._line())),
    b"G": lambda m: m._push(m._number(">d")),
    b"S": PickleMachine._quoted,
    b"T": lambda m: m._push(m._take(m._number("<i")).decode("latin1")),
    b"U": lambda m: m._push(m._take(m._number("<B")).decode("latin1")),
    b"V": lambda m: m._push(m._line().decode("raw-unicode-escape")),
    b"\x8c": lambda m: m._unicode(m._number("<B")),
    b"X": lambda m: m._unicode(m._number("<I")),
    b"\x8d": lambda m: m._unicode(m._number("<Q")),
    b"C": lambda m: m._push(m._take(m._number("<B"))),
    b"B": lambda m: m._push(m._take(m._number("<I"))),
    b"\x8e": lambda m: m._push(m._take(m._number("<Q"))),
    b"\x96": lambda m: m._push(m._take(m._number("<Q"))),
    b"]": lambda m: m._push([]),
    b"l": lambda m: m._push(m._to_mark()),
    b"a": lambda m: m._append(m._pop(1)),
    b"e": lambda m: m._append(m._to_mark()),
    b"}": lambda m: m._push({}),
    b"d": PickleMachine._dict,
    b"s": lambda m: m._set_items(m._pop(2)),
    b"u": lambda m: m._set_items(m._to_mark()),
    b")": lambda m: m._push(()),
    b"t": lambda m: m._push(tuple(m._to_mark())),
    b"\x85": lambda m: m._push(tuple(m._pop(1))),
    b"\x86": lambda m: m._push(tuple(m._pop(2))),
    b"\x87": lambda m: m._push(tuple(m._pop(3))),
    b"\x8f": lambda m: m._push(set()),
    b"\x90": lambda m: m._append(m._to_mark()),
    b"\x91": lambda m: m._push({_key(value) for value in m._to_mark()}),
    b"g": lambda m: m._get(m._decimal(m._line())),
    b"h": lambda m: m._get(m._number("<B")),
    b"j": lambda m: m._get(m._number("<I")),
    b"p": lambda m: m._put(m._decimal(m._line())),
    b"q": lambda m: m._put(m._number("<B")),
    b"r": lambda m: m._put(m._number("<I")),
    b"\x94": lambda m: m._put(len(m._memo)),
    b"c": PickleMachine._global,
    b"\x93": PickleMachine._stack_global,
    b"R": PickleMachine._reduce,
    b"\x81": PickleMachine._new,
    b"b": PickleMachine._build,
}
