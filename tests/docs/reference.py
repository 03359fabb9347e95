"""The generated parts of `docs/reference/`: commands from click, settings from their schema.

    python -m tests.docs.reference

rewrites them, as does `LSQ_SYNC_UPDATE=1` with the test that compares.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from lsq_sync import cli
from lsq_sync.spec.schemas import schema_text

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs/reference"
COMMAND = "python -m tests.docs.reference"

_BEGIN = f"<!-- from here on this is made by `{COMMAND}` -->"
_END = "<!-- to here -->"


def pages() -> dict[Path, str]:
    """Every page as it should be, the parts written by hand as they are."""
    made = {"commands.md": commands(), "settings.md": settings()}
    return {FOLDER / name: _within(FOLDER / name, text) for name, text in made.items()}


def write() -> None:
    """Writes the pages."""
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")


def _within(path: Path, made: str) -> str:
    before, begin, rest = path.read_text(encoding="utf-8").partition(_BEGIN)
    _, end, after = rest.partition(_END)
    assert begin, f"{path.name} has no line {_BEGIN}"
    assert end, f"{path.name} has no line {_END}"
    return f"{before}{_BEGIN}\n\n{made}\n{_END}{after}"


# --- commands


def commands() -> str:
    """A section a command, in the order of the code, and the exit codes as the README has them."""
    group = cli.command_line
    parts = ["## Before the command", _usage("", group), _options(group)]
    for name, command in group.commands.items():
        parts += _sections(name, command, "##")
    codes = (ROOT / "README.md").read_text("utf-8").partition("## Exit codes")[2]
    parts += ["## Exit codes", codes.partition("\n## ")[0].strip()]
    return "\n\n".join(part for part in parts if part) + "\n"


def _sections(name: str, command: click.Command, level: str) -> Iterator[str]:
    yield f"{level} {name}"
    if isinstance(command, click.Group):
        yield _prose(command.help or "")
        for inner, one in command.commands.items():
            yield from _sections(f"{name} {inner}", one, f"{level}#")
    else:
        yield _usage(name, command)
        yield _prose(command.help or "")
        yield _options(command)


def _usage(name: str, command: click.Command) -> str:
    arguments = [_argument(one) for one in command.params if isinstance(one, click.Argument)]
    if isinstance(command, click.Group):
        arguments = ["COMMAND", "[ARGS]..."]
    words = ["lsq-sync", name, "[OPTIONS]", *arguments]
    return f"```\n{' '.join(word for word in words if word)}\n```"


def _argument(argument: click.Argument) -> str:
    word = argument.metavar or _value_word(argument) or ""
    if argument.metavar is None and not argument.required:
        word = f"[{word}]"
    return word


def _options(command: click.Command) -> str:
    options = [one for one in command.params if isinstance(one, click.Option) and not one.hidden]
    if not options:
        return ""
    rows = [f"| {_option_words(one)} | {_option_help(one)} |" for one in options]
    return "\n".join(["| option | what it does |", "|---|---|", *rows])


def _option_words(option: click.Option) -> str:
    names = ", ".join((*option.opts, *option.secondary_opts))
    value = _value_word(option)
    return _code(f"{names} {value}" if value else names).replace("|", r"\|")


def _value_word(parameter: click.Parameter) -> str:
    if isinstance(parameter, click.Option) and parameter.is_flag:
        return ""
    if parameter.metavar:
        return parameter.metavar
    if isinstance(parameter.type, click.Choice):
        return "|".join(parameter.type.choices)
    if isinstance(parameter, click.Argument):
        return (parameter.name or "").upper()
    return parameter.type.name.split()[0].upper()


def _option_help(option: click.Option) -> str:
    text = _prose(option.help or "").replace("|", r"\|")
    text = re.sub(r"\s*\[default: (.+)\]$", r" Default: \1.", text)
    if option.show_default is True:
        text = f"{text} Default: {_code(_number(option.default))}."
    return text


def _number(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _prose(text: str) -> str:
    """Help text as Markdown, each paragraph on one line."""
    paragraphs = [" ".join(part.split()) for part in text.split("\n\n")]
    return "\n\n".join(_marked(paragraph) for paragraph in paragraphs)


def _marked(text: str) -> str:
    text = text.replace("<", "&lt;").replace("*", r"\*")
    return re.sub(r"(?<![\w-])--?[a-z][a-z-]*", lambda found: _code(found[0]), text)


def _code(text: str) -> str:
    return f"`{text}`"


# --- settings


def settings() -> str:
    """A table a section of `lsq-sync.yaml`."""
    root = json.loads(schema_text("settings.schema.json"))
    plain, blocks = _divided(root)
    parts = ["## The file itself", _keys(plain, root, root)]
    for name, block in blocks.items():
        parts += [f"## {name}", block["description"], _keys(_flat(block), block, root)]
    return "\n\n".join(parts) + "\n"


def _divided(node: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    members = node["properties"].items()
    blocks = {name: one for name, one in members if one.get("type") == "object"}
    return {name: one for name, one in members if name not in blocks}, blocks


def _flat(block: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The keys of a section; those of a section inside it as `outer.inner`."""
    found: dict[str, Any] = {}
    for name, rules in block["properties"].items():
        found[f"{prefix}{name}"] = rules
        if rules.get("type") == "object":
            found |= _flat(rules, f"{prefix}{name}.")
    return found


def _keys(keys: Mapping[str, Any], block: Mapping[str, Any], root: Mapping[str, Any]) -> str:
    rows = ["| key | value | default | meaning |", "|---|---|---|---|"]
    for name, rules in keys.items():
        resolved = {**_referred(rules, root), **rules}
        needed = name in block.get("required", ())
        cells = (_code(name), _value(resolved), _default(resolved, needed), _prose(_said(resolved)))
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows)


def _referred(rules: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = rules.get("$ref", "")
    found: Mapping[str, Any] = root["$defs"][reference.rpartition("/")[2]] if reference else {}
    return found


def _said(rules: Mapping[str, Any]) -> str:
    return str(rules.get("description", ""))


_WORDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "null": "`null`",
    "array": "list of text",
    "object": "mapping",
}


def _value(rules: Mapping[str, Any]) -> str:
    if "const" in rules:
        return _code(str(rules["const"]))
    if "enum" in rules:
        return ", ".join(_code(str(one)) for one in rules["enum"])
    kinds = rules["type"] if isinstance(rules["type"], list) else [rules["type"]]
    words = " or ".join(_WORDS[kind] for kind in kinds)
    limits = [
        f"{word} {rules[key]:,}"
        for key, word in (
            ("minimum", "from"), ("exclusiveMinimum", "more than"), ("maximum", "up to")
        )
        if key in rules
    ]  # fmt: skip
    return f"{words}, {' '.join(limits)}" if limits else words


def _default(rules: Mapping[str, Any], needed: bool) -> str:
    if "default" in rules:
        shown = rules["default"]
        return _code(shown if isinstance(shown, str) else json.dumps(shown))
    return "required" if needed else ""


if __name__ == "__main__":
    write()
