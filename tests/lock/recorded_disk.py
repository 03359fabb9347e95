"""Watches what is done to the disk, and knows what a crash at any moment would leave of it.

The model of a disk: what was written to a file is there for sure once the file was synced, and a
name (of a file created, renamed or removed) once its folder was. Between, anything may have
happened: so each moment has several ways to end.
"""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

_LOCK_OF_PROCESSES = "writer.lock"


@dataclass(slots=True)
class _File:
    """A file: all that was written, and how much of it was synced."""

    content: bytes = b""
    synced: bytes = b""


@dataclass(slots=True)
class _Folder:
    """Names, as they are and as they are for sure."""

    names: dict[str, "_File | _Folder"] = field(default_factory=dict)
    synced: dict[str, "_File | _Folder"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Moment:
    """The disk between two steps. `acknowledged` and `attempted` count what the test said."""

    step: str
    root: _Folder
    acknowledged: int
    attempted: int

    def leave(self, target: Path, ending: str) -> None:
        """Writes what a crash now would leave into an empty folder."""
        names, contents = ENDINGS[ending]
        _leave(self.root, target, names, contents)


def _all(file: _File) -> bytes:
    return file.content


def _synced(file: _File) -> bytes:
    return file.synced


def _half(file: _File) -> bytes:
    """A write that was under way: it may end anywhere."""
    more = len(file.content) - len(file.synced)
    return file.content[: len(file.synced) + more // 2] if more > 0 else file.content


def _holes(file: _File) -> bytes:
    """The length made it, the bytes did not."""
    return file.synced + b"\x00" * (len(file.content) - len(file.synced))


ENDINGS: dict[str, tuple[bool, Callable[[_File], bytes]]] = {
    "the process was killed": (True, _all),
    "power was lost, and only what was synced is there": (False, _synced),
    "power was lost, names made it and contents did not": (True, _synced),
    "power was lost, contents made it and names did not": (False, _all),
    "power was lost in the middle of a write": (True, _half),
    "power was lost, lengths made it and bytes did not": (True, _holes),
}


def _leave(
    folder: _Folder, target: Path, all_names: bool, contents: Callable[[_File], bytes]
) -> None:
    target.mkdir(exist_ok=True)
    for name, inner in (folder.names if all_names else folder.synced).items():
        if isinstance(inner, _Folder):
            _leave(inner, target / name, all_names, contents)
        else:
            (target / name).write_bytes(contents(inner))


class RecordedDisk:
    """Everything that is done below `root`, step by step; and faults on demand."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.steps: list[str] = []
        self.moments: list[Moment] = []
        self.acknowledged = 0
        self.attempted = 0
        self.keeps_moments = False
        self._folders = _seen(root)
        self._descriptors: dict[int, tuple[str, _File | _Folder]] = {}
        self._faults: dict[str, OSError] = {}
        self._most_bytes: int | None = None

    # --- faults

    def fail(self, step: str, number: int = errno.ENOSPC) -> None:
        """From now on this step (`write journal`, `sync .`) fails."""
        self._faults[step] = OSError(number, os.strerror(number))

    def fill_up(self, room: int) -> None:
        """So many bytes can still be written, to any file."""
        self._most_bytes = room

    def heal(self) -> None:
        """All works again."""
        self._faults.clear()
        self._most_bytes = None

    # --- steps

    def done(self, step: str) -> None:
        """Notes what the test itself wants to see between the steps."""
        self.steps.append(step)
        if self.keeps_moments:
            copied = deepcopy(self._folders)
            self.moments.append(Moment(step, copied, self.acknowledged, self.attempted))

    def _before(self, step: str) -> None:
        if step in self._faults:
            raise self._faults[step]

    def _name(self, path: Any) -> str | None:
        """How a path is called here; None if it is not watched."""
        try:
            relative = Path(os.fspath(path)).relative_to(self.root)
        except (TypeError, ValueError):
            return None
        return None if relative.name == _LOCK_OF_PROCESSES else str(relative)

    def _folder_of(self, name: str) -> tuple[_Folder, str]:
        *parents, last = Path(name).parts or (".",)
        folder = self._folders
        for parent in parents:
            inner = folder.names[parent]
            assert isinstance(inner, _Folder)
            folder = inner
        return folder, last

    def _find(self, name: str) -> _File | _Folder | None:
        if name == ".":
            return self._folders
        folder, last = self._folder_of(name)
        return folder.names.get(last)

    # --- what stands for the functions of `os`

    def open(self, path: Any, flags: int, mode: int = 0o777, **more: Any) -> int:
        name = self._name(path)
        if name is None or not (flags & os.O_CREAT or os.path.lexists(path)):
            return _os_open(path, flags, mode, **more)
        new = self._find(name) is None
        if new and flags & os.O_CREAT:
            self._before(f"create {_plain(name)}")
        descriptor = _os_open(path, flags, mode, **more)
        if new:
            folder, last = self._folder_of(name)
            folder.names[last] = _File()
            self.done(f"create {_plain(name)}")
        found = self._find(name)
        assert found is not None
        self._descriptors[descriptor] = (name, found)
        return descriptor

    def close(self, descriptor: int) -> None:
        self._descriptors.pop(descriptor, None)
        _os_close(descriptor)

    def write(self, descriptor: int, data: bytes) -> int:
        name, file = self._descriptors.get(descriptor, ("", None))
        if not isinstance(file, _File):
            return _os_write(descriptor, data)
        self._before(f"write {_plain(name)}")
        if self._most_bytes is not None:
            data = self._fitting(bytes(data))
        count = _os_write(descriptor, data)
        file.content += bytes(data[:count])
        self.done(f"write {_plain(name)}")
        return count

    def _fitting(self, data: bytes) -> bytes:
        assert self._most_bytes is not None
        if not self._most_bytes:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fitting = data[: self._most_bytes]
        self._most_bytes -= len(fitting)
        return fitting

    def sync(self, descriptor: int) -> None:
        name, found = self._descriptors.get(descriptor, ("", None))
        if found is None:
            return
        self._before(f"sync {_plain(name)}")
        if isinstance(found, _File):
            found.synced = found.content
        else:
            found.synced = dict(found.names)
        self.done(f"sync {_plain(name)}")

    def rename(self, source: Any, target: Any, **more: Any) -> None:
        old, new = self._name(source), self._name(target)
        if old is None or new is None:
            _os_rename(source, target, **more)
            return
        step = f"rename {_plain(old)} {_plain(new)}"
        self._before(step)
        _os_rename(source, target, **more)
        folder, last = self._folder_of(old)
        moved = folder.names.pop(last)
        folder, last = self._folder_of(new)
        folder.names[last] = moved
        self.done(step)

    def unlink(self, path: Any, **more: Any) -> None:
        _os_unlink(path, **more)
        name = self._name(path)
        if name is not None:
            folder, last = self._folder_of(name)
            folder.names.pop(last, None)
            self.done(f"remove {_plain(name)}")

    def mkdir(self, path: Any, *arguments: Any, **more: Any) -> None:
        name = self._name(path)
        if name is not None:
            self._before(f"mkdir {name}")
        _os_mkdir(path, *arguments, **more)
        if name is not None:
            folder, last = self._folder_of(name)
            folder.names[last] = _Folder()
            self.done(f"mkdir {name}")


def _plain(name: str) -> str:
    """Temporary files go by the name of the file that they become."""
    if ".lsq-sync-emergency" in name:
        return "emergency"
    return "temporary" if name.endswith(".tmp") else name


def _seen(root: Path) -> _Folder:
    """What is there already is there for sure."""
    folder = _Folder()
    for path in root.iterdir():
        if path.is_dir():
            folder.names[path.name] = _seen(path)
        elif path.name != _LOCK_OF_PROCESSES:
            data = path.read_bytes()
            folder.names[path.name] = _File(data, data)
    folder.synced = dict(folder.names)
    return folder


_os_open, _os_close, _os_write = os.open, os.close, os.write
_os_rename, _os_unlink, _os_mkdir = os.rename, os.unlink, os.mkdir


@contextmanager
def watched(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RecordedDisk]:
    """Watches the disk for the length of the block; nothing is really synced meanwhile."""
    disk = RecordedDisk(root)
    with monkeypatch.context() as patch:
        for name in ("open", "close", "write", "mkdir", "unlink", "rename"):
            patch.setattr(os, name, getattr(disk, name))
        patch.setattr(os, "replace", disk.rename)
        for module in ("lsq_sync.lock.disk", "lsq_sync.lock.writer"):
            patch.setattr(f"{module}.sync", disk.sync)
        yield disk
