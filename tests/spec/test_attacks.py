"""What hostile and sloppy files tried, each by name; all of them worked once."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lsq_sync.errors import SettingsError, WorkspaceError
from lsq_sync.spec.read import find_specs
from lsq_sync.spec.settings import host_fault, read_settings
from tests.spec.support import (
    hints_of,
    loan,
    problems_of,
    specs,
    told,
    type_schema,
    typed,
    workspace,
)


@pytest.mark.parametrize("ending", ["\u2028", "\u2029", "\r", "\x85"])
def test_a_comment_cannot_hide_a_line(ending: str) -> None:
    """Every editor and diff shows one comment; YAML would read a field behind it."""
    text = f"a: b # looked at{ending}c: d\n"
    (found,) = problems_of(text)
    assert found == f"1:17: the character U+{ord(ending):04X} is not allowed [control-character]"
    assert all(hints_of(text))


def test_a_byte_order_mark_does_not_move_the_place_of_a_bad_byte() -> None:
    assert problems_of(b"\xef\xbb\xbfa: caf\xe9\n") == ["1:7: byte 0xe9 is not UTF-8 [encoding]"]


@pytest.mark.parametrize("text", ["null", "~"])
def test_an_opportunity_cannot_be_called_null_by_accident(text: str) -> None:
    assert problems_of(f"opportunities:\n  {text}: {{}}\n") == [f"2:3: {text} is no key [key]"]
    assert problems_of(f"opportunities:\n  '{text}': {{}}\n") == []


@pytest.mark.parametrize(
    "host",
    [
        "https://api.example?",
        "https://api.example/#",
        "https://api.example\n",
        "https://api .example",
        "https://münchen.example",
        "https://leadſquared.com",
    ],
)
def test_a_host_is_a_host_and_nothing_else(host: str) -> None:
    """A ? at its end made every path, and the keys behind it, part of a query."""
    assert host_fault(host) == "is not the URL of a host"


@pytest.mark.parametrize("key", ["specs", "schemas", "lock"])
def test_a_place_of_this_machine_does_not_belong_into_the_settings(key: str) -> None:
    """An absolute folder of specs ended in a traceback, once its files were found."""
    text = f"version: 1\naccount: {{name: a, region: sg}}\npaths: {{{key}: /etc}}\n"
    with pytest.raises(SettingsError) as caught:
        read_settings(text.encode(), {})
    (problem,) = caught.value.diagnostics
    assert problem.message == f"{key} cannot be '/etc'"
    assert problem.hint == "write a path relative to lsq-sync.yaml"


ZONES = {
    "localtime": "write an IANA name, such as Asia/Kolkata",
    "../etc/passwd": "write an IANA name, such as Asia/Kolkata",
    "IST": "did you mean 'Asia/Kolkata'?",
    "x" * 100_000: "write an IANA name, such as Asia/Kolkata",
}


@pytest.mark.parametrize("name", ZONES, ids=lambda name: name[:20])
def test_a_time_zone_is_that_of_a_place(name: str) -> None:
    text = f"version: 1\naccount: {{name: a, region: sg, time_zone: {name}}}\n"
    with pytest.raises(SettingsError) as caught:
        read_settings(text.encode(), {})
    (problem,) = caught.value.diagnostics
    assert problem.hint == ZONES[name]
    assert len(problem.message) < 100


def test_a_field_may_have_the_name_of_a_keyword_of_json_schema(tmp_path: Path) -> None:
    schema = type_schema({"propertyNames": {"maxLength": 1}, "properties": {"maxLength": 1}})
    assert typed(tmp_path, schema, "propertyNames: xx\nproperties: xx") == [
        "propertyNames has 2 characters, the limit is 1 | shorten it",
        "properties has 2 characters, the limit is 1 | shorten it",
    ]


def test_an_event_code_without_end_is_told_and_not_computed(tmp_path: Path) -> None:
    text = f"version: 1\ncode: {'9' * 5000}\nopportunities: {{}}\n"
    (problem,) = specs(tmp_path, {"specs/a.yaml": text}).problems
    assert (problem.code, problem.hint) == ("form", "write the event code, such as 12005")


def test_a_duplicate_key_does_not_hide_what_comes_after_it(tmp_path: Path) -> None:
    """The place of every later key of the mapping was lost, and asking for it a crash."""
    found = specs(tmp_path, {"specs/a.yaml": loan("Status: Open\nStatus: Won\nmx_Custom_6: 1e3")})
    assert told(found.problems) == [
        "7:7: 'Status' stands here a second time, first at specs/a.yaml:6:7 [duplicate-key]",
        "8:20: mx_Custom_6 (Expected Deal Size): '1e3' is not a number [wrong-value]",
    ]


def test_a_spec_that_is_a_pipe_or_a_device_is_not_read(tmp_path: Path) -> None:
    """git keeps links: one to /dev/zero filled the memory, a pipe was waited for without end."""
    workspace(tmp_path, {})
    (tmp_path / "specs" / "a.yaml").symlink_to("/dev/zero")
    (tmp_path / "schemas" / "types" / "zero.schema.json").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "specs" / "b.yaml")
    found = specs(tmp_path, {"specs/c.yaml": "version: 1\ntype: zero\nopportunities: {}\n"})
    assert {(str(one.origin), one.message) for one in found.problems} == {
        ("specs/a.yaml", "cannot be read: it is not a file"),
        ("specs/b.yaml", "cannot be read: it is not a file"),
        ("schemas/types/zero.schema.json", "cannot be read: it is not a file"),
    }


def test_a_folder_that_cannot_be_read_is_not_an_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was passed over in silence, and the plan would have released all that stands in it."""
    workspace(tmp_path, {"specs/closed/a.yaml": "version: 1\nopportunities: {}\n"})
    real = os.scandir

    def scandir(path: str) -> Iterator[os.DirEntry[str]]:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(WorkspaceError) as caught:
        find_specs(tmp_path, "specs")
    assert caught.value.message == "specs/closed cannot be read: Permission denied"
    assert "its opportunities would be released" in caught.value.hint


@pytest.mark.parametrize("name", ["lo\\0an", "../loan", "x" * 5000, "Loan", "/etc/passwd"])
def test_the_name_of_a_type_leads_to_no_other_file(tmp_path: Path, name: str) -> None:
    """A NUL in it was a crash, a long one a message of five thousand letters."""
    text = f'version: 1\ntype: "{name}"\nopportunities: {{}}\n'
    for problem in specs(tmp_path, {"specs/a.yaml": text}).problems:
        assert str(problem.origin) == "specs/a.yaml:2:7"
        assert len(problem.message) < 100


def test_many_duplicate_keys_take_no_longer_than_others() -> None:
    """Every opportunity twice, one after the other: the index of keys was made anew each time."""
    text = "".join(f"k{number}: a\nk{number}: b\n" for number in range(20_000))
    assert len(problems_of(text)) == 20_000
