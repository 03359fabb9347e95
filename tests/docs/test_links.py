"""Links and anchors lead somewhere, command lines parse, specs and settings are valid."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from lsq_sync import cli
from lsq_sync.spec.settings import read_settings
from tests.docs.walk import ROOT

PAGES = [
    path.relative_to(ROOT).as_posix()
    for path in (*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md")))
]
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def _text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


# --- links


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    assert [target for target in _links(_text(page)) if not _exists(ROOT / page, target)] == []


def test_the_docs_link_only_to_what_is_in_the_site() -> None:
    """What lies outside docs/ is not there in a built site."""
    outside = [
        (page, target)
        for page in PAGES
        if page.startswith("docs/")
        for target in _links(_text(page))
        if not (ROOT / page).parent.joinpath(target).resolve().is_relative_to(ROOT / "docs")
    ]
    assert outside == []


def test_every_page_is_in_the_navigation() -> None:
    listed = re.findall(r"^ +- (\S+\.md)$", (ROOT / "mkdocs.yml").read_text("utf-8"), re.MULTILINE)
    assert sorted(f"docs/{page}" for page in listed) == [p for p in PAGES if p[:5] == "docs/"]


def _links(page: str) -> Iterator[str]:
    """The relative ones, of text and of pictures."""
    for target in re.findall(r"\]\(([^)\s]+)\)", _FENCE.sub("", page)):
        if not re.match(r"[a-z]+:", target):
            yield target


def _exists(page: Path, target: str) -> bool:
    name, _, anchor = target.partition("#")
    path = (page.parent / name).resolve() if name else page
    return path.exists() and (not anchor or anchor in _anchors(path.read_text(encoding="utf-8")))


def _anchors(page: str) -> list[str]:
    """As GitHub and mkdocs make them; a heading on which they differ is not linked to."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", page), re.MULTILINE)
    return [_anchor(heading) for heading in headings]


def _anchor(heading: str) -> str:
    words = re.sub(r"[^\w\s-]", "", heading.replace("`", "")).strip().lower()
    return re.sub(r"\s", "-", words)


# --- command lines

_PLACEHOLDERS = {"ID1", "ID2", "ID3", "N", "..."}


def _command_lines() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        if page == "CHANGELOG.md":
            continue
        text = _text(page)
        found = re.findall(r"^(?:\$ )?(lsq-sync [^\n]+)$", text, re.MULTILINE)
        inline = re.findall(r"`(lsq-sync [^`\n]+)`", text)
        yield from ((page, _without_comment(words)) for words in (*found, *inline))


def _without_comment(words: str) -> str:
    return re.split(r"\s+#|\s[|>&;]|…|\s\.\.\.$", words)[0].strip()


LINES = sorted(set(_command_lines()))


@pytest.mark.parametrize(("page", "words"), LINES)
def test_every_command_line_parses(page: str, words: str) -> None:
    """Commands and options exist, and options have their values."""
    if words == "lsq-sync COMMAND --help" or "[OPTIONS]" in words:
        return
    command: click.Command = cli.command_line
    left = _after_the_general_options(shlex.split(words)[1:])
    while isinstance(command, click.Group) and left:
        assert left[0] in command.commands, f"there is no {left[0]} in {command.name}"
        command, left = command.commands[left[0]], left[1:]
    if not isinstance(command, click.Group):
        values = ["1" if word in _PLACEHOLDERS else word for word in left]
        with command.make_context(command.name, values):
            pass


def _after_the_general_options(words: list[str]) -> list[str]:
    while words and words[0].startswith("-"):
        assert words[0] in _general_options(), f"there is no {words[0]}"
        words = words[2:] if words[0] == "-C" else words[1:]
    return words


def _general_options() -> set[str]:
    return {"--help", *(option for one in cli.command_line.params for option in one.opts)}


# --- files


@pytest.mark.parametrize("page", PAGES)
def test_the_settings_of_the_docs_are_valid(page: str) -> None:
    for block in re.findall(r"```yaml[^\n]*\n(.*?)```", _text(page), re.DOTALL):
        if re.search(r"^account:", block, re.MULTILINE):
            assert read_settings(block.encode(), {}).account.name
