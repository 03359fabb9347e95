"""The benchmarks measure what they say: their data, checks and tables. Nothing is timed."""

import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from benchmarks import commands, folding, gate, goals, page, plot
from benchmarks.data import LOCK, Shape, edit, make
from benchmarks.instructions import read_count
from benchmarks.peers import octodns
from benchmarks.processes import (
    BenchmarkError,
    Case,
    Results,
    Sample,
    environment,
    median,
    python,
    run_in_turn,
    run_once,
)
from benchmarks.tables import Table, rows_of
from tests.support.command import run

SHAPES = {
    "one file": Shape(40, locked=True),
    "files": Shape(40, 10, locked=True),
    "typed": Shape(40, 10, typed=True, locked=True),
    "mixed": Shape(40, 10, mixed=True, locked=True),
}


def _files(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def _took(wall: float, peak: float = 10.0) -> Sample:
    return Sample(wall, wall, peak)


# --- data


def test_the_same_shape_has_the_same_bytes(tmp_path: Path) -> None:
    shape = SHAPES["typed"]
    assert _files(make(tmp_path / "a", shape)) == _files(make(tmp_path / "b", shape))


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_what_is_recorded_already_has_nothing_to_do(tmp_path: Path, shape: Shape) -> None:
    root = make(tmp_path / "ws", shape)
    ended = run("-C", str(root), "plan")
    assert (ended.code, "Nothing to do: 40 " in ended.out) == (0, True), ended


@pytest.mark.parametrize("gathered", [True, False])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_of_what_is_edited_the_plan_has_so_many_updates(
    tmp_path: Path, shape: Shape, gathered: bool
) -> None:
    edited = replace(shape, edited=10, gathered=gathered and shape.files > 1)
    ended = run("-C", str(make(tmp_path / "ws", edited)), "plan")
    assert "Plan: 4 to update" in ended.out


@pytest.mark.parametrize(("gathered", "files"), [(True, 1), (False, 10)])
def test_edits_are_in_a_tenth_of_the_files_or_in_all(
    tmp_path: Path, gathered: bool, files: int
) -> None:
    shape = Shape(1_000, 10, locked=True)
    before = _files(make(tmp_path / "ws", shape))
    edit(tmp_path / "ws", replace(shape, edited=10, gathered=gathered))
    after = _files(tmp_path / "ws")
    assert sum(before[name] != after[name] for name in before) == files
    assert before[LOCK] == after[LOCK]


def test_octodns_is_given_as_many_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.peers.program", lambda name: f"/there/{name}")
    (case,) = octodns("key", tmp_path / "ws", 3_000)
    source, target = (
        b"".join(_files(tmp_path / "ws" / side).values()) for side in ("source", "target")
    )
    assert case.command[0] == "/there/octodns-sync"
    assert (source.count(b"type: A\n"), source == target) == (3_000, True)


# --- processes


def test_what_a_process_prints_and_takes_is_known() -> None:
    sample, printed = run_once(
        Case("two", python("-c", "import sys; print(1 + 1, file=sys.stderr)"))
    )
    assert printed == "2\n"
    assert sample.wall > 0
    assert 1 < sample.peak < 1_000


def test_the_memory_of_the_harness_is_not_that_of_the_command() -> None:
    held = b"x" * 300_000_000
    sample, _ = run_once(Case("nothing", python("-c", "pass")))
    assert sample.peak < len(held) / 1e6 / 2


def test_settings_of_the_interpreter_are_not_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("OTHER", "kept")
    code = "import os, sys; print(sys.dont_write_bytecode, os.environ['OTHER'])"
    assert run_once(Case("asked", (sys.executable, "-c", code)))[1] == "False kept\n"
    assert "PYTHONDONTWRITEBYTECODE" not in environment()


def test_a_command_that_fails_ends_the_benchmark_with_what_it_said() -> None:
    failing = Case("failing", python("-c", "import sys; sys.exit('broken')"))
    with pytest.raises(BenchmarkError, match=r"failing: .* ended with 1\nbroken"):
        run_once(failing)
    with pytest.raises(BenchmarkError, match="no-such-program"):
        run_once(Case("missing", ("/no-such-program",)))


def test_a_command_that_does_other_work_ends_the_benchmark() -> None:
    case = Case("plan", python("-c", "print('All valid: 0 files')"), "Nothing to do:")
    with pytest.raises(BenchmarkError, match="plan: not 'Nothing to do:', but:\nAll valid"):
        run_in_turn([case], rounds=1)


def test_commands_are_run_in_turn_and_prepared_each_time() -> None:
    order: list[str] = []
    cases = [
        Case(
            name,
            python("-c", "pass"),
            samples_a_round=number,
            prepare=partial(order.append, name),
        )
        for number, name in enumerate(("a", "b"), start=1)
    ]
    assert set(run_in_turn(cases, rounds=2)) == {"a", "b"}
    assert "".join(order) == "ab" + "abb" * 2


def test_each_figure_has_its_own_median() -> None:
    assert median([Sample(1, 9, 4), Sample(2, 8, 6), Sample(9, 1, 5)]) == Sample(2, 8, 5)


# --- commands


def test_every_case_of_ours_does_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the first run of a benchmark checks it; in this process, which is quicker."""
    monkeypatch.setattr("benchmarks.commands.program", lambda _name: None)
    monkeypatch.setattr("benchmarks.peers.program", lambda _name: None)
    monkeypatch.setattr("benchmarks.commands.run_once", _in_this_process)
    cases = list(commands.cases(tmp_path, commands.Scope((200,), rounds=1)))
    ours = [case for case in cases if case.command[1:3] == ("-m", "lsq_sync")]
    assert len(ours) == len(cases) - 3  # python -c pass, and hashing with and without the lock
    for case in ours:
        case.prepare()
        assert case.expected in _in_this_process(case), case.key


def _in_this_process(case: Case) -> str:
    ended = run(*case.command[3:])
    assert ended.code == 0, ended
    return ended.out


def test_a_cold_plan_has_no_index_and_an_edited_one_that_of_before(tmp_path: Path) -> None:
    cases = {
        case.key.partition(":")[0]: case
        for case in (
            *commands._cold_cases(tmp_path, 1_000),
            *commands._edited_cases(tmp_path, 1_000),
        )
    }
    cold, spread = cases[commands.COLD], cases[commands.INDEXED_SPREAD]
    index = tmp_path / commands.at(commands.COLD, 1_000) / ".lsq-sync/cache/plan"
    _in_this_process(cold)
    assert index.exists()
    cold.prepare()
    assert not index.exists()
    index = tmp_path / commands.at(commands.INDEXED_SPREAD, 1_000) / ".lsq-sync/cache/plan"
    spread.prepare()
    before = index.read_bytes()
    index.write_bytes(b"of another plan")
    spread.prepare()
    assert index.read_bytes() == before


RESULTS: Results = {
    commands.PYTHON_PASS: _took(0.01),
    commands.HELP: _took(0.05, peak=16),
    commands.OCTODNS_HELP: _took(0.2),
    **{
        commands.at(what, size): _took(seconds * size, peak=size / 1_000)
        for size in (10_000, 100_000)
        for what, seconds in {
            commands.COLD: 1e-5,
            commands.ONE_FILE: 2e-5,
            commands.TYPED: 3e-5,
            commands.AGAIN: 1e-6,
            commands.HASH: 1e-7,
            commands.OCTODNS: 4e-4,
        }.items()
    },
}


def test_start_up_is_told_in_ratios() -> None:
    assert commands.start_table(RESULTS).rows[1] == (
        "`lsq-sync --help`",
        "50",
        "5.00",
        "0.25",
        "16",
    )


def test_plans_are_told_by_size_against_octodns_and_in_growth() -> None:
    seconds, against, growth, peak = commands.plan_tables(RESULTS, (10_000, 100_000))
    assert seconds.rows[0] == (commands.COLD, "0.100", "1.000")
    assert against.rows[0] == (commands.COLD, "0.025", "0.025")
    assert (growth.columns[1], growth.rows[0][1]) == ("100,000 / 10,000", "10.0")
    assert peak.rows[0] == (commands.COLD, "10", "100")


def test_what_was_not_measured_has_no_row_and_a_gap_is_a_dash() -> None:
    found = {"a": "1", "c": "3"}
    rows = rows_of("abc", (1, 2), lambda name, column: found.get(name) if column == 1 else None)
    assert rows == (("a", "1", "–"), ("c", "3", "–"))


def test_a_goal_is_judged_by_the_worst_kind_of_plan() -> None:
    rows = {row[0]: row[1:] for row in goals.table(RESULTS).rows}
    assert rows["`--help` / `octodns-sync --help`"] == ("0.5", "0.25", "yes")
    assert rows["plan of 100,000 / `octodns-sync`"] == ("0.07", "0.075", "**no**")
    assert rows["plan of 100,000, peak memory"] == ("450 MB", "100 MB", "yes")
    assert rows["10,000 outcomes folded into a lock of 100,000"] == ("1 s", "not measured", "–")


def test_the_fold_folds_everything(tmp_path: Path) -> None:
    root = make(tmp_path / "ws", Shape(20, locked=True))
    folding._fold(root, 10)
    assert (root / LOCK).read_text("utf-8").count('"mx_Custom_1": "new"') == 10


# --- the gate


def test_valgrinds_count_is_read() -> None:
    told = "==12== \n==12== I refs:        61,234,567\n"
    assert read_count(told) == 61_234_567
    assert read_count("==12== killed") is None


def test_the_page_shows_what_is_measured_now() -> None:
    """Whoever measures something else writes the page anew."""
    written = page.parts(page.PAGE.read_text(encoding="utf-8"))
    for key in (
        commands.COLD,
        commands.FIRST,
        commands.OCTODNS_CHANGED,
        commands.AGAIN,
        commands.INDEXED,
    ):
        assert f"| {key} |" in written["plan"]
    for name, bound in gate.INSTRUCTIONS.bounds.items():
        assert re.search(
            rf"\| {re.escape(name)} \| [0-9.]+ \| {bound:.2f} \|", written["instructions"]
        )
    for goal in goals.GOALS:
        assert f"| {goal.what} |" in written["goals"]


def test_a_figure_of_the_gate_is_of_an_opportunity_or_of_a_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.gate.run_once", _in_this_process)
    monkeypatch.setattr("benchmarks.gate._SIZES", (10, 30))
    found = gate.figures(tmp_path, _made_up_cost)
    assert list(found) == list(gate.INSTRUCTIONS.bounds)
    assert list(found.values()) == [2.0, 7.0, 3.0, 1.5, 4.0, 6.0, 9.0]


def _made_up_cost(asked: Sequence[Case]) -> list[float]:
    """Start-up is 10; plans cost 10 or 30, and 4 more an opportunity, 6 of a type, 9 of a new one;
    the reference 1."""
    return [_cost_of_one(case.command) for case in asked]


def _cost_of_one(command: tuple[str, ...]) -> float:
    match command[1:]:
        case ("-c", "pass"):
            return 10
        case ("-m", "lsq_sync", "--help"):
            return 20
        case ("-c", _, *paths):
            return 100 + _size(Path(paths[0]).parents[1])
        case ("-m", "lsq_sync", "-C", _, "plan", "--format", "json"):
            return 30
        case ("-m", "lsq_sync", "-C", root, "plan"):
            if Path(root).name == "indexed":
                return 15
            if not (Path(root) / LOCK).exists():
                return 30 + 9 * _size(Path(root))
            is_typed = (Path(root) / "schemas").exists()
            return (10 if is_typed else 30) + (6 if is_typed else 4) * _size(Path(root))
    raise AssertionError(command)


def _size(root: Path) -> int:
    return int(root.name.rpartition("-")[2])


def test_the_gate_says_what_is_above_its_bound() -> None:
    mode = gate.Mode("Steps", 1.2, {"a": 10.0, "b": 10.0})
    assert gate.too_slow(mode, {"a": 11.9, "b": 12.1}) == ["b is 12.10, and may be 12.00"]
    assert gate.table(mode, {"a": 11.9, "b": 12.1}).rows[1] == ("b", "12.10", "10.00", "12.00")


# --- the page


def test_a_part_of_the_page_is_replaced_and_nothing_else() -> None:
    text = "# T\n\n<!-- measured: a -->\nold\n<!-- /measured -->\n\nProse.\n"
    text += "<!-- measured: b -->\n<!-- /measured -->\n"
    table = Table("T", ("", "s"), (("x", "1"),), "A note.")
    new = page.with_part(text, "a", page.text_of([table], "Today."))
    assert page.parts(new)["b"] == ""
    assert page.parts(new)["a"] == (
        "\n_Today._\n\n**T**\n\n|  | s |\n| --- | ---: |\n| x | 1 |\n\nA note.\n\n"
    )
    assert new.startswith("# T\n\n<!--")
    assert "\n\nProse.\n<!--" in new
    with pytest.raises(KeyError, match="add it by hand"):
        page.with_part(text, "c", "")


def test_the_page_has_each_part_with_figures() -> None:
    found = page.parts(page.PAGE.read_text(encoding="utf-8"))
    assert set(found) == {
        *("goals", "start", "validate", "plan", "million", "lock"),
        *("instructions", "rendering", "apply", "reading"),
    }
    assert [name for name, text in found.items() if "| ---: |" not in text] == []


def test_the_circumstances_name_day_machine_and_versions() -> None:
    assert re.match(r"\d{4}-\d\d-\d\d: .+ cores, \d+ GB; Python 3\..+PyYAML", page.circumstances())


def test_the_picture_has_each_line_with_its_name() -> None:
    lines = {"a & b": [(1_000, 0.1), (10_000, 0.9)], "c": [(1_000, 0.11), (10_000, 0.91)]}
    drawn = ET.fromstring(plot.drawn("Seconds", lines))
    every = [(one.text or "", float(one.get("y", "0"))) for one in drawn.iter() if one.get("y")]
    named = {text: y for text, y in every if text.endswith(" s") and "," in text}
    assert list(named) == ["a & b, 0.9 s", "c, 0.91 s"]
    assert abs(named["c, 0.91 s"] - named["a & b, 0.9 s"]) >= 12
    points = [one.get("points", "").split() for one in drawn.iter() if one.get("points")]
    assert [len(one) for one in points] == [2, 2]
