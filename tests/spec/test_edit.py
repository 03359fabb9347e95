"""One value changed in place: every other value, and every other byte, stays."""

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsq_sync.spec import dump
from lsq_sync.spec.dump import Plain, Tree
from lsq_sync.spec.edit import CannotEditError, edited
from tests.spec.support import block, plain
from tests.spec.test_dump import AMBIGUOUS, TEXTS

KEY = "5ca5b042-51ea-4699-b6f0-84c40ab12770"
HEAD = f"version: 1\nopportunities:\n  {KEY}:\n"


def _edit(text: str, **fields: Tree) -> str:
    return edited(text.encode(), {"opportunities": {KEY: {"fields": fields}}}).decode()


def _fields(lines: str) -> str:
    return HEAD + "    fields:\n" + "".join(f"      {line}\n" for line in lines.split("\n"))


# before -> after of the fields, with what is wanted
IN_PLACE: dict[str, tuple[str, str, dict[str, Tree]]] = {
    "a plain value, its comment stays": ("a: x   # why\nb: y", "a: z   # why\nb: y", {"a": "z"}),
    "a number": ("a: 1 # n", "a: 77 # n", {"a": Plain("77")}),
    "double quotes stay": ('a: "200,000"', 'a: "77"', {"a": Plain("77")}),
    "single quotes stay": ("a: 'it''s'", "a: 'it''s 2'", {"a": "it's 2"}),
    "single quotes that cannot hold it": ("a: 'x'", 'a: "x\\ny"', {"a": "x\ny"}),
    "plain that would be ambiguous": ("a: x", 'a: "NO"', {"a": "NO"}),
    "to null": ('a: "x" # c', "a: null # c", {"a": None}),
    "from null": ("a: null # c", "a: z # c", {"a": "z"}),
    "a block scalar": (
        "a: | # c\n  one\n  two\n\n# end\nb: y",
        "a: | # c\n  three\n  four\n\n# end\nb: y",
        {"a": "three\nfour"},
    ),
    "a block scalar to one line": ("a: |- # c\n  one\n  two\nb: y", "a: z # c\nb: y", {"a": "z"}),
    "a folded one": (
        "a: >\n  one\n  two\nb: y",
        "a: |-\n  three\n  four\nb: y",
        {"a": "three\nfour"},
    ),
    "text over two lines": ("a: one\n  two # c\nb: y", "a: z # c\nb: y", {"a": "z"}),
    "a list in brackets": ("a: [x, y] # c", "a: [x, z] # c", {"a": ("x", "z")}),
    "a list in brackets to null": ("a: [x, y] # c", "a: null # c", {"a": None}),
    "null to a list": ("a: ~ # c", "a: [x, z] # c", {"a": ("x", "z")}),
    "a list of lines": (
        "a: # c\n  - x # 1\n  - y # 2\nb: y",
        "a: # c\n  - x # 1\n  - z\nb: y",
        {"a": ("x", "z")},
    ),
    "a list of lines, longer": ("a:\n- x # 2", "a:\n- x # 2\n- z", {"a": ("x", "z")}),
    "a list of lines, another order: the lines that stay keep theirs": (
        "a:\n  - x # 1\n  - y # 2\nb: y",
        "a:\n  - x # 1\n  - z\nb: y",
        {"a": ("z", "x")},
    ),
    "a list of lines, the same in another order": (
        "a:\n  - x # 1\n  - y",
        "a:\n  - x # 1\n  - y",
        {"a": ("y", "x")},
    ),
    "a list of lines, of which only the last stays": (
        "a:\n  - x\n  - y # 2",
        "a:\n  - y # 2\n  - p\n  - q",
        {"a": ("p", "q", "y")},
    ),
    "a list of lines to null": ("a: # c\n- x\n- y\nb: y", "a: null # c\nb: y", {"a": None}),
    "a field set": ("a:\n  p: x # 1\n  q: y", "a:\n  p: x # 1\n  q: z", {"a": {"q": "z"}}),
    "a new part of a field set": ("a:\n  p: x # 1\nb: y", "a:\n  p: x # 1\n  q: z\nb: y",
                                  {"a": {"q": "z"}}),
    "a new part in brackets": ("a: {p: x}", 'a: {p: x, "q": "z"}', {"a": {"q": "z"}}),
    "a new field": ("a: x # c", "a: x # c\nb: z", {"b": "z"}),
    "a new field behind a block scalar": ("a: |-\n  one", "a: |-\n  one\nb: z", {"b": "z"}),
    "a value in brackets": ("a: {p: x, q: 'y'}", "a: {p: \"z\", q: 'u'}",
                            {"a": {"p": "z", "q": "u"}}),
    "two at once": ("a: x\nb: y", "a: 1\nb: null\nc: z",
                    {"a": Plain("1"), "b": None, "c": "z"}),
    "an anchor that nobody repeats": ("a: &k x", "a: &k z", {"a": "z"}),
}  # fmt: skip


@pytest.mark.parametrize("case", IN_PLACE)
@pytest.mark.parametrize("bytes_around", ["lf", "crlf", "bom", "no line break at the end"])
def test_a_value_is_changed_in_place(case: str, bytes_around: str) -> None:
    before, after, wanted = IN_PLACE[case]
    texts = [_fields(before), _fields(after)]
    if bytes_around == "crlf":
        texts = [text.replace("\n", "\r\n") for text in texts]
    if bytes_around == "bom":
        texts = [f"\ufeff{text}" for text in texts]
    if bytes_around == "no line break at the end":
        texts = [text.rstrip("\n") for text in texts]
    assert _edit(texts[0], **wanted).rstrip("\n") == texts[1].rstrip("\n")


def test_an_opportunity_gets_fields_and_a_note_of_its_own() -> None:
    for opportunity, after in (
        ("    label: x # c\n", "    label: x # c\n    fields:\n      a: z\n    note: hello\n"),
        ("    fields: {}\n", '    fields: {"a": "z"}\n    note: hello\n'),
    ):
        wanted: Tree = {KEY: {"fields": {"a": "z"}, "note": "hello"}}
        text = f"{HEAD}{opportunity}\n  # the next\n  other: {{label: y}}\n"
        expected = f"{HEAD}{after}\n  # the next\n  other: {{label: y}}\n"
        assert edited(text.encode(), {"opportunities": wanted}).decode() == expected


def test_json_stays_json() -> None:
    text = f'{{"version": "1", "opportunities": {{"{KEY}": {{"fields": {{"a": "x"}}}}}}}}'
    assert _edit(text, a="z", b=None) == text.replace('"x"', '"z", "b": null')


def test_what_is_shared_through_an_alias_is_written_out_for_this_one() -> None:
    text = HEAD.replace(KEY, "first") + f"    fields: &k\n      a: x\n      b: w\n  {KEY}:\n"
    after = _edit(f"{text}    fields: *k  # the same\n", a="z")
    assert after == f"{text}    fields:  # the same\n      a: z\n      b: w\n"
    assert _edit(f"{text}    fields:\n      a: &v x\n      b: *v\n", b="z").endswith(
        "      a: &v x\n      b: z\n"
    )


def test_what_others_share_is_not_changed_behind_their_back() -> None:
    text = f"{HEAD}    fields: &k\n      a: x\n  other:\n    fields: *k\n"
    with pytest.raises(CannotEditError, match="&k") as refused:
        _edit(text, a="z")
    assert refused.value.line == 4
    with pytest.raises(CannotEditError, match="&v"):
        _edit(_fields("a: &v x\nb: *v"), a="z")


def test_a_line_break_that_would_get_into_a_value_is_no_way() -> None:
    text = _fields("a: |\n  one")
    with pytest.raises(CannotEditError, match="others"):
        _edit(text.rstrip("\n"), b="z")
    assert _edit(text, b="z") == f"{text}      b: z\n"


def test_a_member_is_added_with_the_blank_lines_of_its_neighbours() -> None:
    wanted: Tree = {"third": {"label": "c"}}
    text = "version: 1\nopportunities:\n  one: {label: a}\n\n  two:\n    label: b # x\n\n# end\n"
    after = edited(text.encode(), {"opportunities": wanted}).decode()
    assert after == text.replace("# x\n", "# x\n\n  third:\n    label: c\n")
    close = text.replace("\n\n  two", "\n  two")
    after = edited(close.encode(), {"opportunities": wanted}).decode()
    assert after == close.replace("# x\n", "# x\n  third:\n    label: c\n")


# --- any value of any spec

VALUES = TEXTS | AMBIGUOUS | st.just("plain words")
COMMENTS = st.sampled_from(["", "  # why: [not] {yaml} 'x'", " # *a &b |"])


@dataclass(frozen=True)
class Spec:
    """A spec in pieces: what stands before and behind each of its values."""

    pieces: tuple[tuple[str, str, str], ...]  # up to the value, the value, behind it

    @property
    def text(self) -> str:
        return HEAD + "    fields:\n" + "".join("".join(piece) for piece in self.pieces)

    def around(self, index: int) -> tuple[str, str]:
        """All before a value, and all behind it."""
        value = self.pieces[index][1]
        start = len(HEAD + "    fields:\n") + sum(
            len("".join(piece)) for piece in self.pieces[:index]
        )
        start += len(self.pieces[index][0])
        return self.text[:start], self.text[start + len(value) :]


@st.composite
def pieces(draw: st.DrawFn, number: int) -> tuple[str, str, str]:
    value = draw(VALUES)
    style = draw(st.sampled_from(["plain", '"', "'", "|", "set", "brackets", "null"]))
    name = draw(st.sampled_from([f"f{number}", f'"f{number}"']))
    before = draw(st.sampled_from(["", "\n", "      # over it\n", "# at the edge\n"]))
    comment = draw(COMMENTS) + draw(st.sampled_from(["\n", "\n\n", "\n  # below\n"]))
    head = f"{before}      {name}: "
    if style == "|" and (lines := dump.literal(value, 10)):
        return head, "|-" + "\n" + "\n".join(lines), "\n"
    if style == "set":
        return f"{head}\n          p: ", dump.scalar(value), comment
    if style == "brackets":
        return f"{head}{{o: [x], p: ", dump.scalar(value, flow=True), f", q: z}}{comment}"
    if style == "null":
        return head, "null", comment
    return head, dump.quoted(value, style) if style in "\"'" else dump.scalar(value), comment


@st.composite
def specs(draw: st.DrawFn) -> Spec:
    count = draw(st.integers(1, 4))
    return Spec(tuple(draw(pieces(number)) for number in range(count)))


def _fields_in(text: str) -> dict[str, Any]:
    document: Any = plain(block(text))
    found: dict[str, Any] = document["opportunities"][KEY]["fields"]
    return found


@given(specs(), st.integers(0, 3), VALUES | st.none(), st.booleans())
def test_any_value_of_any_spec_changes_alone(
    spec: Spec, which: int, wanted: str | None, crlf: bool
) -> None:
    index = which % len(spec.pieces)
    name = f"f{index}"
    before, behind = spec.around(index)
    text = spec.text
    if crlf:
        text, before, behind = (part.replace("\n", "\r\n") for part in (text, before, behind))
    old = _fields_in(text)
    nested = isinstance(old[name], dict)
    after = _edit(text, **{name: {"p": wanted} if nested else wanted})
    assert after.startswith(before)
    assert after.endswith(behind)
    new = _fields_in(after)
    if nested:
        old[name]["p"] = wanted
    else:
        old[name] = wanted
    assert new == old
