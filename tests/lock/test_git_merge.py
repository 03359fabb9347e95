"""Two branches that record different opportunities merge in git by themselves."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from lsq_sync.core.state import Entry, Recorded
from lsq_sync.errors import LockError
from lsq_sync.lock.format import dump, load
from lsq_sync.lock.merge import merge
from tests.lock.states import ACCOUNT

NAME = "lsq-sync.lock"
_GIT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_AUTHOR_NAME": "test",
    "GIT_AUTHOR_EMAIL": "test@example.invalid",
    "GIT_COMMITTER_NAME": "test",
    "GIT_COMMITTER_EMAIL": "test@example.invalid",
}


Entries = Mapping[str, Entry]


class Repository:
    """A repository that holds nothing but a lock."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str, ok: bool = True) -> bool:
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.root,
            env={**os.environ, **_GIT},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0 or not ok, done.stderr
        return done.returncode == 0

    def commit(self, entries: Mapping[str, Entry]) -> None:
        (self.root / NAME).write_bytes(dump(Recorded(ACCOUNT, entries)))
        self.git("add", NAME)
        self.git("commit", "-q", "-m", "lock")

    def merges(self, base: Entries, ours: Entries, theirs: Entries) -> bool:
        """Whether git merges it; the lock then is what it made of it."""
        self.commit(base)
        self.git("checkout", "-q", "-b", "theirs")
        self.commit(theirs)
        self.git("checkout", "-q", "main")
        self.commit(ours)
        return self.git("merge", "-q", "--no-edit", "theirs", ok=False)

    @property
    def lock(self) -> bytes:
        return (self.root / NAME).read_bytes()


BASE: Entries = {f"{letter}-1": Entry(type="loan", note=letter) for letter in "abcdefgh"}


def changed(entries: Entries, *keys: str) -> dict[str, Entry]:
    return {
        key: entry._replace(note=f"changed {key}") if key in keys else entry
        for key, entry in entries.items()
    }


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        pytest.param(changed(BASE, "a-1"), changed(BASE, "b-1"), id="neighbours"),
        pytest.param(changed(BASE, "a-1"), changed(BASE, "h-1"), id="the first and the last"),
        pytest.param(
            changed(BASE, "a-1", "c-1", "e-1"), changed(BASE, "b-1", "d-1", "f-1"), id="in turns"
        ),
        pytest.param({**BASE, "a-2": Entry(note="x")}, {**BASE, "f-2": Entry(note="y")}, id="new"),
        pytest.param({**BASE, "i-1": Entry(note="x")}, changed(BASE, "a-1"), id="new at the end"),
        pytest.param(
            {key: BASE[key] for key in BASE if key != "b-1"},
            changed(BASE, "d-1"),
            id="one gone, another changed",
        ),
        pytest.param(changed(BASE, "c-1"), changed(BASE, "c-1"), id="the same on both sides"),
    ],
)
def test_different_records_merge(tmp_path: Path, ours: Entries, theirs: Entries) -> None:
    repository = Repository(tmp_path)
    assert repository.merges(BASE, ours, theirs)
    expected = {
        key: _merged(BASE.get(key), ours.get(key), theirs.get(key))
        for key in {*BASE, *ours, *theirs}
    }
    found = {key: entry for key, entry in expected.items() if entry is not None}
    assert load(repository.lock, NAME) == Recorded(ACCOUNT, found)
    assert repository.lock == dump(Recorded(ACCOUNT, found))


def _merged(base: Entry | None, ours: Entry | None, theirs: Entry | None) -> Entry | None:
    return theirs if ours == base else ours


@pytest.mark.parametrize("style", ["merge", "diff3", "zdiff3"])
def test_the_same_record_on_both_sides_is_a_conflict_that_is_refused(
    tmp_path: Path, style: str
) -> None:
    repository = Repository(tmp_path)
    repository.git("config", "merge.conflictStyle", style)
    theirs = {**BASE, "c-1": BASE["c-1"]._replace(note="theirs")}
    assert not repository.merges(BASE, changed(BASE, "c-1"), theirs)
    with pytest.raises(LockError, match="conflict markers") as caught:
        load(repository.lock, NAME)
    assert caught.value.diagnostics[0].origin.line == 6


def test_the_way_out_of_a_conflict_that_the_message_names_works(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    theirs = {**BASE, "c-1": BASE["c-1"]._replace(note="theirs")}
    assert not repository.merges(BASE, changed(BASE, "c-1"), theirs)
    with pytest.raises(LockError) as caught:
        load(repository.lock, NAME)
    assert caught.value.hint.splitlines()[-1].split() == ["lsq-sync", "state", "merge"]
    merged = merge(repository.lock.decode(), NAME).recorded.entries
    assert set(merged) == set(theirs)
    assert merged["c-1"].note == "theirs"
