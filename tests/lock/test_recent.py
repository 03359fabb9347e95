"""What our last writes replaced is kept beside the lock, for as long as reads may lag."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from lsq_sync.core.state import READ_LAG, Entry, Recorded, Replaced
from lsq_sync.lock import format as lock_format
from lsq_sync.lock.recent import keep_recent, with_recent, without_recent
from tests.core.support import ACCOUNT, at

NEW = Replaced(at(600), {"a": "1", "b": None})
OLD = Replaced(at(600) - READ_LAG - timedelta(seconds=1), {"a": "0"})
ENTRIES = {
    "k1": Entry(fields={"a": "2"}, replaced=NEW),
    "k2": Entry(fields={"a": "2"}, replaced=OLD),
    "k3": Entry(fields={"a": "2"}),
}
BARE = {key: entry._replace(replaced=None) for key, entry in ENTRIES.items()}


def test_only_what_a_read_may_still_show_is_kept(tmp_path: Path) -> None:
    keep_recent(tmp_path, Recorded(ACCOUNT, ENTRIES))
    found = with_recent(tmp_path, ACCOUNT, BARE)
    assert {key: entry.replaced for key, entry in found.items()} == {
        "k1": NEW,
        "k2": None,
        "k3": None,
    }


def test_it_is_private_and_not_in_the_lock(tmp_path: Path) -> None:
    keep_recent(tmp_path, Recorded(ACCOUNT, ENTRIES))
    (file,) = tmp_path.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert without_recent(Recorded(ACCOUNT, ENTRIES)).entries == BARE
    assert b"replaced" not in lock_format.dump(without_recent(Recorded(ACCOUNT, ENTRIES)))


def test_nothing_replaced_leaves_no_file_and_empties_an_old_one(tmp_path: Path) -> None:
    keep_recent(tmp_path, Recorded(ACCOUNT, BARE))
    assert list(tmp_path.iterdir()) == []
    keep_recent(tmp_path, Recorded(ACCOUNT, ENTRIES))
    keep_recent(tmp_path, Recorded(ACCOUNT, BARE))
    assert with_recent(tmp_path, ACCOUNT, BARE) == BARE


def test_it_counts_for_its_own_account_only_and_for_what_is_recorded(tmp_path: Path) -> None:
    keep_recent(tmp_path, Recorded(ACCOUNT, ENTRIES))
    other = replace(ACCOUNT, async_host="https://elsewhere.example")
    assert with_recent(tmp_path, other, BARE) == BARE
    assert with_recent(tmp_path, ACCOUNT, {"k3": BARE["k3"]}) == {"k3": BARE["k3"]}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"<<<<<<< x\n"])
def test_a_damaged_file_is_as_good_as_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "recent").write_bytes(content)
    assert with_recent(tmp_path, ACCOUNT, BARE) == BARE


def test_a_folder_that_takes_no_file_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "recent").mkdir()
    keep_recent(tmp_path, Recorded(ACCOUNT, ENTRIES))
    assert with_recent(tmp_path, ACCOUNT, BARE) == BARE
