"""What the loader refuses, each with its place and a way out; any bytes at all never raise."""

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lsq_sync.spec import events
from lsq_sync.spec import load as loader
from lsq_sync.spec.document import Block, Place
from lsq_sync.spec.files import MAX_BYTES
from lsq_sync.spec.load import load
from tests.spec.support import FILE, hints_of, loaded, plain, problems_of, told

REFUSED: dict[str, tuple[str | bytes, list[str]]] = {
    # text, what is said of it
    "duplicate key": (
        "a: 1\nb: 2\na: 3\n",
        ["3:1: 'a' stands here a second time, first at specs/a.yaml:1:1 [duplicate-key]"],
    ),
    "three times": (
        "a: 1\na: 2\na: 3\n",
        [
            "2:1: 'a' stands here a second time, first at specs/a.yaml:1:1 [duplicate-key]",
            "3:1: 'a' stands here a second time, first at specs/a.yaml:1:1 [duplicate-key]",
        ],
    ),
    "duplicate keys in two depths": (
        "x: {a: 1, a: {b: 1, b: 2}}\n",
        [
            "1:11: 'a' stands here a second time, first at specs/a.yaml:1:5 [duplicate-key]",
            "1:21: 'b' stands here a second time, first at specs/a.yaml:1:15 [duplicate-key]",
        ],
    ),
    "duplicate key, once in quotes": (
        "a: 1\n'a': 2\n",
        ["2:1: 'a' stands here a second time, first at specs/a.yaml:1:1 [duplicate-key]"],
    ),
    "duplicate key through an anchor": (
        "&x a: 1\n*x : 2\n",
        ["2:1: a key must be plain text [key]"],
    ),
    "merge key": (
        "a: &x {b: 1}\nc:\n  <<: *x\n  d: 2\n",
        ["3:3: merge keys (<<) are not supported [merge-key]"],
    ),
    "tag": ("a: !!str 5\n", ["1:4: tags are not supported: !!str [tag]"]),
    "tag of one's own": ("a: !secret x\n", ["1:4: tags are not supported: !secret [tag]"]),
    "tag on a mapping": ("a: !!map {b: c}\n", ["1:4: tags are not supported: !!map [tag]"]),
    "tag on a key": ("!!str a: b\n", ["1:1: tags are not supported: !!str [tag]"]),
    "tag that calls Python": (
        "a: !!python/object/apply:os.system [ls]\n",
        ["1:4: tags are not supported: !!python/object/apply:os.system [tag]"],
    ),
    "bare tag": ("a: ! x\n", ["1:4: tags are not supported: ! [tag]"]),
    "two documents": (
        "a: 1\n---\nb: 2\n",
        ["2:1: a second document starts here [several-documents]"],
    ),
    "two documents, the second empty": (
        "a: 1\n---\n",
        ["2:1: a second document starts here [several-documents]"],
    ),
    "nothing after the colon": ("a:\nb: 1\n", ["1:3: there is no value here [unclear-null]"]),
    "nothing but a comment": ("a: # later\n", ["1:3: there is no value here [unclear-null]"]),
    "nothing in a list": ("a:\n  -\n  - x\n", ["2:4: there is no value here [unclear-null]"]),
    "nothing in a flow mapping": (
        "a: {b, c: d}\n",
        ["1:6: there is no value here [unclear-null]"],
    ),
    "Null": ("a: Null\n", ["1:4: Null is not clear [unclear-null]"]),
    "NULL": ("a: [NULL]\n", ["1:5: NULL is not clear [unclear-null]"]),
    "null as a key": ("null: 1\n", ["1:1: null is no key [key]"]),
    "tilde as a key": ("a: {~: 1}\n", ["1:5: ~ is no key [key]"]),
    "nothing as a key": ("?\n: 1\n", ["1:2: there is no key here [key]"]),
    "a list as a key": ("? [a]\n: b\n", ["1:3: a key must be plain text [key]"]),
    "an alias as a key": ("a: &k b\n*k : c\n", ["2:1: a key must be plain text [key]"]),
    "control character": (
        "a: b\x07c\n",
        ["1:5: the character U+0007 is not allowed [control-character]"],
    ),
    "control characters, each": (
        "a: \x1b[31m\nb: \x00\nc: \x7f\nd: \x9b",
        [
            "1:4: the character U+001B is not allowed [control-character]",
            "2:4: the character U+0000 is not allowed [control-character]",
            "3:4: the character U+007F is not allowed [control-character]",
            "4:4: the character U+009B is not allowed [control-character]",
        ],
    ),
    "next line": (
        "a: b\x85c: d\n",
        ["1:5: the character U+0085 is not allowed [control-character]"],
    ),
    "line separator": (
        "a: b # c\u2028d: e\n",
        ["1:9: the character U+2028 is not allowed [control-character]"],
    ),
    "paragraph separator": (
        "a: 'b\u2029c'\n",
        ["1:6: the character U+2029 is not allowed [control-character]"],
    ),
    "carriage return alone": (
        "a: b # c\rd: e\r\n",
        ["1:9: the character U+000D is not allowed [control-character]"],
    ),
    "byte order mark in the middle": (
        "a: b\ufeffc\n",
        ["1:5: the character U+FEFF is not allowed [control-character]"],
    ),
    "two byte order marks": (
        "\ufeff\ufeffa: b\n",
        ["1:1: the character U+FEFF is not allowed [control-character]"],
    ),
    "control character as an escape": (
        'a: "\\0"\nb: "x\\e[31m"\nc: "\\N"\nd: "x\\ry"\n',
        [
            f"{line}:4: the text holds a control character, written as an escape "
            "[control-character]"
            for line in (1, 2, 3, 4)
        ],
    ),
    "control character in a key": (
        '"a\\tb": 1\n"c\\nd": 2\n"\\x7f": 3\n',
        [f"{line}:1: the key holds a control character [control-character]" for line in (1, 2, 3)],
    ),
    "latin-1": (b"a: caf\xe9\n", ["1:7: byte 0xe9 is not UTF-8 [encoding]"]),
    "latin-1 in line 3": (b"a: b\r\n\r\nb: \xe9\n", ["3:4: byte 0xe9 is not UTF-8 [encoding]"]),
    "latin-1 after a byte order mark": (
        b"\xef\xbb\xbfa: caf\xe9\n",
        ["1:7: byte 0xe9 is not UTF-8 [encoding]"],
    ),
    "UTF-16": ("a: b".encode("utf-16"), ["1:1: byte 0xff is not UTF-8 [encoding]"]),
    "a surrogate": (b"a: \xed\xa0\x80\n", ["1:4: byte 0xed is not UTF-8 [encoding]"]),
    "65 deep": ("[" * 65 + "]" * 65, ["1:65: nested over 64 levels deep [nesting]"]),
    "50 KB of braces": ("{a: " * 12_500, ["1:257: nested over 64 levels deep [nesting]"]),
    "50 KB of dashes": ("- " * 25_000, ["1:129: nested over 64 levels deep [nesting]"]),
    "recursive alias": ("a: &x [*x]\n", ["1:8: there is no finished anchor &x above [alias]"]),
    "unknown alias": ("a: *x\n", ["1:4: there is no finished anchor &x above [alias]"]),
    "alias of a key": ("&k a: b\nc: *k\n", ["2:4: there is no finished anchor &k above [alias]"]),
    "alias before its anchor": (
        "a: *x\nb: &x y\n",
        ["1:4: there is no finished anchor &x above [alias]"],
    ),
    "text right after a quote": (
        '"a"b: c\n',
        ["1:4: not valid YAML: did not find expected key (while parsing a block mapping) [yaml]"],
    ),
    "what stands before the place where reading ends is told as well": (
        "a: 1\na: 2\nb: [\n",
        [
            "2:1: 'a' stands here a second time, first at specs/a.yaml:1:1 [duplicate-key]",
            "4:1: not valid YAML: did not find expected node content "
            "(while parsing a flow node) [yaml]",
        ],
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_with_its_place(case: str) -> None:
    text, expected = REFUSED[case]
    assert problems_of(text) == expected


def test_50_kb_of_brackets_are_refused_wherever_the_parser_stops() -> None:
    """libyaml 0.2.6 looks ahead and gives up at level 1,000, older ones get to our own limit."""
    assert problems_of("[" * 50_000) in (
        ["1:65: nested over 64 levels deep [nesting]"],
        ["1:1001: nested over 64 levels deep [nesting]"],
    )


@pytest.mark.parametrize("case", REFUSED)
def test_every_refusal_has_a_way_out(case: str) -> None:
    assert all(hints_of(REFUSED[case][0]))


HINTS: dict[str, tuple[str, str]] = {
    "nothing after the colon": (
        "a:\n",
        'write null to clear, "" for the same, or delete the line to leave it alone',
    ),
    "Null": (
        "a: Null\n",
        'write null to clear, "Null" for that text, or delete the line to leave it alone',
    ),
    "a bare null key": ("~: 1\n", 'write its name, or "~" in quotes if that is its name'),
    "a star": ("a: *urgent*\n", "quote a value that begins with *"),
    "a star and a space": ("a: * urgent\n", "quote a value that begins with * or &"),
    "an ampersand": ("a: & sons\n", "quote a value that begins with * or &"),
    "an exclamation mark": ("a: !urgent\n", "quote a value that begins with !"),
    "an at sign": ("a: @home\n", "quote the value"),
    "a percent sign": ("a: %5\n", "quote the value"),
    "a dash": ("a: - b\n", "quote a value that begins with a dash"),
    "a tab": ("a:\n\tb: c\n", "indent with spaces only"),
    "a colon in a value": ("a: b: c\n", "quote a value that holds a colon"),
    "no space after a colon": ("version:1\na: b\n", "a key needs a space after its colon"),
    "a key without a colon": ("a: 1\nb\nc: 1\n", "a key needs a colon and a space after it"),
    "an open quote": ('a: "b\nc: d\n', "a quote or a bracket is still open"),
    "an open bracket": ("a: [b\nc: d\n", "check the brackets, quotes and indentation"),
    "text after a quote": ("a: 'b' c\n", "check the indentation and the quotes"),
    "a path that looks like an escape": ('a: "C:\\users"\n', "single quotes"),
    "a path in double quotes": ('a: "C:\\dir"\n', "single quotes"),
    "a bad escape": ('a: "\\ud800"\n', "write the character itself"),
    "a tab in a block of text": ("a: |\n\tb\n", "indent with spaces only"),
    "a tab before a key": ("a: b\n\tc: d\n", "indent with spaces only"),
    "a question mark": ("a: ? b\n", "quote a value that begins with ?"),
    "a bar and more": ("a: | b\n", "text on the lines below"),
    "a conflict of git": ("a: b\n<<<<<<< HEAD\nc: d\n", "a key needs a colon"),
    "an outdent": ("a:\n  b: c\n d: e\n", "check the indentation"),
    "another version of YAML": ("%YAML 3.0\n---\na: b\n", "delete the line"),
    "a stray end": ("...\n", "check the brackets, quotes and indentation"),
    "a separate line that nobody sees": ("a: b\u2028\n", "replace it by a line break or a space"),
    "an old Mac": ("a: b\rc: d\r", "line ends LF or CRLF"),
    "two documents": ("a: 1\n---\n", "delete the ---"),
}


@pytest.mark.parametrize("case", HINTS)
def test_the_way_out(case: str) -> None:
    text, hint = HINTS[case]
    found = hints_of(text)
    assert any(hint in one for one in found), found


def test_at_most_twenty_control_characters_are_listed() -> None:
    assert len(problems_of("a: '" + "\x01" * 500 + "'")) == 20


@pytest.mark.parametrize(
    "text",
    [
        "a: 'b\tc'",
        "a: |\n  b\n  c",
        'a: "b\\n\\tc"',
        'a: "\\u00e9\\L\\P"',
        "a: '\u200b\u202e\U0001f600\ue000'",
    ],
)
def test_what_is_no_control_character_is_allowed(text: str) -> None:
    assert isinstance(loaded(text), Block)


def test_64_levels_are_allowed() -> None:
    assert loaded("[" * 64 + "]" * 64) is not None


# --- sizes


def test_a_file_over_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader, "MAX_BYTES", 3 * 1024 * 1024)
    limit = b"a: " + b"x" * (3 * 1024 * 1024 - 3)
    assert load(limit, FILE).problems == ()
    (problem,) = load(limit + b"x" * 1024 * 1024, FILE).problems
    assert (str(problem.origin), problem.code) == (FILE, "too-large")
    assert problem.message == "the file has 4 MiB, the limit is 3"
    assert problem.hint == "split it: opportunities may stand in any number of files"


def test_the_limit_is_256_mib() -> None:
    assert MAX_BYTES == 256 * 1024 * 1024


def bomb(levels: int, width: int) -> str:
    first = f"a0: &a0 [{', '.join('x' * width)}]\n"
    more = (
        f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * width)}]\n"
        for level in range(1, levels)
    )
    return first + "".join(more)


def test_aliases_that_expand_without_end() -> None:
    (found,) = problems_of(bomb(levels=9, width=10))
    assert "the aliases expand to more than 1,000,000 values [expansion]" in found


def test_aliases_up_to_the_cap_are_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a: &x [y, y]\nb: *x\nc: *x\n"  # three values each time
    monkeypatch.setattr(events, "MAX_EXPANSION", 6)
    assert problems_of(text) == []
    monkeypatch.setattr(events, "MAX_EXPANSION", 5)
    assert problems_of(text) == ["3:4: the aliases expand to more than 5 values [expansion]"]


def test_a_hundred_thousand_opportunities_may_share_five_fields() -> None:
    assert events.MAX_EXPANSION >= 100_000 * 6


# --- properties

PRINTABLE = st.characters(
    codec="utf-8",
    exclude_categories=["Cc", "Cs"],
    exclude_characters="\u2028\u2029\ufeff\ufffe\uffff",
)
WORDS = st.text(PRINTABLE, max_size=20)
TEXTS = st.text(PRINTABLE | st.sampled_from("\n\t"), max_size=30)
KEYS = WORDS


def quoted(text: str) -> str:
    """In double quotes, everything that could mean something escaped."""
    escaped = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}
    return '"' + "".join(escaped.get(letter, letter) for letter in text) + '"'


def single(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def as_block(text: str, indent: str) -> str:
    body = "".join(f"\n{indent}{line}" if line else "\n" for line in text.split("\n"))
    return f"|2-{body}"


@st.composite
def scalars(draw: st.DrawFn, text: str, indent: str) -> str:
    """The text, in one of the ways in which YAML can write it."""
    ways = [quoted(text)]
    if "\n" not in text:
        ways.append(single(text))
    if text and not text.endswith("\n") and text.strip("\n\t "):
        ways.append(as_block(text, indent))
    return draw(st.sampled_from(ways))


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, dict[str, object]]:
    """A mapping of texts and of mappings of texts, and how it is written."""
    lines: list[str] = []
    meaning: dict[str, object] = {}
    for key in draw(st.lists(KEYS, unique=True, max_size=5)):
        head = draw(st.sampled_from([quoted(key), single(key)]))
        if draw(st.booleans()):
            inner = draw(st.dictionaries(KEYS, TEXTS, min_size=1, max_size=3))
            lines.append(f"{head}:")
            for name, text in inner.items():
                lines.append(f"  {quoted(name)}: {draw(scalars(text, '    '))}")
            meaning[key] = inner
        else:
            text = draw(TEXTS)
            lines.append(f"{head}: {draw(scalars(text, '  '))}")
            meaning[key] = text
    return "\n".join(lines), meaning


@settings(deadline=None)
@given(documents())
def test_what_is_written_loads_back_as_the_same_text(
    written: tuple[str, dict[str, object]],
) -> None:
    text, meaning = written
    found = load(text.encode(), FILE)
    assert told(found.problems) == []
    assert (plain(found.document) or {}) == meaning


@settings(deadline=None)
@given(documents())
def test_it_means_what_other_readers_of_yaml_read(
    written: tuple[str, dict[str, object]],
) -> None:
    text, meaning = written
    assert (yaml.safe_load(text) or {}) == meaning


@settings(deadline=None)
@given(documents())
def test_a_place_is_where_the_text_stands(written: tuple[str, dict[str, object]]) -> None:
    text, meaning = written
    document = load(text.encode(), FILE).document
    lines = text.split("\n")

    def text_at(place: Place) -> str:
        return lines[place.line - 1][place.column - 1 :]

    for key in meaning:
        assert isinstance(document, Block)
        assert text_at(document.key_place(key)).startswith((quoted(key), single(key)))
        inner = document[key]
        if isinstance(inner, str):
            assert text_at(document.value_place(key)).startswith(('"', "'", "|"))
        elif isinstance(inner, Block):
            for name in inner:
                assert text_at(inner.key_place(name)).startswith(quoted(name))


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_never_raise(data: bytes) -> None:
    found = load(data, FILE)
    assert found.document is not None or found.problems or not loaded(data)


@settings(deadline=None)
@given(st.text("{}[]&*!|>'\"%@`#,:-?~ \n\ta1\\<=.0nul", max_size=60))
def test_any_punctuation_never_raises(text: str) -> None:
    for problem in load(text.encode(), FILE).problems:
        assert problem.origin.line >= 1
        assert problem.origin.column >= 1
        assert problem.message
        assert problem.hint


@settings(deadline=None)
@given(st.text("{}[]&*!|>'\":-? \na", max_size=60))
def test_what_is_accepted_is_what_other_readers_of_yaml_accept(text: str) -> None:
    """Stricter than YAML, and never laxer."""
    if not load(text.encode(), FILE).problems:
        list(yaml.parse(text, Loader=yaml.CSafeLoader))
