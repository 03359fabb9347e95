"""Opportunities of the CRM -> a spec that has no problems. Pure, but for what `read.py` reads.

What a spec cannot say is found by reading the written text as every command would: a value that
the type schema refuses, or that would read back as another one, is left out and told.
"""

import posixpath
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from lsq_sync.core.importing import Draft, LeftOut
from lsq_sync.core.model import (
    SUBFIELD,
    UNTYPED,
    DesiredOpportunity,
    FieldRule,
    LiveOpportunity,
)
from lsq_sync.core.state import NOTE, value_of
from lsq_sync.core.values import (
    ABSENT,
    DataType,
    Value,
    ValueRules,
    from_live,
    is_masked,
    same_as_live,
)
from lsq_sync.spec import dump, fields
from lsq_sync.spec.build import Built
from lsq_sync.spec.document import Block, Node, Place
from lsq_sync.spec.dump import Tree
from lsq_sync.spec.load import load
from lsq_sync.spec.types import SUFFIX, OpportunityType

_LONGEST_LABEL = 200


@dataclass(frozen=True, slots=True)
class Target:
    """The kind of opportunity that a spec is for: a type, or only an event code."""

    code: int
    kind: OpportunityType | None
    values: ValueRules

    @property
    def type(self) -> str:
        return self.kind.name if self.kind else ""

    def rule(self, name: str) -> FieldRule:
        """What is known of a field."""
        return self.kind.fields.get(name, UNTYPED) if self.kind else UNTYPED


# --- what is written


def draft_of(
    key: str,
    live: LiveOpportunity,
    names: Iterable[str],
    label: str,
    target: Target,
    empty: Collection[str],
) -> Draft:
    """The named values of an opportunity; nothing is written only where a name is in `empty`."""
    found: dict[str, Value] = {}
    for name in names:
        seen = value_of(live, name)
        if seen is ABSENT:
            continue
        value = from_live(target.rule(name).data_type, seen, target.values)
        if value is not None or name in empty:
            found[name] = value
    return Draft(key, _label(label), found)


def _label(text: str) -> str:
    """On one line, and with nothing invisible in it."""
    words = " ".join(text.split())
    return "".join(letter for letter in words if letter.isprintable())[:_LONGEST_LABEL].strip()


def tree_of(draft: Draft, target: Target) -> Tree:
    """The mapping that stands under the opportunity's key."""
    label: dict[str, Tree] = {"label": draft.label} if draft.label else {}
    return {**label, **fields.tree_of(draft.values, target.rule, target.values)}


def new_spec(drafts: Iterable[Draft], target: Target, file: str, schemas: str) -> str:
    """The text of a new spec file, with a modeline for editors and the names of its fields."""
    listed = list(drafts)
    lines = [f"# yaml-language-server: $schema={_schema_for(target, file, schemas)}", "#"]
    lines += ["# Imported from the CRM. What is not named here is left alone."]
    lines += _legend(listed, target)
    lines += ["version: 1", f"type: {target.type}" if target.kind else f"code: {target.code}"]
    lines += ["", "opportunities:"]
    for number, draft in enumerate(listed):
        if number:
            lines.append("")
        lines += dump.lines({draft.key: tree_of(draft, target)}, dump.STEP)
    return "\n".join(lines) + "\n"


def _schema_for(target: Target, file: str, schemas: str) -> str:
    name = f"types/{target.type}{SUFFIX}" if target.kind else "spec.schema.json"
    return posixpath.relpath(f"{schemas}/{name}", posixpath.dirname(file))


def _legend(drafts: Iterable[Draft], target: Target) -> Iterator[str]:
    used = {name for draft in drafts for name in draft.values}
    titles = {
        name: _label(rule.title)
        for name, rule in (target.kind.fields if target.kind else {}).items()
        if name in used
    }
    named = {name: title for name, title in titles.items() if title not in ("", name)}
    if named:
        yield "#"
        width = max(map(len, named))
        yield from (f"#   {name:<{width}}  {title}" for name, title in named.items())


# --- whether it says what it should


@dataclass(frozen=True, slots=True)
class Checked:
    """Drafts that a spec can hold, what each means when it is read, and what was left out."""

    drafts: tuple[Draft, ...]
    meant: Mapping[str, DesiredOpportunity]
    left_out: tuple[LeftOut, ...]


def checked(
    drafts: Iterable[Draft],
    live: Mapping[str, LiveOpportunity],
    target: Target,
    read: Callable[[bytes], Built],
) -> Checked:
    """Writes the drafts, reads that with `read`, and drops what is wrong, until nothing is."""
    listed, left = _without(list(drafts), [*_unwritable(drafts)])
    while listed:
        data = new_spec(listed, target, "specs/new.yaml", "schemas").encode()
        built = read(data)
        meant = {one.key: one for one in built.opportunities}
        faults = [*_problems(data, built), *_differences(meant, live, target)]
        if not faults:
            return Checked(tuple(listed), meant, tuple(left))
        listed, more = _without(listed, faults)
        left += more
    return Checked((), {}, tuple(left))


def _unwritable(drafts: Iterable[Draft]) -> Iterator[LeftOut]:
    for draft in drafts:
        for name, value in draft.values.items():
            if value and _holds_a_surrogate(value):
                yield LeftOut(draft.key, name, "it holds half a character, which no file can hold")
            elif is_masked(value):
                yield LeftOut(draft.key, name, "it reads as masked")


def _holds_a_surrogate(text: str) -> bool:
    return any("\ud800" <= letter <= "\udfff" for letter in text)


def _without(drafts: list[Draft], faults: list[LeftOut]) -> tuple[list[Draft], list[LeftOut]]:
    """The drafts less the faulty values, and what that dropped; a fault that is in no single value
    takes the whole opportunity along."""
    wrong = {(fault.key, fault.name): fault for fault in faults}
    kept: list[Draft] = []
    dropped: dict[tuple[str, str], LeftOut] = {}
    for draft in drafts:
        names = [name for name in draft.values if (draft.key, name) not in wrong]
        if (draft.key, "") in wrong:
            names = []
        elif len(names) == len(draft.values):
            kept.append(draft)
            continue
        dropped |= {at: fault for at, fault in wrong.items() if at[0] == draft.key}
        if names:
            kept.append(replace(draft, values={name: draft.values[name] for name in names}))
    return kept, list(dropped.values())


def _problems(data: bytes, built: Built) -> Iterator[LeftOut]:
    """What is wrong with the written text, by the value in whose place it is."""
    if not built.problems:
        return
    places = sorted(_places(load(data, "").document))
    for problem in built.problems:
        at = Place(problem.origin.line, problem.origin.column)
        index = bisect_right(places, (at, chr(0x10FFFF), "")) - 1
        _, key, name = places[max(0, index)]
        yield LeftOut(key, name, problem.message)


def _places(document: Node) -> Iterator[tuple[Place, str, str]]:
    """Where each opportunity, and each of its values, begins."""
    opportunities = document.get("opportunities") if isinstance(document, Block) else None
    assert isinstance(opportunities, Block)
    for key, block in opportunities.items():
        yield opportunities.key_place(key), key, ""
        if not isinstance(block, Block):
            continue
        if "note" in block:
            yield block.key_place("note"), key, NOTE
        fields = block.get("fields")
        if isinstance(fields, Block):
            yield from ((place, key, name) for place, name in field_places(fields))


def field_places(fields: Block) -> Iterator[tuple[Place, str]]:
    """Each field of a spec, sub-field by sub-field, with the place of its key."""
    for name, node in fields.items():
        if isinstance(node, Block):
            yield from ((node.key_place(part), f"{name}{SUBFIELD}{part}") for part in node)
        else:
            yield fields.key_place(name), name


def _differences(
    meant: Mapping[str, DesiredOpportunity], live: Mapping[str, LiveOpportunity], target: Target
) -> Iterator[LeftOut]:
    """Values that mean something else than what the CRM has, once they are read."""
    why = "a spec cannot say it: it would read back as another value"
    for key, one in meant.items():
        seen = live[key]
        for field in one.fields:
            kind = field.rule.data_type
            if not same_as_live(kind, seen.fields.get(field.name), field.value, target.values):
                yield LeftOut(key, field.name, why)
        note = seen.note if seen.note is not ABSENT else None
        if one.note and not same_as_live(DataType.TEXT, note, one.note.value, target.values):
            yield LeftOut(key, NOTE, why)
