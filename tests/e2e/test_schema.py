"""`schema pull`: from the CRM's metadata to a type schema, and what changed since."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lsq_sync.simulator import SimulatorThread
from lsq_sync.simulator.account import Account, Field, OpportunityType
from lsq_sync.simulator.sample import INSURANCE_TYPE, LOAN_TYPE
from lsq_sync.simulator.scenario_file import scenario_from
from tests.support.world import ACCOUNT, LOANS, ROOT, World

LOAN_FILE = "schemas/types/loan.schema.json"
SHIPPED = (ROOT / LOAN_FILE).read_bytes()


def loan_with(change: Callable[[Field], Field | None], *more: Field) -> Account:
    """The sample account with other fields of loans."""
    fields = [changed for field in LOAN_TYPE.fields if (changed := change(field))]
    return replace(ACCOUNT, types=(replace(LOAN_TYPE, fields=(*fields, *more)), INSURANCE_TYPE))


@contextmanager
def world_of(crm_account: Account, root: Path, **settings: Any) -> Iterator[World]:
    quiet = scenario_from({"rate_limit": {"enabled": False}, "seed": 1})
    with SimulatorThread(crm_account, quiet) as crm:
        world = World(root / "workspace", crm, settings)
        shutil.copy(ROOT / "schemas/spec.schema.json", world.root / "schemas")
        yield world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with world_of(ACCOUNT, tmp_path) as made:
        yield made


def pulled(world: World, *arguments: str) -> dict[str, Any]:
    ended = world.json("schema", "pull", *arguments)
    assert ended.code == 0, ended
    assert ended.document["format"] == "lsq-sync/schema/v1"
    return ended.document


# --- the file


def test_the_shipped_example_is_what_is_pulled(world: World) -> None:
    """Byte for byte; only the marks of sensitivity were made by hand."""
    mark = b',\n          "x-lsq-sensitive": true'
    (world.root / LOAN_FILE).unlink()
    assert pulled(world, "--type", "loan")["new"] is True
    made = (world.root / LOAN_FILE).read_bytes()
    assert SHIPPED.count(b'"x-lsq-sensitive": true') == 2
    without = json.loads(SHIPPED)
    for rules in _sensitive(without["$defs"]["fields"]["properties"]):
        del rules["x-lsq-sensitive"]
    assert made.decode() == json.dumps(without, ensure_ascii=False, indent=2) + "\n"
    assert mark not in made


def _sensitive(properties: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for rules in properties.values():
        if "x-lsq-sensitive" in rules:
            yield rules
        yield from _sensitive(rules.get("properties", {}))


def test_pulled_again_nothing_is_written(world: World) -> None:
    place = world.root / LOAN_FILE
    before = place.stat()
    found = pulled(world, "--type", "loan", "--code", "12005")
    assert (found["written"], found["changes"], found["new"]) == ([], [], False)
    assert (place.read_bytes(), place.stat().st_mtime_ns) == (SHIPPED, before.st_mtime_ns)
    text = world.run("schema", "pull", "--type", "loan").out
    assert text == (
        f"{LOAN_FILE}: Loan (12005), 25 fields, nothing has changed, nothing was written.\n"
    )


def test_the_example_specs_fit_the_pulled_type(world: World) -> None:
    for name in ("loans.yaml", "by-number.yaml"):
        shutil.copy(ROOT / "specs" / name, world.root / "specs")
    (world.root / LOAN_FILE).unlink()
    assert pulled(world, "--type", "loan")["problems"] == []
    assert world.run("validate").out == "All valid: 2 files, 5 opportunities.\n"


def test_what_a_pulled_type_allows_the_crm_takes(world: World) -> None:
    pulled(world, "--type", "insurance")
    key = next(one.id for one in ACCOUNT.opportunities if one.code == 12006)
    values = {"mx_Custom_6": "1,000", "mx_Custom_8": "2026-12-16", "mx_Custom_22": "Asha"}
    world.spec({key: {"fields": values}}, type="insurance")
    world.apply()


def test_the_spec_schema_that_editors_need_is_put_beside_it(world: World) -> None:
    place = world.root / "schemas/spec.schema.json"
    for text in (None, "{}"):
        place.unlink()
        if text:
            place.write_text(text, "utf-8")
        assert pulled(world, "--type", "loan")["written"] == ["schemas/spec.schema.json"]
        assert place.read_bytes() == (ROOT / "schemas/spec.schema.json").read_bytes()


# --- which type


@pytest.mark.parametrize(
    ("arguments", "file"),
    [
        (("--type", "insurance"), "insurance"),
        (("--type", "Insurance"), "insurance"),
        (("--type", "cover", "--code", "12006"), "cover"),
        (("--code", "12006"), "insurance"),
    ],
)
def test_the_type_by_name_display_name_or_code(
    world: World, arguments: tuple[str, ...], file: str
) -> None:
    found = pulled(world, *arguments)
    assert (found["type"], found["code"]) == (file, 12006)
    assert found["written"] == [f"schemas/types/{file}.schema.json"]
    content = json.loads((world.root / found["file"]).read_text("utf-8"))
    assert content["properties"]["type"] == {"const": file}


def test_the_schema_that_is_there_tells_the_code(world: World) -> None:
    """Also where the CRM calls the type otherwise by now."""
    shutil.copy(world.root / LOAN_FILE, world.root / "schemas/types/credit.schema.json")
    assert pulled(world, "--type", "credit")["code"] == 12005


def two_types_of_one_name() -> Account:
    return replace(ACCOUNT, types=(*ACCOUNT.types, replace(INSURANCE_TYPE, code=12007)))


WRONG: dict[str, tuple[tuple[str, ...], int, str]] = {
    "nothing named": ((), 64, "which type?"),
    "no such type": (
        ("--type", "insurence"),
        64,
        "the account has no opportunity type 'insurence'",
    ),
    "no such code": (("--type", "other", "--code", "12999"), 1, "MXInvalidActivityException"),
    "another code": (
        ("--type", "loan", "--code", "12006"),
        64,
        f"{LOAN_FILE} describes the event code 12005, not 12006",
    ),
    "no name": (("--type", "!!", "--code", "12006"), 64, "no type can be called '!!'"),
    "a path": (("--type", "../x", "--code", "12999"), 1, "MXInvalidActivityException"),
    "two of the name": (
        ("--type", "insurance"),
        64,
        "several types of the account are called 'insurance': Insurance (12006), Insurance (12007)",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_type_that_cannot_be_pulled(case: str, tmp_path: Path) -> None:
    arguments, code, message = WRONG[case]
    account = two_types_of_one_name() if case == "two of the name" else ACCOUNT
    with world_of(account, tmp_path) as world:
        files = sorted(path.name for path in (world.root / "schemas").rglob("*"))
        ended = world.json("schema", "pull", *arguments)
        assert (ended.code, ended.document["format"]) == (code, "lsq-sync/error/v1")
        assert message in ended.document["error"]["message"]
        assert sorted(path.name for path in (world.root / "schemas").rglob("*")) == files


def test_a_name_never_leaves_the_folder_of_the_types(world: World) -> None:
    assert pulled(world, "--type", "../../x", "--code", "12006")["file"] == (
        "schemas/types/x.schema.json"
    )


def test_without_a_synchronous_host(tmp_path: Path) -> None:
    with world_of(ACCOUNT, tmp_path, account={"host": None}) as world:
        ended = world.run("schema", "pull", "--type", "loan")
        assert (ended.code, "there is no synchronous host" in ended.err) == (1, True)


def test_without_keys(world: World) -> None:
    del world.environment["LSQ_SECRET_KEY"]
    ended = world.run("schema", "pull", "--type", "loan")
    assert (ended.code, "LSQ_SECRET_KEY" in ended.err) == (1, True)


def test_the_keys_of_another_account(world: World) -> None:
    world.fields(LOANS[0], mx_Custom_7="5")
    world.apply()
    place = world.root / "lsq-sync.lock"
    place.write_text(place.read_text("utf-8").replace('"10001"', '"60000"'), "utf-8")
    ended = world.run("schema", "pull", "--type", "loan")
    assert (ended.code, "the keys belong to the account 10001" in ended.err) == (1, True)


def test_a_schema_that_cannot_be_read_is_not_written_over(world: World) -> None:
    """It may hold marks of sensitivity, whose loss would show what must not be shown."""
    place = world.write(LOAN_FILE, SHIPPED.decode()[:5000])
    ended = world.run("schema", "pull", "--type", "loan")
    assert ended.code == 1
    assert "what was added to it by hand would be lost" in ended.err
    assert place.read_bytes() == SHIPPED[:5000]


# --- what changed


def test_what_changed_in_the_crm_and_which_specs_no_longer_fit(tmp_path: Path) -> None:
    def change(field: Field) -> Field | None:
        match field.schema_name:
            case "mx_Custom_3":
                return replace(field, options=("Website", "Branch", "Partner", "Walk-in"))
            case "mx_Custom_5":
                return replace(field, max_length=10)
            case "mx_Custom_11":
                return None
            case "mx_Custom_10":
                return replace(field, display_name="Loan Product", is_mandatory=True)
            case _:
                return field

    account = loan_with(change, Field("mx_Custom_37", "Branch Code", "String", max_length=8))
    with world_of(account, tmp_path) as world:
        world.write(
            "specs/a.yaml",
            "version: 1\ntype: loan\nopportunities:\n"
            f"  {LOANS[0]}:\n    fields:\n      mx_Custom_3: Referral\n"
            "      mx_Custom_5: A long text\n      mx_Custom_11: Walk-in\n",
        )
        world.write("specs/other.yaml", "version: 2\nopportunities: {}\n")  # not of this type
        ended = world.run("schema", "pull", "--type", "loan")
        assert ended.code == 0
        assert (
            ended.out
            == f"""\
~ mx_Custom_3 (Source)
    options: + Walk-in, - Referral, - Campaign
~ mx_Custom_5 (Description)
    longest text: 1000 → 10
~ mx_Custom_10 (Loan Product)
    title: Product → Loan Product
    mandatory: yes
+ mx_Custom_37 (Branch Code)
    data type: String
- mx_Custom_11 (Origin)

specs/a.yaml:6:20: 'Referral' is not an option of mx_Custom_3 (Source)
  known: 'Website', 'Branch', 'Partner', 'Walk-in'
specs/a.yaml:7:20: mx_Custom_5 (Description) has 11 characters, the limit is 10
  shorten it
specs/a.yaml:8:7: unknown field 'mx_Custom_11'
  did you mean 'mx_Custom_1'?

{LOAN_FILE}: Loan (12005), 25 fields, written.
3 problems in the specs of this type.
"""
        )
        document = pulled(world, "--type", "loan")
        assert (document["written"], len(document["problems"])) == ([], 3)


def test_the_document_tells_the_same(tmp_path: Path) -> None:
    def change(field: Field) -> Field:
        options = ("Website", "Walk-in")
        return replace(field, options=options) if field.schema_name == "mx_Custom_3" else field

    with world_of(loan_with(change), tmp_path) as world:
        world.spec({LOANS[0]: {"fields": {"mx_Custom_3": "Branch"}}}, type="loan")
        document = pulled(world, "--type", "loan")
    (problem,) = document.pop("problems")
    assert (problem["file"], problem["line"], problem["code"]) == (
        "specs/a.yaml",
        7,
        "not-an-option",
    )
    assert document == {
        "format": "lsq-sync/schema/v1",
        "type": "loan",
        "title": "Loan",
        "code": 12005,
        "file": LOAN_FILE,
        "fields": 25,
        "new": False,
        "written": [LOAN_FILE],
        "summary": {"added": 0, "removed": 0, "changed": 1},
        "changes": [
            {
                "field": "mx_Custom_3",
                "title": "Source",
                "change": "changed",
                "details": [
                    {
                        "what": "options",
                        "before": "",
                        "after": "",
                        "added": ["Walk-in"],
                        "removed": ["Referral", "Branch", "Partner", "Campaign"],
                    }
                ],
            }
        ],
        "left_out": [],
    }


def test_a_new_type_tells_how_its_specs_begin(tmp_path: Path) -> None:
    folders = {"specs": "crm/loans", "schemas": "schemas"}
    with world_of(ACCOUNT, tmp_path, paths=folders) as world:
        (world.root / "crm/loans").mkdir(parents=True)
        ended = world.run("schema", "pull", "--type", "insurance")
    assert ended.code == 0
    assert "$schema=../../schemas/types/insurance.schema.json\n" in ended.err
    assert "type: insurance\n" in ended.err


def test_a_change_in_the_crm_changes_the_lines_that_it_is_about(tmp_path: Path) -> None:
    def change(field: Field) -> Field:
        more = ("Website", "Referral", "Branch", "Partner", "Campaign", "Walk-in")
        return replace(field, options=more) if field.schema_name == "mx_Custom_3" else field

    moved = loan_with(change)
    loan = moved.types[0]
    shuffled = replace(loan, fields=tuple(reversed(loan.fields)))
    with world_of(replace(moved, types=(shuffled,)), tmp_path) as world:
        pulled(world, "--type", "loan")
        before, after = SHIPPED.splitlines(), (world.root / LOAN_FILE).read_bytes().splitlines()
        assert [line for line in after if line not in before] == [b'            "Walk-in",']
        assert len(after) == len(before) + 1


def test_what_only_the_file_knows_stays(tmp_path: Path) -> None:
    content = json.loads(SHIPPED)
    content |= {"description": "Ask Asha before a change.", "x-team": {"owner": "Asha"}}
    fields = content["$defs"]["fields"]["properties"]
    fields["mx_Custom_6"] |= {"description": "Without GST.", "x-report": ["weekly"]}
    fields["mx_Custom_4"]["x-lsq-sensitive"] = True
    fields["Status"]["x-lsq-send-with"] = ["mx_Custom_2", "mx_Custom_10", "mx_Custom_99"]
    inner = fields["mx_Custom_36"]["properties"]
    inner["mx_CustomObject_1"]["$comment"] = "As on the PAN card."

    def change(field: Field) -> Field:
        return replace(field, display_name=f"{field.display_name} 2")

    with world_of(loan_with(change), tmp_path) as world:
        world.write(LOAN_FILE, json.dumps(content))
        pulled(world, "--type", "loan")
        made = json.loads((world.root / LOAN_FILE).read_text("utf-8"))
    assert (made["description"], made["x-team"]) == (
        "Ask Asha before a change.",
        {"owner": "Asha"},
    )
    found = made["$defs"]["fields"]["properties"]
    assert found["mx_Custom_6"]["title"] == "Expected Deal Size 2"
    assert found["mx_Custom_6"]["description"] == "Without GST."
    assert found["mx_Custom_6"]["x-report"] == ["weekly"]
    assert found["mx_Custom_7"]["description"] == "Actual Deal Size 2 (Number)"
    assert found["mx_Custom_4"]["x-lsq-sensitive"] is True
    assert found["mx_Custom_36"]["properties"]["mx_CustomObject_1"]["$comment"] == (
        "As on the PAN card."
    )
    assert found["Status"]["x-lsq-send-with"] == ["mx_Custom_2", "mx_Custom_10"]


def test_a_hostile_account_makes_no_hostile_file(tmp_path: Path) -> None:
    hostile = (
        Field("mx_Custom_90", "A\x1b[31m\nB\u202eC", "String"),
        Field("mx Custom", "D", "String"),
        Field("mx_Custom_91", "E", "Dropdown", options=("fine", "bell\x07")),
    )
    with world_of(loan_with(lambda field: field, *hostile), tmp_path) as world:
        ended = world.run("schema", "pull", "--type", "loan")
        assert ended.code == 0
        assert "left out: the field 'mx Custom': no spec can name it" in ended.out
        assert "left out: the option 'bell\\x07' of mx_Custom_91" in ended.out
        assert all(letter == "\n" or letter.isprintable() for letter in ended.out)
        made = json.loads((world.root / LOAN_FILE).read_text("utf-8"))
        fields = made["$defs"]["fields"]["properties"]
        assert fields["mx_Custom_90"]["title"] == "A [31m B C"
        assert fields["mx_Custom_91"]["enum"] == ["fine", "", None]
        assert world.run("validate").code == 0


def test_two_fields_of_one_name_stop_it(tmp_path: Path) -> None:
    twice = Field("mx_Custom_3", "Other", "String")
    with world_of(loan_with(lambda field: field, twice), tmp_path) as world:
        ended = world.run("schema", "pull", "--type", "loan")
        assert ended.code == 1
        assert "the CRM tells of two fields mx_Custom_3" in ended.err
        assert (world.root / LOAN_FILE).read_bytes() == SHIPPED


def test_every_type_of_the_sample_is_a_type(world: World) -> None:
    known: list[OpportunityType] = list(ACCOUNT.types)
    for kind in known:
        pulled(world, "--code", str(kind.code))
    assert world.run("validate").code == 0
