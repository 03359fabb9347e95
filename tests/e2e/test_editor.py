"""What an editor makes of the shipped schemas, by the language server that editors use.

Runs where `yaml-language-server` is installed: npm install --global yaml-language-server
"""

import itertools
import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from threading import Timer
from typing import Any

import pytest

from tests.support.world import ROOT

PROGRAM = shutil.which("yaml-language-server")
pytestmark = pytest.mark.skipif(
    PROGRAM is None, reason="yaml-language-server is not installed (npm install --global)"
)

HEAD = """\
# yaml-language-server: $schema=../schemas/types/loan.schema.json
version: 1
type: loan
opportunities:
  5ca5b042-51ea-4699-b6f0-84c40ab12770:
    fields:
"""
SETTINGS = {"yaml": {"schemaStore": {"enable": False}, "validate": True, "completion": True}}


class Editor:
    """Speaks with the server as an editor does; every wait ends with the message waited for."""

    def __init__(self, server: "subprocess.Popen[bytes]") -> None:
        self._server = server
        self._ids = itertools.count(1)
        self._ask("initialize", processId=None, rootUri=ROOT.as_uri(), capabilities={})
        self._send(method="initialized", params={})
        self._send(method="workspace/didChangeConfiguration", params={"settings": SETTINGS})

    def completions(self, fields: str) -> dict[str, str]:
        """What is offered where `|` stands, with the text shown beside it."""
        before, _, after = f"{HEAD}{fields}".partition("|")
        document = {"uri": self._open(before + after)}
        lines = before.split("\n")
        place = {"line": len(lines) - 1, "character": len(lines[-1])}
        found = self._ask("textDocument/completion", textDocument=document, position=place)
        return {one["label"]: one.get("documentation", "") for one in found["items"]}

    def problems(self, text: str) -> list[str]:
        """What is marked in a document."""
        uri = self._open(text)
        while True:
            message = self._receive()
            if message.get("method") == "textDocument/publishDiagnostics":
                params = message["params"]
                if params["uri"] == uri:
                    return [f"{one['range']['start']['line'] + 1}: {one['message']}"
                            for one in params["diagnostics"]]  # fmt: skip

    def _open(self, text: str) -> str:
        uri = (ROOT / "specs" / f"unsaved-{next(self._ids)}.yaml").as_uri()
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self._send(method="textDocument/didOpen", params={"textDocument": document})
        return uri

    def _ask(self, method: str, **params: Any) -> Any:
        number = next(self._ids)
        self._send(id=number, method=method, params=params)
        while True:
            message = self._receive()
            if message.get("id") == number and "method" not in message:
                return message["result"]

    def _send(self, **message: Any) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._server.stdin is not None
        self._server.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._server.stdin.flush()

    def _receive(self) -> Mapping[str, Any]:
        """The next message; a question of the server is answered with nothing."""
        assert self._server.stdout is not None
        length = 0
        while line := self._server.stdout.readline().strip():
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        message: dict[str, Any] = json.loads(self._server.stdout.read(length))
        if "id" in message and "method" in message:
            items = message.get("params", {}).get("items")
            self._send(id=message["id"], result=[{} for _ in items] if items else None)
        return message


@pytest.fixture(scope="module")
def editor() -> Iterator[Editor]:
    assert PROGRAM is not None
    with subprocess.Popen(
        [PROGRAM, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as server:
        watchdog = Timer(60, server.kill)  # a server that hangs ends the wait for its answer
        watchdog.start()
        yield Editor(server)
        watchdog.cancel()
        server.kill()


def test_field_names_are_offered_with_what_they_mean(editor: Editor) -> None:
    offered = editor.completions("      |")
    assert offered["mx_Custom_6"] == "Expected Deal Size (Number)"
    assert offered["Status"] == "Status (SearchableDropdown, mandatory)"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("      mx_Custom_3: |", "Website"),
        ("      mx_Custom_15: [|]", "Form 16"),
        ("      Status: Won\n      mx_Custom_2: |", "Disbursed"),
        ("      mx_Custom_36:\n        |", "mx_CustomObject_3"),
    ],
)
def test_options_and_sub_fields_are_offered(editor: Editor, fields: str, expected: str) -> None:
    assert expected in editor.completions(fields)


def test_what_does_not_fit_is_marked(editor: Editor) -> None:
    fields = "      Status: Won\n      mx_Custom_2: New\n      mx_Custom_99: a\n"
    found = editor.problems(HEAD + fields)
    assert sorted(found) == [
        '8: Value is not accepted. Valid values: "Disbursed".',
        "9: Property mx_Custom_99 is not allowed.",
    ]


@pytest.mark.parametrize("path", sorted((ROOT / "specs").glob("*.yaml")), ids=lambda one: one.name)
def test_nothing_is_marked_in_the_example_specs(editor: Editor, path: Any) -> None:
    assert editor.problems(path.read_text("utf-8")) == []
