"""Validated documents -> opportunities with types; after this no plain dict is left.

Whatever has the wrong shape was reported by `spec/validate.py` and is passed over here in
silence, so that one run names everything once.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeGuard

from lsq_sync.core.model import (
    MASK,
    SUBFIELD,
    UNTYPED,
    UNTYPED_OPTIONS,
    DesiredField,
    DesiredNote,
    DesiredOpportunity,
    FieldRule,
    ReadFields,
)
from lsq_sync.core.values import (
    DataType,
    Value,
    ValueProblemError,
    ValueRules,
    canonical,
    canonical_options,
    is_guid,
    reader,
    shown,
)
from lsq_sync.errors import Diagnostic, Origin
from lsq_sync.spec.dependent import misfits
from lsq_sync.spec.document import Block, Items, Node, Place
from lsq_sync.spec.types import OpportunityType

_TEXTS = frozenset({str, type(None)})
_VALUES_KEPT = 4096
"""So many texts of a field are known in canonical form: many opportunities hold the same."""

_QUICK = frozenset({DataType.TEXT, DataType.OPTION, DataType.NUMBER})
"""Data types whose canonical form is sooner made than remembered."""

_CODE = re.compile("[1-9][0-9]{0,8}")
_HEX_AND_DASHES = re.compile(r"\{?[0-9a-fA-F-]{30,40}\}?")
_SHAPE_OF_GUID = re.compile(r"\w{8}(?:\W\w{4}){3}\W\w{12}")
_GUID_WITHOUT_DASHES = re.compile("[0-9a-fA-F]{32}")


@dataclass(frozen=True, slots=True)
class Built:
    """The opportunities of one file, and what is wrong with their values."""

    opportunities: tuple[DesiredOpportunity, ...]
    problems: tuple[Diagnostic, ...]


def build(document: Node, file: str, kind: OpportunityType | None, rules: ValueRules) -> Built:
    """The opportunities of a document in canonical form. Without `kind` its fields are untyped."""
    builder = _Builder(file, kind, rules)
    opportunities = tuple(builder.opportunities(document)) if isinstance(document, Block) else ()
    return Built(opportunities, tuple(builder.problems))


def _is_almost_guid(key: str) -> bool:
    """One that lost a digit, its dashes, or got an O for a 0; an AutoId looks like none of them."""
    if _GUID_WITHOUT_DASHES.fullmatch(key):
        return not key.isdecimal()
    hex_and_dashes = _HEX_AND_DASHES.fullmatch(key) and key.count("-") >= 3
    return bool(hex_and_dashes or _SHAPE_OF_GUID.fullmatch(key))


def duplicates(opportunities: tuple[DesiredOpportunity, ...]) -> Iterator[Diagnostic]:
    """The same opportunity twice over all files; GUIDs are one whatever their case."""
    if len({one.key for one in opportunities}) == len(opportunities):
        return
    first: dict[str, Origin] = {}
    for one in sorted(opportunities, key=lambda one: one.origin):
        if one.key in first:
            message = f"the opportunity {one.key} stands here a second time, first at "
            hint = "keep one of the two, with the fields of both"
            yield Diagnostic(
                one.origin, "duplicate-opportunity", f"{message}{first[one.key]}", hint
            )
        first.setdefault(one.key, one.origin)


class _Builder:
    """Collects the problems of one file while its values are read."""

    def __init__(self, file: str, kind: OpportunityType | None, rules: ValueRules) -> None:
        self._file = file
        self._kind = kind
        self._rules = rules
        self._readers = _Readers(self)
        self._listed = lru_cache(_VALUES_KEPT)(self._options)
        self.problems: list[Diagnostic] = []

    def opportunities(self, document: Block) -> Iterator[DesiredOpportunity]:
        listed = document.get("opportunities")
        if not isinstance(listed, Block):
            return
        defaults = self._defaults(document)
        code = self._kind.code if self._kind else self._code(document)
        for (key, block), place in zip(listed.items(), listed.places(), strict=True):
            if isinstance(block, Block):
                yield self._opportunity(key, block, place, defaults, code)

    def _code(self, document: Block) -> int | None:
        code = document.get("code")
        return int(code) if isinstance(code, str) and _CODE.fullmatch(code) else None

    def _defaults(self, document: Block) -> tuple[DesiredField, ...]:
        block = document.get("defaults")
        return tuple(self._fields(block.get("fields"))) if isinstance(block, Block) else ()

    def _opportunity(
        self,
        key: str,
        block: Block,
        place: Place,
        defaults: tuple[DesiredField, ...],
        code: int | None,
    ) -> DesiredOpportunity:
        label = block.get("label")
        one = DesiredOpportunity(
            key=self._key(key, place),
            origin=self._origin(place),
            fields=self._fields_of(block.get("fields"), defaults),
            note=self._note(block),
            type=self._kind.name if self._kind else "",
            code=code,
            label=label if isinstance(label, str) else "",
        )
        if self._kind and self._kind.dependencies:
            self.problems += misfits(one, self._kind.dependencies)
        return one

    def _fields_of(self, block: Node, defaults: tuple[DesiredField, ...]) -> Sequence[DesiredField]:
        """Its own fields, then the defaults; made later where all its values are good."""
        values = self._values(block) if isinstance(block, Block) else {}
        if values is None:
            own = tuple(self._fields(block))
            return (*own, *_inherited({field.name for field in own}, defaults))
        if defaults:
            left = _inherited(values.keys(), defaults)
            values = {**values, **{field.name: field.value for field in left}}
        return _Later(self, block, defaults, values)

    def _values(self, block: Block) -> Mapping[str, Value] | None:
        """The values in canonical form; None where one is wrong, or there is a field set."""
        if self._kind is None and _are_texts(block):
            return block
        readers = self._readers
        try:
            return {
                name: readers[name](node) if type(node) is str else self._other(node)
                for name, node in block.items()
            }
        except ValueProblemError:
            return None

    def _other(self, node: Node) -> Value:
        """The value of anything but text. A field set is none, as one that is wrong is none."""
        if isinstance(node, Items) and _TEXTS.issuperset(map(type, node)):
            return self._listed(*node)
        if node is not None:
            raise ValueProblemError("a field set")
        return None

    def reader(self, name: str) -> Callable[[str], Value]:
        """What brings the text of a field into canonical form."""
        data_type = self._rule(name, None).data_type
        found = reader(data_type, self._rules)
        return found if data_type in _QUICK else lru_cache(_VALUES_KEPT)(found)

    def fields_later(
        self, block: Node, defaults: tuple[DesiredField, ...], values: Mapping[str, Value]
    ) -> Iterator[DesiredField]:
        """The fields of values that were found to be good, none of which is a field set."""
        own = block if isinstance(block, Block) else Block(None)
        for (name, node), (line, column) in zip(own.items(), own.places(), strict=True):
            origin = Origin(self._file, line, column)
            yield DesiredField(name, values[name], origin, self._rule(name, node))
        yield from _inherited(own.keys(), defaults)

    def _key(self, key: str, place: Place) -> str:
        if is_guid(key):
            return key.lower()
        if not key.isprintable():
            hidden = next(letter for letter in key if not letter.isprintable())
            message = f"{shown(key)} holds the invisible character U+{ord(hidden):04X}"
            self._problem(place, "opportunity-id", message, "delete it, or type the id anew")
        elif _is_almost_guid(key):
            message = f"{key!r} is almost a GUID, but not quite"
            hint = "a GUID has 8-4-4-4-12 hexadecimal digits: copy it again from the CRM"
            self._problem(place, "opportunity-id", message, hint)
        return key

    def _note(self, block: Block) -> DesiredNote | None:
        if "note" not in block:
            return None
        text = block["note"]
        origin = self._origin(block.key_place("note"))
        return DesiredNote(text or None, origin) if isinstance(text, str | None) else None

    def _fields(self, block: Node) -> Iterator[DesiredField]:
        if not isinstance(block, Block):
            return
        for (name, node), place in zip(block.items(), block.places(), strict=True):
            if isinstance(node, Block):
                yield from self._field_set(name, node)
            else:
                yield from self._field(name, node, place, block)

    def _field_set(self, parent: str, block: Block) -> Iterator[DesiredField]:
        for (name, node), place in zip(block.items(), block.places(), strict=True):
            if isinstance(node, str | None):
                yield from self._field(name, node, place, block, f"{parent}{SUBFIELD}")

    def _field(
        self, name: str, node: Node, place: Place, block: Block, prefix: str = ""
    ) -> Iterator[DesiredField]:
        rule = self._rule(prefix + name, node)
        try:
            value = self._value(node, rule)
        except ValueProblemError as fault:
            if isinstance(node, Items):
                self._wrong_options(name, node, rule)
            else:
                self._wrong_value(name, block.value_place(name), fault, rule)
        else:
            yield DesiredField(prefix + name, value, self._origin(place), rule)

    def _wrong_options(self, name: str, items: Items, rule: FieldRule) -> None:
        for index, item in enumerate(items):
            try:
                self._options(item)
            except ValueProblemError as fault:
                self._wrong_value(name, items.value_place(index), fault, rule)

    def _wrong_value(
        self, name: str, place: Place, fault: ValueProblemError, rule: FieldRule
    ) -> None:
        what, hint = _told(fault, rule)
        title = f" ({rule.title})" if rule.title not in ("", name) else ""
        self._problem(place, "wrong-value", f"{name}{title}: {what}", hint)

    def _rule(self, name: str, node: Node) -> FieldRule:
        if self._kind and name in self._kind.fields:
            return self._kind.fields[name]
        return UNTYPED_OPTIONS if isinstance(node, Items) else UNTYPED

    def _value(self, node: Node, rule: FieldRule) -> Value:
        if isinstance(node, Items):
            return self._options(*node)
        return canonical(rule.data_type, node, self._rules) if isinstance(node, str) else None

    def _options(self, *items: Node) -> Value:
        texts = tuple(item for item in items if isinstance(item, str))
        return canonical_options(texts, self._rules)

    def _origin(self, place: Place) -> Origin:
        return Origin(self._file, *place)

    def _problem(self, place: Place, code: str, message: str, hint: str) -> None:
        self.problems.append(Diagnostic(self._origin(place), code, message, hint))


class _Readers(dict[str, Callable[[str], Value]]):
    """By field, made when it is first met."""

    def __init__(self, builder: _Builder) -> None:
        super().__init__()
        self._builder = builder

    def __missing__(self, name: str) -> Callable[[str], Value]:
        found = self[name] = self._builder.reader(name)
        return found


def _are_texts(block: Block) -> TypeGuard[dict[str, Value]]:
    """Whether all its values stand in it as they are recorded."""
    return _TEXTS.issuperset(map(type, block.values())) and "" not in block.values()


class _Later(ReadFields):
    """Fields whose values are good."""

    __slots__ = ("_block", "_builder", "_defaults")

    def __init__(
        self,
        builder: _Builder,
        block: Node,
        defaults: tuple[DesiredField, ...],
        values: Mapping[str, Value],
    ) -> None:
        super().__init__(values)
        self._builder, self._block, self._defaults = builder, block, defaults

    def make(self) -> Iterator[DesiredField]:
        return self._builder.fields_later(self._block, self._defaults, self.values)


_NOT = {
    DataType.NUMBER: "is not a number",
    DataType.DATE: "is not a date",
    DataType.DATE_TIME: "is not a date and time",
    DataType.BOOLEAN: "is neither true nor false",
    DataType.USER: "is not the id of a user",
    DataType.OPTIONS: "is not a list of options",
}
_HINTS_WITHOUT_VALUE = {
    DataType.NUMBER: "write digits, such as 200000 or 1250.50",
    DataType.DATE: "write 2026-09-16",
}


def _told(fault: ValueProblemError, rule: FieldRule) -> tuple[str, str]:
    """The words of a problem; of a sensitive value without it, also in the hint."""
    if not rule.sensitive:
        return fault.message, fault.hint
    what = f"{MASK} {_NOT[rule.data_type]}"
    return what, _HINTS_WITHOUT_VALUE.get(rule.data_type, fault.hint)


def _inherited(named: Set[str], defaults: tuple[DesiredField, ...]) -> Iterator[DesiredField]:
    """The defaults of names that are not named; a field set goes part by part."""
    sets = {name.partition(SUBFIELD)[0] for name in named if SUBFIELD in name}
    for field in defaults:
        parent = field.name.partition(SUBFIELD)[0]
        if field.name not in named and parent not in named and field.name not in sets:
            yield field


def rules_by_type(kinds: Mapping[str, OpportunityType]) -> dict[str, Mapping[str, FieldRule]]:
    """The field rules of every type, for the planner."""
    return {name: kind.fields for name, kind in kinds.items()}
