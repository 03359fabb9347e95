"""Text -> positioned data, over libyaml's event stream; the one importer of yaml.

Stricter than YAML on purpose: every scalar is its source text, only a plain `null` or `~` is
null, and whatever could mean something else than it looks like is refused with its place:
duplicate and merge keys, tags, several documents, control characters, anchors that expand
without end, nesting without end. All that can be found in one pass is found in one pass.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import yaml

from lsq_sync.errors import Diagnostic, Origin
from lsq_sync.spec.document import Block, Items, Loaded, Node, Place
from lsq_sync.spec.load import origin_after

MAX_DEPTH = 64
MAX_EXPANSION = 1_000_000
"""So many values may come out of aliases; 100,000 opportunities that share five fields fit."""

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff\ufffe\uffff]")
_REFUSED = re.compile(f"{_CONTROL.pattern}|[\u2028\u2029]|\r(?!\n)")
"""YAML ends a line at the last three, and so a comment, where editors and git show none: what
follows would be read by the tool and by nobody else."""

_CONTROL_SHOWN = 20
_INVISIBLE = "delete it; it is invisible in most editors"
_LINE_ENDS = {
    "\r": "save the file with line ends LF or CRLF",
    "\u2028": "replace it by a line break or a space",
    "\u2029": "replace it by a line break or a space",
}

_NULLS = ("null", "~")

_NESTING_OF_LIBYAML = "exceeded maximum nesting depth"
"""libyaml 0.2.6 gives up by itself, looking ahead, before it tells of the first bracket."""

_Event = Any  # pyyaml has no types for the events of its C parser


def read_events(text: str, file: str) -> Loaded:
    """The one document in a text, and everything wrong with it; never raises for bad input."""
    try:
        _refuse_control_characters(text, file)
        document, problems = _Builder(text, file).build()
    except _Unreadable as stop:
        return Loaded(None, stop.problems)
    return Loaded(document, problems)


@dataclass(frozen=True, slots=True)
class Mark:
    """A value, or the begin or end of a collection, by its characters in the text.

    `style` is the quote or the sign of a block scalar, "{" of a collection in flow style, else
    empty. `anchor` is the name given to it; of an alias, the one that it repeats.
    """

    kind: Literal["scalar", "alias", "mapping", "sequence", "end"]
    start: int
    end: int
    style: str = ""
    anchor: str | None = None
    text: str = ""


def marks(text: str) -> Iterator[Mark]:
    """Where everything of a document stands that `load` has no problems with."""
    parser = yaml.CSafeLoader(text) if yaml.__with_libyaml__ else yaml.SafeLoader(text)
    while (event := parser.get_event()) is not None:
        if mark := _mark(event):
            yield mark


def _mark(event: _Event) -> Mark | None:
    kind = _KINDS.get(type(event))
    if kind is None:
        return None
    style = getattr(event, "style", None) or ("{" if getattr(event, "flow_style", None) else "")
    anchor, value = getattr(event, "anchor", None), getattr(event, "value", "")
    return Mark(kind, event.start_mark.index, event.end_mark.index, style, anchor, value)


_KINDS: dict[type, Literal["scalar", "alias", "mapping", "sequence", "end"]] = {
    yaml.ScalarEvent: "scalar",
    yaml.AliasEvent: "alias",
    yaml.MappingStartEvent: "mapping",
    yaml.SequenceStartEvent: "sequence",
    yaml.MappingEndEvent: "end",
    yaml.SequenceEndEvent: "end",
}


class _Unreadable(Exception):  # noqa: N818 - a signal inside this module, not an error for others
    """The rest of the file cannot be read."""

    def __init__(self, *problems: Diagnostic) -> None:
        super().__init__()
        self.problems = problems


def _refuse_control_characters(text: str, file: str) -> None:
    found = []
    for hit in _REFUSED.finditer(text):
        message = f"the character U+{ord(hit[0]):04X} is not allowed"
        hint = _LINE_ENDS.get(hit[0], _INVISIBLE)
        found.append(
            Diagnostic(origin_after(file, text[: hit.start()]), "control-character", message, hint)
        )
        if len(found) == _CONTROL_SHOWN:
            break
    if found:
        raise _Unreadable(*found)


class _Builder:
    """One pass over the events of one file."""

    def __init__(self, text: str, file: str) -> None:
        self._file = file
        parser = yaml.CSafeLoader(text) if yaml.__with_libyaml__ else yaml.SafeLoader(text)
        self._next: Callable[[], _Event] = parser.get_event
        self._problems: list[Diagnostic] = []
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._expanded = 0

    def build(self) -> tuple[Node, tuple[Diagnostic, ...]]:
        try:
            document = self._stream()
        except yaml.MarkedYAMLError as error:
            end = _syntax(error, self._file)
            before = (problem for problem in self._problems if problem.origin != end.origin)
            raise _Unreadable(*before, end) from None
        return document, tuple(self._problems)

    def _stream(self) -> Node:
        self._next()  # the start of the stream
        event = self._next()
        if isinstance(event, yaml.StreamEndEvent):
            return None
        first = self._next()
        document = None if _is_nothing(first) else self._value(first, 0)[0]
        self._next()  # the end of the document
        event = self._next()
        if not isinstance(event, yaml.StreamEndEvent):
            self._problem(
                _place(event), "several-documents", "a second document starts here",
                "delete the ---, or put what follows into a file of its own",
            )  # fmt: skip
        return document

    def _value(self, event: _Event, depth: int) -> tuple[Node, int]:
        """The value that begins with this event, and how many values it holds."""
        kind = type(event)
        if kind is yaml.AliasEvent:
            return self._alias(event)
        self._refuse_tag(event)
        if kind is yaml.ScalarEvent:
            value: Node = self._scalar(event)
            size = 1
        else:
            if depth >= MAX_DEPTH:
                raise _Unreadable(*self._problems, _too_deep(Origin(self._file, *_place(event))))
            collect = self._block if kind is yaml.MappingStartEvent else self._items
            value, size = collect(event, depth + 1)
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, size)
        return value, size

    def _alias(self, event: _Event) -> tuple[Node, int]:
        if event.anchor not in self._anchors:
            self._stop(
                _place(event), "alias", f"there is no finished anchor &{event.anchor} above",
                f"quote a value that begins with *, or define &{event.anchor} above it, "
                "outside of what it stands in",
            )  # fmt: skip
        value, size = self._anchors[event.anchor]
        self._expanded += size
        if self._expanded > MAX_EXPANSION:
            self._stop(
                _place(event), "expansion",
                f"the aliases expand to more than {MAX_EXPANSION:,} values",
                "write the values out, or use defaults",
            )  # fmt: skip
        return value, size

    def _scalar(self, event: _Event) -> str | None:
        text: str = event.value
        if event.implicit[0]:  # plain
            if text in _NULLS:
                return None
            if text in ("", "Null", "NULL"):
                self._unclear_null(event)
        elif event.style == '"' and (_CONTROL.search(text) or "\r" in text):
            message = "the text holds a control character, written as an escape"
            self._problem(_place(event), "control-character", message, "delete it")
        return text

    def _unclear_null(self, event: _Event) -> None:
        what = f"{event.value} is not clear" if event.value else "there is no value here"
        quoted = f'"{event.value}"'
        as_text = f"{quoted} for that text" if event.value else '"" for the same'
        self._problem(
            _place(event), "unclear-null", what,
            f"write null to clear, {as_text}, or delete the line to leave it alone",
        )  # fmt: skip

    def _block(self, event: _Event, depth: int) -> tuple[Block, int]:
        block = Block(_place(event))
        size = 1
        while True:
            event = self._next()
            if type(event) is yaml.MappingEndEvent:
                return block, size
            key, key_place = self._key(event), _place(event)
            event = self._next()
            value, value_size = self._value(event, depth)
            size += value_size
            if key is None:
                continue
            if key in block:
                self._duplicate(key, key_place, block.key_place(key))
            else:
                block.add(key, key_place, value, _place(event))

    def _duplicate(self, key: str, place: Place, first: Place) -> None:
        message = f"{key!r} stands here a second time, first at {Origin(self._file, *first)}"
        self._problem(place, "duplicate-key", message, "delete one of the two")

    def _key(self, event: _Event) -> str | None:
        """None where the key cannot be used; that has been said then."""
        place = _place(event)
        if type(event) is not yaml.ScalarEvent:
            self._stop(place, "key", "a key must be plain text", "write it as text, with no * [ {")
        self._refuse_tag(event)
        text: str = event.value
        if event.implicit[0] and text == "<<":
            hint = "write the fields out, or use defaults"
            self._problem(place, "merge-key", "merge keys (<<) are not supported", hint)
            return None
        if event.implicit[0] and text == "":
            self._problem(place, "key", "there is no key here", "write one before the colon")
            return None
        if event.implicit[0] and text in _NULLS:
            hint = f'write its name, or "{text}" in quotes if that is its name'
            self._problem(place, "key", f"{text} is no key", hint)
            return None
        if _CONTROL.search(text) or "\n" in text or "\t" in text or "\r" in text:
            hint = "write the key on one line, without escapes"
            self._problem(place, "control-character", "the key holds a control character", hint)
            return None
        return text

    def _items(self, event: _Event, depth: int) -> tuple[Items, int]:
        items = Items(_place(event))
        size = 1
        while True:
            event = self._next()
            if type(event) is yaml.SequenceEndEvent:
                return items, size
            value, value_size = self._value(event, depth)
            size += value_size
            items.add(value, _place(event))

    def _refuse_tag(self, event: _Event) -> None:
        if event.tag is not None:
            written = event.tag.replace("tag:yaml.org,2002:", "!!")
            hint = "quote a value that begins with !, or delete the tag: values are always text"
            self._problem(_place(event), "tag", f"tags are not supported: {written}", hint)

    def _problem(self, place: Place, code: str, message: str, hint: str) -> None:
        self._problems.append(Diagnostic(Origin(self._file, *place), code, message, hint))

    def _stop(self, place: Place, code: str, message: str, hint: str) -> None:
        self._problem(place, code, message, hint)
        raise _Unreadable(*self._problems)


def _is_nothing(event: _Event) -> bool:
    return type(event) is yaml.ScalarEvent and event.implicit[0] and not event.value


def _place(event: _Event) -> Place:
    mark = event.start_mark
    return Place(mark.line + 1, mark.column + 1)


_SYNTAX_HINTS = (
    ("tab", "indent with spaces only"),
    ("cannot start any token", "quote the value, and indent with spaces only"),
    (
        "mapping values are not allowed",
        "quote a value that holds a colon; a key needs a space after its colon, also on the line "
        "above; check the indentation",
    ),
    ("block sequence entries", "quote a value that begins with a dash, or put it below its key"),
    ("mapping keys are not allowed", "quote a value that begins with ?"),
    ("alias", "quote a value that begins with * or &"),
    ("anchor", "quote a value that begins with * or &"),
    ("tag", "quote a value that begins with !"),
    ("block scalar", "after | or >, write the text on the lines below, indented"),
    ("directive", "delete the line, or quote a value that begins with %"),
    ("incompatible YAML document", "delete the line that begins with %YAML"),
    ("invalid Unicode character escape", "write the character itself"),
    ("escape", "use single quotes, in which a backslash is a backslash"),
    ("hexdecimal", "use single quotes, in which a backslash is a backslash"),
    ("did not find expected key", "check the indentation and the quotes above this line"),
    ("could not find expected ':'", "a key needs a colon and a space after it"),
    ("unexpected end of stream", "a quote or a bracket is still open"),
)
_ANY_SYNTAX = "check the brackets, quotes and indentation here"


def _too_deep(origin: Origin) -> Diagnostic:
    hint = "a spec is six levels deep: look for a bracket left open"
    return Diagnostic(origin, "nesting", f"nested over {MAX_DEPTH} levels deep", hint)


def _syntax(error: yaml.MarkedYAMLError, file: str) -> Diagnostic:
    mark = error.problem_mark or error.context_mark
    origin = Origin(file, mark.line + 1, mark.column + 1) if mark else Origin(file)
    if error.problem == _NESTING_OF_LIBYAML:
        return _too_deep(origin)
    problem = error.problem or "cannot be read"
    context = f" ({error.context})" if error.context else ""
    message = f"not valid YAML: {problem}{context}"
    hint = next((hint for words, hint in _SYNTAX_HINTS if words in message), _ANY_SYNTAX)
    return Diagnostic(origin, "yaml", message, hint)
