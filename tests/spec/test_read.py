"""The spec files and type schemas of a workspace: found, read, checked and built in one go."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lsq_sync.core.values import ValueRules
from lsq_sync.errors import Diagnostic, WorkspaceError
from lsq_sync.spec import read as reader
from lsq_sync.spec.document import Node
from lsq_sync.spec.files import MAX_BYTES
from lsq_sync.spec.read import Specs, find_specs, read_specs
from lsq_sync.spec.schemas import Schema
from lsq_sync.spec.validate import problems
from tests.spec.support import FILE, GUID, LOAN, lines_of, loan, spec, specs, type_schema, workspace

OTHER = "11111111-2222-3333-4444-555555555555"


def faults(found: Specs) -> list[str]:
    return [f"{one.origin}: {one.message} [{one.code}]" for one in found.problems]


# --- found


def test_spec_files_are_found_anywhere_below_and_sorted(tmp_path: Path) -> None:
    names = ["specs/b.yaml", "specs/a.yml", "specs/x/c.yaml", "specs/a/z/d.yaml", "specs/a b.yaml"]
    others = ["specs/e.txt", "specs/f.yaml~", "specs/.g.yaml", "specs/.h/i.yaml", "other/j.yaml"]
    workspace(tmp_path, dict.fromkeys([*names, *others], "version: 1\nopportunities: {}\n"))
    assert list(find_specs(tmp_path, "specs")) == sorted(names)
    assert find_specs(tmp_path, "other") == ("other/j.yaml",)
    assert find_specs(tmp_path, "specs/") == find_specs(tmp_path, "specs")


def test_a_folder_called_like_a_file_is_a_folder(tmp_path: Path) -> None:
    workspace(tmp_path, {"specs/a.yaml/b.yaml": "x"})
    assert find_specs(tmp_path, "specs") == ("specs/a.yaml/b.yaml",)


def test_a_workspace_without_specs_is_not_one_that_releases_everything(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError) as caught:
        find_specs(tmp_path, "specs")
    assert "there is no folder specs/" in caught.value.message
    (tmp_path / "specs").write_text("a file")
    with pytest.raises(WorkspaceError):
        find_specs(tmp_path, "specs")


# --- read

GOOD = loan("Status: Open")


def test_what_a_workspace_holds(tmp_path: Path) -> None:
    found = specs(tmp_path, {FILE: GOOD, "specs/b.yaml": spec("a: b", key="LN-1")})
    assert found.problems == ()
    assert [one.key for one in found.opportunities] == [GUID, "LN-1"]
    assert found.files == (FILE, "specs/b.yaml")
    assert list(found.types) == ["loan"]


def test_a_byte_order_mark_and_crlf_everywhere(tmp_path: Path) -> None:
    crlf = GOOD.replace("\n", "\r\n")
    schema = LOAN.read_text(encoding="utf-8").replace("\n", "\r\n")
    files = {FILE: f"\ufeff{crlf}", "schemas/types/loan.schema.json": f"\ufeff{schema}"}
    assert specs(tmp_path, files).opportunities == specs(tmp_path, {FILE: GOOD}).opportunities


def test_one_broken_file_does_not_hide_another(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "specs/1.yaml": "a: [\n",
        "specs/2.yaml": b"\xff",
        "specs/3.yaml": loan("Status: Opne"),
        "specs/4.yaml": spec("a: b", key="LN-1"),
        "specs/5.yaml": "",
    }
    found = specs(tmp_path, files)
    assert [one.key for one in found.opportunities] == [GUID, "LN-1"]
    assert [str(problem.origin) for problem in found.problems] == [
        "specs/1.yaml:2:1",
        "specs/2.yaml:1:1",
        "specs/3.yaml:6:15",
        "specs/5.yaml:1:1",
    ]


def test_problems_are_sorted_by_place_and_told_once(tmp_path: Path) -> None:
    text = loan("b: 1\na: 2\nb: 3\nStatus: x")
    found = specs(tmp_path, {FILE: text})
    assert list(found.problems) == sorted(set(found.problems))
    assert len({problem.origin for problem in found.problems}) == len(found.problems)


ONE_A_PLACE: dict[str, tuple[str, list[str]]] = {
    # text, what is said of it
    "nothing after a section": (
        "version: 1\nopportunities:\n",
        [f"{FILE}:2:15: there is no value here [unclear-null]"],
    ),
    "nothing after an opportunity": (
        f"version: 1\nopportunities:\n  {GUID}:\n",
        [f"{FILE}:3:40: there is no value here [unclear-null]"],
    ),
    "nothing after a mandatory field": (
        loan("Status:"),
        [f"{FILE}:6:14: there is no value here [unclear-null]"],
    ),
    "a type in another case": (
        "version: 1\ntype: Loan\nopportunities: {}\n",
        [f"{FILE}:2:7: there is no type 'Loan' [unknown-type]"],
    ),
    "a tag on a wrong value": (
        loan("mx_Custom_6: !!int lots"),
        [f"{FILE}:6:20: tags are not supported: !!int [tag]"],
    ),
    "an empty option": (
        spec("a: [x, '']"),
        [f"{FILE}:5:14: an item of a is empty [empty]"],
    ),
    "a wrong kind of a wrong value": (
        loan("mx_Custom_6: [lots]"),
        [f"{FILE}:6:20: mx_Custom_6 (Expected Deal Size) must be text or null, not a list "
         "[wrong-type]"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ONE_A_PLACE)
def test_one_fault_is_told_once(tmp_path: Path, case: str) -> None:
    text, expected = ONE_A_PLACE[case]
    assert faults(specs(tmp_path, {FILE: text})) == expected


# --- the same opportunity twice


def test_the_same_opportunity_in_two_files_and_two_spellings(tmp_path: Path) -> None:
    files = {
        "specs/b.yaml": spec("a: 1", key=GUID.upper()),
        "specs/a.yaml": spec("b: 1"),
        "specs/c.yaml": spec("c: 1"),
    }
    found = specs(tmp_path, files)
    assert faults(found) == [
        f"specs/b.yaml:3:3: the opportunity {GUID} stands here a second time, "
        "first at specs/a.yaml:3:3 [duplicate-opportunity]",
        f"specs/c.yaml:3:3: the opportunity {GUID} stands here a second time, "
        "first at specs/a.yaml:3:3 [duplicate-opportunity]",
    ]
    assert all("with the fields of both" in problem.hint for problem in found.problems)


def test_the_same_opportunity_twice_in_one_file(tmp_path: Path) -> None:
    text = f"version: 1\nopportunities:\n  {GUID}: {{}}\n  {GUID.upper()}: {{}}\n"
    assert faults(specs(tmp_path, {FILE: text})) == [
        f"{FILE}:4:3: the opportunity {GUID} stands here a second time, first at {FILE}:3:3 "
        "[duplicate-opportunity]"
    ]


def test_auto_ids_are_one_only_when_spelt_alike(tmp_path: Path) -> None:
    files = {FILE: spec("a: 1", key="LN-1"), "specs/b.yaml": spec("a: 1", key="ln-1")}
    assert specs(tmp_path, files).problems == ()
    assert len(specs(tmp_path, {**files, "specs/c.yaml": spec("a: 1", key="LN-1")}).problems) == 1


# --- types


def test_an_unknown_type(tmp_path: Path) -> None:
    text = GOOD.replace("type: loan", "type: laon")
    (problem,) = specs(tmp_path, {FILE: text}).problems
    assert lines_of(problem) == [
        f"{FILE}:2:7: there is no type 'laon': schemas/types/laon.schema.json does not exist "
        "[unknown-type]",
        "    did you mean 'loan'?",
    ]


def test_a_type_that_nobody_has_described(tmp_path: Path) -> None:
    (problem,) = specs(tmp_path, {FILE: GOOD.replace("type: loan", "type: insurance")}).problems
    assert problem.hint == (
        "delete the line, or take the type from the account:\n\n"
        "  lsq-sync schema pull --type insurance"
    )


NO_TYPE = [
    "Loan",
    "../loan",
    "../../etc/passwd",
    "/etc/passwd",
    ".loan",
    "loan.schema",
    "a\\b",
    "lo an",
    "x" * 65,
    "x" * 5000,
    "ｌｏａｎ",
]


@pytest.mark.parametrize("name", NO_TYPE, ids=[name[:20] for name in NO_TYPE])
def test_a_type_is_a_plain_word(tmp_path: Path, name: str) -> None:
    (tmp_path / "etc").mkdir()
    (problem,) = specs(
        tmp_path, {FILE: f"version: 1\ntype: '{name}'\nopportunities: {{}}\n"}
    ).problems
    assert problem.code == "unknown-type"
    assert (problem.origin.line, problem.origin.column) == (2, 7)
    assert "loan" in problem.hint
    assert len(problem.message) < 120


def test_a_type_with_a_nul_in_it(tmp_path: Path) -> None:
    found = specs(tmp_path, {FILE: 'version: 1\ntype: "lo\\0an"\nopportunities: {}\n'})
    assert [problem.code for problem in found.problems] == ["control-character"]


def test_the_code_of_a_typed_spec_is_that_of_the_type(tmp_path: Path) -> None:
    same = GOOD.replace("type: loan", "type: loan\ncode: 12005")
    assert specs(tmp_path, {FILE: same}).problems == ()
    other = GOOD.replace("type: loan", "type: loan\ncode: '12006'")
    (problem,) = specs(tmp_path, {FILE: other}).problems
    assert lines_of(problem) == [
        f"{FILE}:3:7: the code is 12006, but the type loan has 12005 [code]",
        "    delete the line",
    ]


def test_a_broken_type_is_told_once_and_a_missing_one_wherever_it_is_named(tmp_path: Path) -> None:
    broken = {"schemas/types/broken.schema.json": "{"}
    text = "version: 1\ntype: {}\nopportunities: {{}}\n"
    files = {
        f"specs/{name}{number}.yaml": text.format(name)
        for name in ("broken", "missing")
        for number in (1, 2)
    }
    assert [str(problem.origin) for problem in specs(tmp_path, {**broken, **files}).problems] == [
        "schemas/types/broken.schema.json:1:2",
        "specs/missing1.yaml:2:7",
        "specs/missing2.yaml:2:7",
    ]


def test_a_type_that_is_not_utf8(tmp_path: Path) -> None:
    schema = "schemas/types/loan.schema.json"
    workspace(tmp_path, {FILE: GOOD})
    (tmp_path / schema).write_bytes(b'{"title": "\xff"}')
    (problem,) = read_specs(tmp_path, [FILE], "schemas", ValueRules()).problems
    assert lines_of(problem) == [
        f"{schema}:1:12: byte 0xff is not UTF-8 [encoding]",
        "    save the file as UTF-8",
    ]


def test_fields_that_many_share_are_checked_by_their_type_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[object] = []

    def watched(document: Node, file: str, rules: Schema) -> list[Diagnostic]:
        checked.append(rules)
        return problems(document, file, rules)

    monkeypatch.setattr(reader, "problems", watched)
    shared = GOOD.replace("fields:", "fields: &f").replace("Status: Open", "Status: Openn")
    aliases = "".join(f"  LN-{number}:\n    fields: *f\n" for number in range(9))
    found = specs(tmp_path, {FILE: shared + aliases})
    assert len(checked) == 1
    assert len(found.problems) == 1


def test_types_in_another_folder(tmp_path: Path) -> None:
    workspace(tmp_path, {FILE: GOOD.replace("type: loan", "type: test")})
    path = tmp_path / "elsewhere" / "types" / "test.schema.json"
    path.parent.mkdir(parents=True)
    path.write_text(type_schema({"Status": {}}))
    assert read_specs(tmp_path, [FILE], "elsewhere", ValueRules()).problems == ()


# --- files that are none


def test_a_file_that_went_away(tmp_path: Path) -> None:
    workspace(tmp_path, {})
    (problem,) = read_specs(tmp_path, ["specs/x.yaml"], "schemas", ValueRules()).problems
    assert lines_of(problem) == [
        "specs/x.yaml: cannot be read: No such file or directory [unreadable]",
        "    make it readable, or take it away",
    ]


LINKS = {
    "to nothing": "nowhere.yaml",
    "to itself": "x.yaml",
    "to a folder": ".",
    "to a device without end": "/dev/zero",
    "to a device without anything": "/dev/null",
}


@pytest.mark.parametrize("case", LINKS)
def test_a_link_that_leads_to_no_file(tmp_path: Path, case: str) -> None:
    workspace(tmp_path, {})
    (tmp_path / "specs" / "x.yaml").symlink_to(LINKS[case])
    found = specs(tmp_path, {})
    if case == "to a folder":
        assert found.files == ()
    else:
        assert [problem.code for problem in found.problems] == ["unreadable"]


def test_a_link_to_a_file_is_that_file(tmp_path: Path) -> None:
    workspace(tmp_path, {"shared/a.yaml": GOOD})
    (tmp_path / "specs" / "x.yaml").symlink_to("../shared/a.yaml")
    assert [str(one.origin) for one in specs(tmp_path, {}).opportunities] == ["specs/x.yaml:4:3"]


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    workspace(tmp_path, {})
    os.mkfifo(tmp_path / "specs" / "x.yaml")
    (problem,) = specs(tmp_path, {}).problems
    assert problem.message == "cannot be read: it is not a file"


def test_a_file_over_the_limit_is_not_even_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace(tmp_path, {})
    with (tmp_path / "specs" / "x.yaml").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("it was read"))
    (problem,) = specs_only(tmp_path).problems
    assert problem.code == "too-large"


def specs_only(root: Path) -> Specs:
    return read_specs(root, find_specs(root, "specs"), "schemas", ValueRules())


def test_file_names_that_are_no_text(tmp_path: Path) -> None:
    workspace(tmp_path, {})
    odd = os.fsencode(tmp_path / "specs") + b"/\xff.yaml"
    with open(odd, "wb") as file:  # noqa: PTH123 - a name that is no text
        file.write(GOOD.encode())
    assert len(specs(tmp_path, {}).opportunities) == 1


# --- anything at all

YAML_LIKE = st.text("{}[]&*!|>'\"#,:-? \nabvx1~", max_size=80)
PARTS = st.sampled_from(
    ["version: 1\n", "type: loan\n", "code: 12005\n", "opportunities:\n", f"  {GUID}:\n",
     f"  {OTHER}: {{}}\n", "    fields:\n", "      Status: Open\n", "      mx_Custom_6: 1e3\n",
     "      mx_Custom_15: [PAN, x]\n", "      mx_Custom_36: {a: b}\n", "    note: ~\n",
     "defaults: {fields: {Owner: x}}\n", "    label: a\n", "  x: &a {fields: *a}\n", "\t", "- a\n"]
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(PARTS | YAML_LIKE, max_size=8).map("".join))
def test_any_spec_is_read_or_explained(tmp_path: Path, text: str) -> None:
    found = specs(tmp_path, {FILE: text})
    for problem in found.problems:
        assert problem.origin.file == FILE
        assert problem.origin.line >= 1
        assert problem.origin.column >= 1
        assert problem.message
