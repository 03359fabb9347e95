"""A workspace in which there is nothing to do, for tests of what a plan keeps for the next one."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lsq_sync.commands import plan as command
from lsq_sync.commands.verdict import Verdict
from lsq_sync.commands.workspace import find_workspace
from lsq_sync.core.model import Account
from lsq_sync.core.state import (
    Entry,
    FinalRequest,
    Outcome,
    Recorded,
    RequestID,
    RunID,
)
from lsq_sync.errors import LsqSyncError
from lsq_sync.index import format as index_format
from lsq_sync.index.answer import standing_answer
from lsq_sync.index.place import write_private
from lsq_sync.index.private import read_private
from lsq_sync.lock.format import dump, load
from lsq_sync.render.document import to_text
from lsq_sync.render.lines import plain
from lsq_sync.render.plan_document import plan_document
from lsq_sync.render.plan_text import plan_lines
from lsq_sync.surroundings import Surroundings

NOW = datetime(2026, 8, 31, 12, 0, 0, tzinfo=UTC)
SETTINGS = """\
version: 1
account: {name: acme, async_host: "http://127.0.0.1:9", time_zone: Asia/Kolkata}
"""
SCHEMA = """\
{"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Loan", "x-lsq-code": 12000,
 "allOf": [{"$ref": "../spec.schema.json"}],
 "properties": {"opportunities": {"additionalProperties": {"properties": {"fields":
   {"$ref": "#/$defs/fields"}}}}},
 "$defs": {"fields": {"type": "object", "additionalProperties": false, "properties": {
   "mx_Custom_1": {"title": "Amount", "type": ["string", "number", "null"],
                   "x-lsq-data-type": "Number", "x-lsq-sensitive": true},
   "mx_Custom_2": {"title": "When", "type": ["string", "null"], "x-lsq-data-type": "DateTime"}}}}}
"""
ACCOUNT = Account("acme", "http://127.0.0.1:9")
RUN = RunID("20260831T083800Z-00a1b2")
FILES = {"specs/a.yaml": "", "specs/b.yaml": "type: loan\n", "specs/sub/c.yml": ""}
PER_FILE = 4


def key_of(file: int, number: int) -> str:
    """The opportunities of the last file are known by AutoIds."""
    if file == 2:
        return f"LN-{number:04}"
    return f"5ca5b042-51ea-4699-b6f0-84c40ab{file:02}{number:03}"


def guid_of(number: int) -> str:
    return f"6db6c153-62fb-4aa0-97f1-95d51bc{number:05}"


class World:
    """A workspace in which there is nothing to do."""

    def __init__(self, root: Path, *, per_file: int = PER_FILE, forgets: bool = False) -> None:
        """`forgets`: there is no index from an earlier plan."""
        self.root = root
        self.forgets = forgets
        self.environment: dict[str, str] = {}
        self.printed: str | None = None  # by the last plan, if it had nothing to do or to notice
        self.lock = root / "lsq-sync.lock"
        self.write("lsq-sync.yaml", SETTINGS)
        self.write("schemas/types/loan.schema.json", SCHEMA)
        entries: dict[str, Entry] = {}
        for file, (name, head) in enumerate(FILES.items()):
            lines = [f"version: 1\n{head}opportunities:\n"]
            for number in range(per_file):
                key = key_of(file, number)
                lines.append(f"  {key}:\n    fields:\n      mx_Custom_1: '{number}1'\n")
                lines.append("      mx_Custom_2: 2026-09-16 12:13:44\n")
                when = "2026-09-16 06:43:44" if file == 1 else "2026-09-16 12:13:44"
                entries[key] = Entry(
                    type="loan" if file == 1 else "",
                    guid=guid_of(number) if file == 2 else "",
                    fields={"mx_Custom_1": f"{number}1", "mx_Custom_2": when},
                    request=FinalRequest(
                        Outcome.SUCCEEDED, RUN, NOW, NOW.replace(second=number % 60), RequestID("r")
                    ),
                )
            self.write(name, "".join(lines))
        self.record(entries)

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.root / name).read_text(encoding="utf-8")
        assert old in text
        self.write(name, text.replace(old, new, 1))

    def record(self, entries: dict[str, Entry], account: Account = ACCOUNT) -> None:
        self.lock.write_bytes(dump(Recorded(account, entries)))

    def recorded(self) -> dict[str, Entry]:
        return dict(load(self.lock.read_bytes(), "lock").entries)

    def change(self, key: str, **members: Any) -> None:
        entries = self.recorded()
        self.record({**entries, key: entries[key]._replace(**members)})

    def plan(self, *, whole: bool = False) -> tuple[object, list[str]]:
        """What a plan says, or why there is none; and what is said besides."""
        if self.forgets:
            self.forget()
        notices: list[str] = []
        self.printed = None
        try:
            workspace = find_workspace(self.root, self.environment)
            around = Surroundings(now=lambda: NOW)
            choice = command.Choice()
            found = command.run(
                workspace, choice, around, with_unchanged=whole, notice=notices.append
            )
        except LsqSyncError as error:
            return (str(error), error.hint, error.diagnostics), notices
        limit = workspace.settings.api.rate_limit
        text = plain(plan_lines(found.plan, found.budget, limit, found.refusals))
        command.keep_index(workspace, found, lambda: text)
        if found.verdict is Verdict.DONE and not notices:
            self.printed = text
        document = to_text(plan_document(found.plan, found.budget, found.refusals, NOW))
        return (document, text, found.verdict, found.plan.population), notices

    @property
    def cache(self) -> Path:
        return self.root / ".lsq-sync/cache"

    @property
    def index(self) -> Path:
        return self.cache / "plan"

    def kept(self, name: str) -> bytes:
        """What is in a file of the cache."""
        data = read_private(str(self.cache / name))
        assert data is not None
        return data

    def plant(self, name: str, data: bytes) -> None:
        """As if an earlier plan had kept it."""
        write_private(self.root / ".lsq-sync", name, data)

    def forget(self) -> None:
        """As if no plan had been made before."""
        shutil.rmtree(self.cache, ignore_errors=True)

    def untouched(self) -> set[str]:
        """The files that the next plan would not read."""
        return {one.file for one in index_format.load(self.kept("plan")).files}

    def answer(self) -> str | None:
        """What the next plan says before it reads anything, if it does."""
        return standing_answer(str(self.root), self.environment)

    def assert_same(self) -> None:
        for _ in ("what an earlier plan kept", "what this one keeps"):
            answer = self.answer()
            whole = self.plan(whole=True)
            assert answer in (None, self.printed)
            assert self.plan() == whole


def untouched_world(root: Path, *, forgets: bool = False) -> World:
    made = World(root, forgets=forgets)
    assert made.plan() == made.plan(whole=True)
    assert forgets or made.untouched() == {*FILES}
    assert forgets or made.answer() == made.printed is not None
    return made
