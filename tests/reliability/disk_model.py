"""A disk in memory that knows every state a crash may leave.

What the code under test does with real files below one folder is followed call by call. Until it
is synced a write may be lost, torn, or leave only its length behind, in any combination with other
writes; a name may be missing, or still be there, until its folder is synced. That is more than
most file systems do, and all that POSIX allows.
"""

import itertools
import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

FOLDER = -1
"""What a name of a folder stands for, in place of the number of a file."""

_MOST_COMBINED = 6
"""Of more changes that are not synced, not every combination is looked at."""

_MOST_TORN = 2
"""Of more writes to one file that are not synced, each is there or not, and none is torn."""

_TEARS = 24 if os.environ.get("LSQ_SYNC_LONG") else 3

_NOT_MODELLED = ("writer.lock", ".gitignore")

Names = Mapping[str, int]
State = Mapping[str, bytes | None]
"""Path -> content after a crash; None is a folder."""


@dataclass(slots=True)
class _File:
    durable: bytes = b""
    pending: list[tuple[int, bytes]] = field(default_factory=list)

    @property
    def length(self) -> int:
        ends = [offset + len(data) for offset, data in self.pending]
        return max([len(self.durable), *ends])

    def contents(self) -> list[bytes]:
        """What may be in it after a crash."""
        found = {
            _written(self.durable, chosen): None
            for chosen in _combinations(
                self.pending, _many_endings if len(self.pending) <= _MOST_TORN else _few_endings
            )
        }
        return list(found)

    def sync(self) -> None:
        self.durable = _written(self.durable, self.pending)
        self.pending = []


@dataclass(frozen=True, slots=True)
class _NameChange:
    """Names that appear (with the number of their file) and disappear together."""

    added: tuple[tuple[str, int], ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(slots=True)
class _Names:
    durable: dict[str, int] = field(default_factory=dict)
    pending: list[_NameChange] = field(default_factory=list)

    def now(self) -> dict[str, int]:
        return _named(self.durable, self.pending)

    def possible(self) -> list[Names]:
        """The names that may be there after a crash."""
        found: dict[tuple[tuple[str, int], ...], Names] = {}
        for chosen in _combinations(self.pending, lambda change: [None, change]):
            names = _named(self.durable, chosen)
            found[tuple(sorted(names.items()))] = names
        return list(found.values())

    def sync(self) -> None:
        self.durable = self.now()
        self.pending = []


def _combinations(
    changes: Sequence[Any], endings: Callable[[Any], Sequence[Any]]
) -> Iterator[list[Any]]:
    """Every way in which changes that are not synced may have ended, None being: not at all."""
    far = changes[:-_MOST_COMBINED]
    near = changes[-_MOST_COMBINED:]
    for fate in (False, True) if far else (True,):
        kept = list(far) if fate else []
        for ended in itertools.product(*(endings(change) for change in near)):
            yield [*kept, *(change for change in ended if change is not None)]


_Write = tuple[int, bytes]


def _many_endings(write: _Write) -> list[_Write | None]:
    """It is not there, it is, it is torn somewhere, only its length or only its end made it."""
    offset, data = write
    ends = {1, len(data) - 1, *range(0, len(data), max(1, len(data) // _TEARS))}
    torn = [(offset, data[:end]) for end in sorted(ends) if 0 < end < len(data)]
    half = len(data) // 2
    return [None, write, *torn, (offset, bytes(len(data))), (offset + half, data[half:])]


def _few_endings(write: _Write) -> list[_Write | None]:
    return [None, write]


def _written(content: bytes, writes: Sequence[tuple[int, bytes]]) -> bytes:
    for offset, data in writes:
        before = content[:offset].ljust(offset, b"\x00")
        content = before + data + content[offset + len(data) :]
    return content


def _named(names: Names, changes: Sequence[_NameChange]) -> dict[str, int]:
    after = dict(names)
    for change in changes:
        for name in change.removed:
            after.pop(name, None)
        after.update(change.added)
    return after


@dataclass(frozen=True, slots=True)
class Crash:
    """One state that a crash may leave, and what had been promised before it."""

    state: State
    after: str
    attempted: int
    acknowledged: int

    @property
    def identity(self) -> tuple[object, ...]:
        """Equal for crashes between which nothing tells."""
        return (*sorted(self.state.items(), key=lambda item: item[0]),
                self.attempted, self.acknowledged)  # fmt: skip

    def leave(self, root: Path) -> None:
        """Makes it true below a folder."""
        for path, content in sorted(self.state.items()):
            place = root / path
            place.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                place.mkdir(exist_ok=True)
            else:
                place.write_bytes(content)


class DiskModel:
    """Follows what is done below `root`. The test counts what it attempts, and what it was told
    is done, in `attempted` and `acknowledged`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.attempted = 0
        self.acknowledged = 0
        self.steps: list[str] = []
        self.crashes: dict[tuple[object, ...], Crash] = {}
        self.refuses: Callable[[str, str], OSError | None] = lambda _call, _name: None
        self._files: dict[int, _File] = {}
        self._folders: dict[str, _Names] = {}
        self._open: dict[int, str] = {}
        self._numbers: dict[int, int] = {}
        self._take_in(root, ".")

    def acknowledge(self, count: int) -> None:
        """From this moment on so many more are promised."""
        self.acknowledged += count
        self._step("promised")

    def attempt(self, count: int) -> None:
        """So many more may be found from now on."""
        self.attempted += count

    # --- crashes

    def _step(self, what: str) -> None:
        self.steps.append(what)
        for state in self._states():
            crash = Crash(state, what, self.attempted, self.acknowledged)
            self.crashes.setdefault(crash.identity, crash)

    def _states(self) -> Iterator[State]:
        folders = list(self._folders)
        for chosen in itertools.product(*(self._folders[one].possible() for one in folders)):
            names = dict(zip(folders, chosen, strict=True))
            reached = dict(self._reached(names, "."))
            files = sorted({number for number in reached.values() if number != FOLDER})
            contents = [self._files[number].contents() for number in files]
            for content in itertools.product(*contents):
                by_number = dict(zip(files, content, strict=True))
                yield {path: by_number.get(number) for path, number in reached.items()}

    def _reached(self, names: Mapping[str, Names], folder: str) -> Iterator[tuple[str, int]]:
        for name, number in names[folder].items():
            path = name if folder == "." else f"{folder}/{name}"
            yield path, number
            if number == FOLDER:
                yield from self._reached(names, path)

    # --- what is there

    def _take_in(self, folder: Path, name: str) -> None:
        names = self._folders[name] = _Names()
        for path in folder.iterdir():
            if path.name in _NOT_MODELLED:
                continue
            if path.is_dir():
                names.durable[path.name] = FOLDER
                self._take_in(path, str(path.relative_to(self.root)))
            else:
                names.durable[path.name] = self._new_file(path.read_bytes())

    def _new_file(self, content: bytes = b"") -> int:
        number = len(self._files)
        self._files[number] = _File(content)
        return number

    def _name(self, path: Any) -> str | None:
        """How a path is called here; None for what is not followed."""
        try:
            relative = Path(os.fspath(path)).relative_to(self.root)
        except (TypeError, ValueError):
            return None
        return None if relative.name in _NOT_MODELLED else str(relative)

    def _names_at(self, name: str) -> tuple[_Names, str]:
        parent, _, last = name.rpartition("/")
        return self._folders[parent or "."], last

    def _check(self, call: str, name: str) -> None:
        if error := self.refuses(call, name):
            raise error

    # --- what stands for the functions of `os`

    def open(self, path: Any, flags: int, mode: int = 0o777, **more: Any) -> int:
        name = self._name(path)
        if name is None:
            return _REAL["open"](path, flags, mode, **more)  # type: ignore[no-any-return]
        is_new = bool(flags & os.O_CREAT) and not os.path.lexists(path)
        if is_new:
            self._check("create", name)
        descriptor: int = _REAL["open"](path, flags, mode, **more)
        self._open[descriptor] = name
        if is_new:
            names, last = self._names_at(name)
            number = self._new_file()
            names.pending.append(_NameChange(((last, number),)))
            self._step(f"create {_plain(name)}")
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            names, last = self._names_at(name)
            self._numbers[descriptor] = names.now()[last]
            if flags & os.O_TRUNC:
                file = self._files[self._numbers[descriptor]]
                file.durable, file.pending = b"", []
                self._step(f"truncate {_plain(name)}")
        return descriptor

    def close(self, descriptor: int) -> None:
        self._open.pop(descriptor, None)
        self._numbers.pop(descriptor, None)
        _REAL["close"](descriptor)

    def write(self, descriptor: int, data: bytes) -> int:
        if descriptor not in self._numbers:
            return _REAL["write"](descriptor, data)  # type: ignore[no-any-return]
        self._check("write", self._open[descriptor])
        count: int = _REAL["write"](descriptor, data)
        file = self._files[self._numbers[descriptor]]
        file.pending.append((file.length, bytes(data[:count])))
        self._step(f"write {_plain(self._open[descriptor])}")
        return count

    def fsync(self, descriptor: int) -> None:
        """Nothing is really synced: the test does not crash for real."""
        name = self._open.get(descriptor)
        if name is None:
            return
        self._check("sync", name)
        if descriptor in self._numbers:
            self._files[self._numbers[descriptor]].sync()
        else:
            self._folders[name].sync()
        self._step(f"sync {_plain(name)}")

    def rename(self, source: Any, target: Any, **more: Any) -> None:
        """Within a folder it is one change; between two, each folder has a change of its own."""
        old, new = self._name(source), self._name(target)
        if old is None or new is None:
            _REAL["rename"](source, target, **more)
            return
        self._check("rename", old)
        _REAL["rename"](source, target, **more)
        here, old_last = self._names_at(old)
        there, new_last = self._names_at(new)
        number = here.now()[old_last]
        if here is there:
            here.pending.append(_NameChange(((new_last, number),), (old_last,)))
        else:
            there.pending.append(_NameChange(((new_last, number),)))
            here.pending.append(_NameChange(removed=(old_last,)))
        self._step(f"rename {_plain(old)} {_plain(new)}")

    def unlink(self, path: Any, **more: Any) -> None:
        _REAL["unlink"](path, **more)
        name = self._name(path)
        if name is not None:
            names, last = self._names_at(name)
            names.pending.append(_NameChange(removed=(last,)))
            self._step(f"remove {_plain(name)}")

    def mkdir(self, path: Any, *arguments: Any, **more: Any) -> None:
        _REAL["mkdir"](path, *arguments, **more)
        name = self._name(path)
        if name is not None:
            names, last = self._names_at(name)
            names.pending.append(_NameChange(((last, FOLDER),)))
            self._folders[name] = _Names()
            self._step(f"mkdir {name}")


_CALLS = ("open", "close", "write", "fsync", "rename", "unlink", "mkdir")
_REAL: Mapping[str, Callable[..., Any]] = {name: getattr(os, name) for name in _CALLS}


def _plain(name: str) -> str:
    """Names that are the same in every run."""
    if name.endswith(".tmp"):
        return "temporary"
    return "emergency" if ".lsq-sync-emergency" in name else name


@contextmanager
def followed(root: Path) -> Iterator[DiskModel]:
    """Follows the disk for the length of the block."""
    disk = DiskModel(root)
    with pytest.MonkeyPatch.context() as patch:
        for name in _CALLS:
            patch.setattr(os, name, getattr(disk, name))
        patch.setattr(os, "replace", disk.rename)
        yield disk


@contextmanager
def never_synced() -> Iterator[None]:
    """Makes looking at thousands of states quick."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _descriptor: None)
        yield
