"""A spec changed in place: a few values, and every other byte stays. Pure.

Each change is made at the place of the value that it replaces, in that value's own style. What
comes out is read again: it must hold what was wanted, and else exactly what it held before.
"""

import re
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lsq_sync.spec import dump
from lsq_sync.spec.document import Block, Items, Node
from lsq_sync.spec.dump import STEP, Tree
from lsq_sync.spec.load import decoded, load
from lsq_sync.spec.outline import Outline, Part, outline


class CannotEditError(ValueError):
    """There is no way to make the change in place; `line` is where, counted from 1."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(why)
        self.line = line
        self.why = why


def edited(data: bytes, wanted: Mapping[str, Tree]) -> bytes:
    """The document with the wanted members in it, which may be nested; nulls are values too.

    Raises CannotEditError when that would change anything else, or cannot be written there.
    """
    text = decoded(data, "")
    before = load(data, "")
    if not isinstance(text, str) or not isinstance(before.document, Block) or before.problems:
        raise CannotEditError(1, "it is no spec")
    tree = outline(text)
    assert tree.root is not None
    editor = _Editor(text, tree)
    editor.merge(tree.root, before.document, wanted, in_flow=False)
    after = editor.result().encode()
    after = BOM_UTF8 + after if data.startswith(BOM_UTF8) else after
    _check(before.document, wanted, after)
    return after


def _check(before: Block, wanted: Mapping[str, Tree], after: bytes) -> None:
    found = load(after, "")
    if found.problems:
        problem = found.problems[0]
        raise CannotEditError(problem.origin.line, f"the new text is no spec: {problem.message}")
    if not _holds(found.document, before, wanted):
        raise CannotEditError(1, "changing this value in place would change others")


def _holds(after: Node, before: Node, wanted: Tree) -> bool:
    """Whether what is wanted is there, and everything else is as it was."""
    if not isinstance(wanted, Mapping):
        return _says(after, wanted)
    if not isinstance(after, Block):
        return False
    old = before if isinstance(before, Block) else Block(after.place)
    if set(after) != {*old, *wanted}:
        return False
    return all(
        _holds(node, old.get(name), wanted[name]) if name in wanted else node == old[name]
        for name, node in after.items()
    )


def _says(node: Node, wanted: Tree) -> bool:
    """A block scalar may end with a line break more: line ends outside do not count.

    Options have no order (the CRM compares them as a set): those that stay keep their lines.
    """
    if isinstance(wanted, tuple):
        return isinstance(node, Items) and sorted(map(str, node)) == sorted(map(str, wanted))
    if isinstance(wanted, str) and isinstance(node, str):
        return node.strip("\n") == wanted.strip("\n")
    return node is None and wanted is None


@dataclass(frozen=True, slots=True)
class _Cut:
    """These characters are replaced by others."""

    start: int
    end: int
    text: str


_ANCHOR = re.compile(r"&\S+\s*")
_HEADER = re.compile(r"[|>][-+0-9]*")
_COLON = re.compile(r"\s*:")


class _Editor:
    """Collects what is to be cut and put in, by the characters of the old text."""

    def __init__(self, text: str, tree: Outline) -> None:
        self._text = text
        self._repeated = tree.repeated
        self._cuts: list[_Cut] = []
        self._newline = "\r\n" if "\r\n" in text else "\n"

    def result(self) -> str:
        parts, place = [], 0
        for cut in sorted(self._cuts, key=lambda cut: (cut.start, cut.end)):
            parts += [self._text[place : cut.start], cut.text]
            place = cut.end
        return "".join((*parts, self._text[place:]))

    def merge(
        self, mapping: Part, old: Block, wanted: Mapping[str, Tree], *, in_flow: bool
    ) -> None:
        """Sets the wanted members of a mapping, and adds those that it does not have."""
        self._refuse_shared(mapping)
        known = {name.text: (name, value) for name, value in mapping.members}
        for name, tree in wanted.items():
            if name in known:
                self._set(*known[name], old[name], tree, in_flow=in_flow or mapping.in_flow)
        if added := {name: tree for name, tree in wanted.items() if name not in known}:
            self._add(mapping, added)

    def _set(self, name: Part, value: Part, old: Node, wanted: Tree, *, in_flow: bool) -> None:
        if isinstance(wanted, Mapping) and isinstance(old, Block):
            if value.kind == "mapping":
                self.merge(value, old, wanted, in_flow=in_flow)
            else:
                self._write_out(name, value, _merged(old, wanted), in_flow=in_flow)
            return
        self._refuse_shared(value)
        if isinstance(wanted, Mapping):
            self._write_out(name, value, wanted, in_flow=in_flow)
        elif value.kind == "scalar":
            self._set_scalar(name, value, wanted, in_flow=in_flow)
        elif value.kind == "sequence" and not value.in_flow:
            self._set_items(name, value, wanted)
        else:
            self._replace(value, _inline(wanted, in_flow=in_flow))

    def _refuse_shared(self, part: Part) -> None:
        if part.anchor in self._repeated and part.kind != "alias":
            why = f"others share this through &{part.anchor}: write it out for them first"
            raise CannotEditError(self._line(part.start), why)

    # --- a value

    def _set_scalar(self, name: Part, value: Part, wanted: Tree, *, in_flow: bool) -> None:
        style = value.style
        if style in ("|", ">"):
            self._set_block_scalar(name, value, wanted)
        elif style in ('"', "'") and isinstance(wanted, str):
            self._replace(value, dump.quoted(wanted, style))
        else:
            self._replace(value, _inline(wanted, in_flow=in_flow))

    def _set_block_scalar(self, name: Part, value: Part, wanted: Tree) -> None:
        """Text of several lines stays below its key; the line of the key keeps its comment."""
        start = self._behind_anchor(value)
        head_end = self._line_end(start)
        header = _HEADER.match(self._text, start)
        assert header is not None
        indent = self._column(name) + STEP
        block = dump.literal(wanted, indent) if isinstance(wanted, str) else None
        sign = header[0] if block and header[0] in ("|", "|-") else "|-"
        self._cut(start, header.end(), sign if block else _inline(wanted, in_flow=False))
        self._cut(head_end, value.end, "".join(f"{self._newline}{line}" for line in block or ()))

    def _set_items(self, name: Part, value: Part, wanted: Tree) -> None:
        """A list with an option a line keeps the lines of those that stay."""
        if not isinstance(wanted, tuple) or any(item.kind != "scalar" for item in value.items):
            colon = self._behind_colon(name)
            self._cut(colon, colon, f" {_inline(wanted, in_flow=False)}")
            self._cut(self._line_end(colon), self._line_end(value.end), "")
            return
        kept: set[str] = set()
        for item, following in self._with_ends(value):
            if item.text in wanted and item.text not in kept:
                kept.add(item.text)
            else:
                self._cut(self._line_start(item.start), following, "")
        end = self._line_end(value.end)
        dash = self._text[self._line_start(value.items[-1].start) : value.items[-1].start]
        more = (item for item in wanted if item not in kept)
        added = "".join(f"{self._newline}{dash}{dump.scalar(item)}" for item in more)
        if added and value.items[-1].text not in wanted:
            added = added.removeprefix(self._newline) + self._newline
            end = min(end + len(self._newline), len(self._text))
        self._cut(end, end, added)

    def _with_ends(self, value: Part) -> Iterator[tuple[Part, int]]:
        """Each item, with where the next one's line begins."""
        for item, following in zip(value.items, [*value.items[1:], None], strict=True):
            if following is not None:
                yield item, self._line_start(following.start)
            else:
                yield item, min(self._line_end(item.end) + len(self._newline), len(self._text))

    def _write_out(
        self, name: Part, value: Part, wanted: Mapping[str, Tree], *, in_flow: bool
    ) -> None:
        """A mapping takes the place of an alias, or of a single value."""
        if in_flow:
            self._replace(value, dump.flow(wanted))
            return
        lines = dump.lines(wanted, self._column(name) + STEP)
        start = _rstripped(self._text, value.start)
        comment = self._text[value.end : self._line_end(value.end)].rstrip()
        self._cut(start, value.end, "")
        end = value.end + len(comment)
        self._cut(end, end, "".join(f"{self._newline}{line}" for line in lines))

    def _replace(self, value: Part, text: str) -> None:
        self._cut(self._behind_anchor(value), value.end, text)

    # --- a new member

    def _add(self, mapping: Part, added: Mapping[str, Tree]) -> None:
        if mapping.in_flow:
            self._add_in_brackets(mapping, added)
            return
        last = mapping.members[-1]
        end = self._line_end(last[1].end)
        spaced = self._is_spaced(mapping)
        for name, tree in added.items():
            lines = dump.lines({name: tree}, self._column(mapping.members[0][0]))
            text = "".join(f"{self._newline}{line}" for line in lines)
            self._cut(end, end, self._newline + text if spaced else text)

    def _is_spaced(self, mapping: Part) -> bool:
        """Whether blank lines stand between the members of a mapping, as far as there are two."""
        if len(mapping.members) < 2:
            return False
        (_, before), (last, _) = mapping.members[-2:]
        between = self._text[before.end : last.start].replace("\r", "")
        return re.search(r"\n[ \t]*\n", between) is not None

    def _add_in_brackets(self, mapping: Part, added: Mapping[str, Tree]) -> None:
        members = [
            f"{dump.key(name, flow=True)}: {dump.flow(tree)}" for name, tree in added.items()
        ]
        if mapping.members:
            end = mapping.members[-1][1].end
            self._cut(end, end, "".join(f", {member}" for member in members))
        else:
            self._cut(mapping.end - 1, mapping.end - 1, ", ".join(members))

    # --- places

    def _cut(self, start: int, end: int, text: str) -> None:
        if start < end or text:
            self._cuts.append(_Cut(start, end, text))

    def _line(self, place: int) -> int:
        return self._text.count("\n", 0, place) + 1

    def _line_start(self, place: int) -> int:
        return self._text.rfind("\n", 0, place) + 1

    def _line_end(self, place: int) -> int:
        """Before the line break."""
        end = self._text.find("\n", place)
        if end < 0:
            return len(self._text)
        return end - 1 if end > place and self._text[end - 1] == "\r" else end

    def _column(self, name: Part) -> int:
        """How far a key is indented. Raises CannotEditError where something stands before it."""
        before = self._text[self._line_start(name.start) : name.start]
        if before.strip(" "):
            raise CannotEditError(self._line(name.start), "the key does not begin its line")
        return len(before)

    def _behind_anchor(self, value: Part) -> int:
        found = _ANCHOR.match(self._text, value.start) if value.anchor else None
        return found.end() if found and value.kind != "alias" else value.start

    def _behind_colon(self, name: Part) -> int:
        found = _COLON.match(self._text, name.end)
        if found is None:
            raise CannotEditError(self._line(name.start), "there is no colon behind the key")
        return found.end()


def _inline(wanted: Tree, *, in_flow: bool) -> str:
    return dump.flow(wanted) if in_flow else dump.inline(wanted)


def _rstripped(text: str, end: int) -> int:
    return len(text[:end].rstrip(" "))


def _merged(old: Block, wanted: Mapping[str, Tree]) -> dict[str, Tree]:
    """The whole of a mapping that is written out, with what changes in it."""
    found: dict[str, Tree] = {name: _tree(node) for name, node in old.items()}
    for name, tree in wanted.items():
        node = old.get(name)
        deeper = isinstance(tree, Mapping) and isinstance(node, Block)
        found[name] = _merged(node, tree) if deeper else tree  # type: ignore[arg-type]
    return found


def _tree(node: Node) -> Tree:
    if isinstance(node, Block):
        return {name: _tree(value) for name, value in node.items()}
    if isinstance(node, Items):
        return tuple(item for item in node if isinstance(item, str))
    return node
