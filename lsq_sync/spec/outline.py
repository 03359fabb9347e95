"""Which characters of a spec hold which value: a tree over its text. Pure.

Only what changes a spec in place needs it; reading one is `load.py`'s.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from lsq_sync.spec.events import Mark, marks


@dataclass(slots=True)
class Part:
    """A value in the text, from `start` up to `end`.

    A collection in block style ends where its last value does; a block scalar with its last line
    that is not blank. `anchor` stands before the value itself, and belongs to it.
    """

    kind: str
    start: int
    end: int
    style: str
    anchor: str | None
    text: str = ""
    members: list[tuple["Part", "Part"]] = field(default_factory=list)
    items: list["Part"] = field(default_factory=list)

    @property
    def in_flow(self) -> bool:
        """Whether it is a collection in brackets."""
        return self.style == "{"

    def member(self, name: str) -> tuple["Part", "Part"] | None:
        """A member of a mapping, key and value."""
        return next((pair for pair in self.members if pair[0].text == name), None)


@dataclass(frozen=True, slots=True)
class Outline:
    """The tree, and the anchors that are repeated somewhere."""

    root: Part | None
    repeated: frozenset[str]


def outline(text: str) -> Outline:
    """The tree over a text that `load` has no problems with."""
    builder = _Builder(text)
    return Outline(builder.root(), frozenset(builder.repeated))


class _Builder:
    """Makes parts of marks."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._marks: Iterator[Mark] = marks(text)
        self.repeated: set[str] = set()

    def root(self) -> Part | None:
        first = next(self._marks, None)
        return self._part(first) if first else None

    def _part(self, mark: Mark) -> Part:
        part = Part(mark.kind, mark.start, mark.end, mark.style, mark.anchor, mark.text)
        match mark.kind:
            case "mapping":
                self._fill_mapping(part)
            case "sequence":
                self._fill_sequence(part)
            case "alias":
                self.repeated.add(mark.anchor or "")
            case _ if mark.style in ("|", ">"):
                part.end = part.start + len(self._text[part.start : part.end].rstrip())
        return part

    def _fill_mapping(self, part: Part) -> None:
        while (mark := next(self._marks)).kind != "end":
            name = self._part(mark)
            part.members.append((name, self._part(next(self._marks))))
        part.end = mark.end if part.in_flow or not part.members else part.members[-1][1].end

    def _fill_sequence(self, part: Part) -> None:
        while (mark := next(self._marks)).kind != "end":
            part.items.append(self._part(mark))
        part.end = mark.end if part.in_flow or not part.items else part.items[-1].end
