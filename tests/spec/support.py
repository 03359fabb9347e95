"""Documents and workspaces, written as one writes them down."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from lsq_sync.core.values import ValueRules
from lsq_sync.errors import Diagnostic
from lsq_sync.spec.document import Block, Items, Node
from lsq_sync.spec.load import load
from lsq_sync.spec.read import Specs, find_specs, read_specs

FILE = "specs/a.yaml"
GUID = "5ca5b042-51ea-4699-b6f0-84c40ab12770"
ROOT = Path(__file__).parents[2]
LOAN = ROOT / "schemas" / "types" / "loan.schema.json"


def loaded(text: str | bytes) -> Node:
    """The document, which has no problems."""
    data = text.encode() if isinstance(text, str) else text
    found = load(data, FILE)
    assert found.problems == ()
    return found.document


def block(text: str | bytes) -> Block:
    document = loaded(text)
    assert isinstance(document, Block)
    return document


def told(problems: Iterable[Diagnostic]) -> list[str]:
    """Problems as people read them, less the file: `line:column: message [code]`."""
    return [
        f"{one.origin.line}:{one.origin.column}: {one.message} [{one.code}]"
        for one in sorted(problems)
    ]


def problems_of(text: str | bytes) -> list[str]:
    """What the loader says of a text."""
    data = text.encode() if isinstance(text, str) else text
    return told(load(data, FILE).problems)


def hints_of(text: str | bytes) -> list[str]:
    data = text.encode() if isinstance(text, str) else text
    return [one.hint for one in load(data, FILE).problems]


def plain(node: Node) -> object:
    """The same as dicts, lists and texts."""
    if isinstance(node, Block):
        return {key: plain(value) for key, value in node.items()}
    if isinstance(node, Items):
        return [plain(item) for item in node]
    return node


def lines_of(problem: Diagnostic) -> list[str]:
    """A problem as an example's expected.txt has it."""
    head = f"{problem.origin}: {problem.message} [{problem.code}]"
    return [head, *([f"    {problem.hint}"] if problem.hint else [])]


def workspace(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """Writes files into an empty workspace that has the type `loan`."""
    types = root / "schemas" / "types"
    types.mkdir(parents=True, exist_ok=True)
    (root / "specs").mkdir(exist_ok=True)
    (types / LOAN.name).write_bytes(LOAN.read_bytes())
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def specs(root: Path, files: Mapping[str, str | bytes], rules: ValueRules | None = None) -> Specs:
    """What such a workspace holds."""
    workspace(root, files)
    return read_specs(root, find_specs(root, "specs"), "schemas", rules or ValueRules())


def spec(fields: str, *, head: str = "version: 1", key: str = GUID, more: str = "") -> str:
    """A spec file of one opportunity; `fields` has one field a line."""
    inner = "".join(f"      {line}\n" for line in fields.splitlines())
    return f"{head}\nopportunities:\n  {key}:\n{more}    fields:\n{inner}"


def loan(fields: str, **more: str) -> str:
    return spec(fields, head="version: 1\ntype: loan", **more)


def type_schema(fields: Mapping[str, object], **more: object) -> str:
    """A type schema with these fields; each is text unless it says otherwise."""
    described = {
        name: {"x-lsq-data-type": "String", **(rules if isinstance(rules, dict) else {})}
        for name, rules in fields.items()
    }
    fields_schema = {"type": "object", "additionalProperties": False, "properties": described}
    content = {"title": "Test", "x-lsq-code": 7, "$defs": {"fields": fields_schema}}
    return json.dumps({**content, **more})


def typed(root: Path, schema: str | bytes, fields: str) -> list[str]:
    """What is said of a spec with these fields, whose type has this schema."""
    found = specs(
        root,
        {
            "schemas/types/test.schema.json": schema,
            FILE: spec(fields, head="version: 1\ntype: test"),
        },
    )
    return [f"{problem.message} | {problem.hint}" for problem in found.problems]
