"""The command line: options in, command called, text printed, exit code out. The only click.

Every heavy import stands inside its command, so that `--help` and `--version` stay quick.
"""

import gc
import itertools
import math
import os
import shlex
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click
from click.core import ParameterSource

from lsq_sync import __version__, signals
from lsq_sync.commands.verdict import Verdict
from lsq_sync.errors import LsqSyncError, RefusedError, StoppedError, UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from lsq_sync.commands.apply import Applied
    from lsq_sync.commands.ci_job import Job
    from lsq_sync.commands.plan import Planned
    from lsq_sync.commands.status import Asked
    from lsq_sync.commands.workspace import Workspace
    from lsq_sync.core.budget import RateLimit
    from lsq_sync.output import Loudness, Output
    from lsq_sync.render.ci_text import Done
    from lsq_sync.render.document import Document
    from lsq_sync.render.lines import Line
    from lsq_sync.render.report import Report
    from lsq_sync.surroundings import Surroundings

_USAGE = 64
_BUG = 70
_EXIT_CODES = {
    Verdict.DONE: 0,
    Verdict.FAILED: 1,
    Verdict.DIFFERENT: 2,
    Verdict.REJECTED: 3,
    Verdict.OPEN: 4,
    Verdict.REFUSED: 5,
    Verdict.INTERRUPTED: 130,
    Verdict.TERMINATED: 143,
}
"""The exit codes of the contract; 64 and 70 are usage errors and bugs."""


@dataclass(frozen=True, slots=True)
class _Globals:
    """The options that stand before the command."""

    folder: Path
    no_colour: bool
    no_pager: bool
    loudness: "Loudness"
    around: "Surroundings"

    def output(self, form: str) -> "Output":
        from lsq_sync.output import open_output

        return open_output(
            os.environ,
            as_json=form == "json",
            no_colour=self.no_colour,
            loudness=self.loudness,
            no_pager=self.no_pager,
        )

    def workspace(self) -> "Workspace":
        from lsq_sync.commands.workspace import find_workspace

        return find_workspace(self.folder, os.environ)


_Command = Callable[..., Any]


def _form(*more: str) -> Callable[[_Command], _Command]:
    return click.option(
        "--format",
        "form",
        type=click.Choice(["text", "json", *more]),
        default="text",
        show_default=True,
        help="How to print the result.",
    )


_REVIEW_FORMS = ("markdown", "html")


def _show(
    output: "Output",
    form: str,
    document: "Callable[[], Document]",
    lines: "Iterable[Line]",
    report: "Callable[[], Report] | None" = None,
) -> None:
    """A result to read, in the form that was asked for; only that one is made."""
    if form == "json":
        output.document(document(), ())
    elif form == "text" or report is None:
        output.look_through(lines)
    elif form == "html":
        from lsq_sync.render.html import html

        output.results.write(html(report()))
    else:
        from lsq_sync.render.markdown import markdown

        output.results.write(markdown(report()))


def _split(_context: object, _option: object, values: tuple[str, ...]) -> tuple[str, ...]:
    """Options that may be repeated, or hold a comma list."""
    return tuple(part.strip() for value in values for part in value.split(",") if part.strip())


def _selecting(command: _Command) -> _Command:
    only = click.option(
        "--only",
        multiple=True,
        metavar="PATTERN",
        callback=_split,
        help="Only these: a glob over id and label, or type:x, or file:x. May be repeated.",
    )
    skip = click.option(
        "--except",
        "skipped",
        multiple=True,
        metavar="PATTERN",
        callback=_split,
        help="All but these.",
    )
    return only(skip(command))


def _retrying(command: _Command) -> _Command:
    rejected = click.option(
        "--retry-rejected", is_flag=True, help="Send again what the CRM rejected before."
    )
    unknown = click.option(
        "--resend-unknown",
        is_flag=True,
        help="Send again updates whose answer was lost; they may have taken effect already.",
    )
    return rejected(unknown(command))


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="lsq-sync %(version)s")
@click.option(
    "-C",
    "folder",
    type=click.Path(path_type=Path),
    default=Path(),
    metavar="DIR",
    help="Run as if started in DIR.",
)
@click.option("--no-color", "no_colour", is_flag=True, help="No colour, as with NO_COLOR set.")
@click.option("--no-pager", is_flag=True, help="No pager for text that is longer than the screen.")
@click.option("-v", "--verbose", is_flag=True, help="Tell of every call and every event.")
@click.option("-q", "--quiet", is_flag=True, help="No progress and no notices.")
@click.pass_context
def command_line(
    context: click.Context,
    folder: Path,
    no_colour: bool,
    no_pager: bool,
    verbose: bool,
    quiet: bool,
) -> None:
    """Set the fields of LeadSquared opportunities from reviewed YAML specs.

    Specs say which values the fields of opportunities should have; plan shows what differs from
    what was last applied; apply sends only that, and records what became of it.
    """
    if verbose and quiet:
        raise click.UsageError("-v and -q exclude each other")
    from lsq_sync.output import Loudness
    from lsq_sync.surroundings import Surroundings

    around = context.obj or Surroundings()
    context.obj = _Globals(folder, no_colour, no_pager, Loudness(verbose, quiet), around)


@command_line.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path(), metavar="[DIR]")
@click.option("--name", help="The account's label.  [default: the name of the folder]")
@click.option("--region", help="The account's region.  [default: in21]")
@click.pass_obj
def init(given: _Globals, folder: Path, name: str | None, region: str | None) -> int:
    """Make a new workspace in DIR (here by default)."""
    from lsq_sync.commands import init as command
    from lsq_sync.render.init_text import made_lines
    from lsq_sync.spec.settings import REGIONS

    if region is not None and region not in REGIONS:
        raise click.BadParameter(f"{region!r} is none of {', '.join(REGIONS)}", param_hint="region")
    made = command.run(given.folder / folder, name, region)
    lines = made_lines(folder, made.files, made.guessed_region)
    given.output("text").results.show(lines)
    return 0


@command_line.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@_form("github")
@click.pass_obj
def validate(given: _Globals, paths: tuple[str, ...], form: str) -> int:
    """Check specs and settings; no network, no keys."""
    from lsq_sync.commands import validate as command
    from lsq_sync.commands.checkout import folder_in_checkout
    from lsq_sync.commands.workspace import find_root
    from lsq_sync.render.document import validate_document
    from lsq_sync.render.problem_text import github_lines, validated_lines

    found = command.run(given.folder, os.environ, paths)
    output = given.output(form)
    if form == "github":
        folder = folder_in_checkout(find_root(given.folder), os.environ)
        lines = github_lines(found.problems, folder)
        output.results.write("".join(f"{text}\n" for text in lines))
    else:
        output.document(
            validate_document(found.problems, found.files, found.opportunities),
            validated_lines(found.problems, found.files, found.opportunities),
        )
    return _EXIT_CODES[found.verdict]


@command_line.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Save the plan.")
@_form(*_REVIEW_FORMS)
@click.option("--refresh", is_flag=True, help="Read all managed fields from the CRM first.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when there is a change.")
@click.option("--show-unchanged", is_flag=True, help="List also what is as it should be.")
@_selecting
@_retrying
@click.pass_obj
def plan(
    given: _Globals,
    paths: tuple[str, ...],
    out: Path | None,
    form: str,
    refresh: bool,
    detailed_exitcode: bool,
    show_unchanged: bool,
    only: tuple[str, ...],
    skipped: tuple[str, ...],
    retry_rejected: bool,
    resend_unknown: bool,
) -> int:
    """Show what apply would do: the specs against what was last applied.

    Offline, and without keys, unless --refresh reads what the CRM says now.
    """
    from lsq_sync.commands import plan as command
    from lsq_sync.render.lines import plain
    from lsq_sync.render.plan_document import plan_document
    from lsq_sync.render.plan_text import plan_lines

    workspace = given.workspace()
    output = given.output(form)
    choice = command.Choice(paths, only, skipped, retry_rejected, resend_unknown)
    planned = command.run(
        workspace,
        choice,
        given.around,
        refresh=refresh,
        with_unchanged=show_unchanged,
        watch=output.watch,
        notice=output.notice,
    )
    now = given.around.now()
    document = partial(
        plan_document,
        planned.plan,
        planned.budget,
        planned.refusals,
        now,
        show_unchanged=show_unchanged,
    )
    if out is not None:
        from lsq_sync.commands import plan_file

        options = {"retry_rejected": retry_rejected, "resend_unknown": resend_unknown}
        plan_file.save(given.folder / out, document(), options)
    limit = workspace.settings.api.rate_limit
    text = partial(plan_lines, planned.plan, planned.budget, limit, planned.refusals)
    shown = text(show_unchanged=show_unchanged)
    _show(output, form, document, shown, lambda: _plan_report(planned, limit, now))
    if out is not None:
        output.next_step(f"saved; to apply exactly this:\n\n  lsq-sync apply {out}")
    command.keep_index(workspace, planned, lambda: plain(text()))
    _held.append(planned)
    return _EXIT_CODES[planned.verdict] if detailed_exitcode else 0


def _plan_report(planned: "Planned", limit: "RateLimit", now: "datetime") -> "Report":
    from lsq_sync.render.plan_report import plan_report

    return plan_report(planned.plan, planned.budget, limit, planned.refusals, now)


@command_line.command()
@click.argument("planfile", type=click.Path(path_type=Path), required=False)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--expect", metavar="PLAN_ID", help="Apply only a plan with this id.")
@click.option("--wait/--no-wait", default=True, help="Wait for the outcomes.  [default: wait]")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    default=600.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait after the last send.",
)
@click.option(
    "--canary",
    type=click.IntRange(min=1),
    metavar="N",
    help="Send the first N updates and wait for their outcome; the rest follows only if they were "
    "not rejected (safety.canary_max_rejected_percent) and none is still open.",
)
@click.option(
    "--deadline",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Be over by then, counted from the start: what was not sent is left for the next apply. "
    "Nothing is sent in the last 4 seconds, which are for answers.",
)
@click.option(
    "--max-updates", type=click.IntRange(min=0), metavar="N", help="Refuse a larger plan."
)
@click.option("--allow-protected", is_flag=True, help="Allow changes of protected fields.")
@click.option(
    "--refresh/--no-refresh",
    default=None,
    help="Read all managed fields from the CRM first, or none.  [default: what is to be sent]",
)
@click.option(
    "--on-conflict",
    type=click.Choice(["fail", "skip", "overwrite"]),
    default="fail",
    show_default=True,
    help="What to do where somebody changed a value in the CRM.",
)
@_retrying
@_selecting
@_form()
@click.pass_context
def apply(
    context: click.Context,
    planfile: Path | None,
    yes: bool,
    expect: str | None,
    wait: bool,
    timeout: float,
    canary: int | None,
    deadline: float | None,
    max_updates: int | None,
    allow_protected: bool,
    refresh: bool | None,
    on_conflict: str,
    retry_rejected: bool,
    resend_unknown: bool,
    only: tuple[str, ...],
    skipped: tuple[str, ...],
    form: str,
) -> int:
    """Send the updates of the plan, wait for their outcomes, record both."""
    given: _Globals = context.obj
    started = given.around.monotonic()
    from lsq_sync.commands import apply as command
    from lsq_sync.commands import plan_file
    from lsq_sync.commands.plan import Choice
    from lsq_sync.core.canary import Canary
    from lsq_sync.core.deadline import deadline_in
    from lsq_sync.executor import IN_FLIGHT_SECONDS
    from lsq_sync.output import TerminalDialogue
    from lsq_sync.render.plan_document import PLAN_FORMAT

    until = deadline_in(deadline, started, IN_FLIGHT_SECONDS)
    if canary is not None and not wait:
        raise click.UsageError("--canary waits for outcomes, so it cannot go with --no-wait")
    if planfile is not None and (only or skipped or retry_rejected or resend_unknown):
        raise click.UsageError(
            "a plan file holds its own selection: make the plan with the options"
        )
    if not (yes or planfile or expect or _has_somebody_to_ask()):
        raise click.UsageError("without a terminal, apply needs --yes, a plan file or --expect")
    workspace = given.workspace()
    limits = workspace.settings.limits
    if max_updates is not None:
        limits = replace(limits, max_updates=max_updates)
    if allow_protected:
        limits = replace(limits, protected_fields=())
    options = command.Options(
        choice=Choice((), only, skipped, retry_rejected, resend_unknown),
        limits=limits,
        limited=max_updates is not None,
        saved=plan_file.load(given.folder / planfile, PLAN_FORMAT) if planfile else None,
        expect=expect,
        yes=yes,
        wait=wait,
        timeout=timeout,
        reading=command.reading_of(refresh),
        on_conflict=command.OnConflict(on_conflict),
        canary=Canary(canary, limits.canary_max_rejected_percent) if canary else None,
        deadline=until,
    )
    output = given.output(form)

    def answer() -> str:
        return _read_answer(lambda: until.sends_until - given.around.monotonic())

    dialogue = TerminalDialogue(output, workspace.settings.api.rate_limit, answer)
    with signals.held():
        applied = command.run(workspace, options, dialogue, given.around, output.watch)
        signals.stand_by_the_result()
    _show_applied(applied, output, workspace, _again(context))
    return _EXIT_CODES[applied.verdict]


_NOT_AGAIN = frozenset({"planfile", "expect", "yes", "form"})
"""A plan applies once, and what is left of it is looked at before it is sent."""


def _again(context: click.Context) -> str:
    """The command that goes on with the rest: as it was called, but it asks."""
    words = ["lsq-sync", str(context.info_name)]
    for option in context.command.params:
        name = option.name or ""
        is_given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if is_given and name not in _NOT_AGAIN:
            words += _words(option, context.params[name])
    return shlex.join(words)


def _words(option: click.Parameter, value: Any) -> list[str]:
    match value:
        case bool():
            return [option.opts[0] if value else option.secondary_opts[0]]
        case tuple():
            return [word for one in value for word in (option.opts[0], one)]
        case float():
            return [option.opts[0], f"{value:.15g}"]
        case _:
            return [option.opts[0], str(value)]


def _show_applied(applied: "Applied", output: "Output", workspace: "Workspace", again: str) -> None:
    from lsq_sync.commands import run_log
    from lsq_sync.render.problem_text import error_lines
    from lsq_sync.render.result_document import result_document
    from lsq_sync.render.result_text import next_step, result_lines

    document = result_document(
        applied.run,
        applied.results,
        applied.calls,
        applied.elapsed_seconds,
        applied.left,
        applied.error,
    )
    if applied.results:
        run_log.keep(workspace.state_folder, document)
    output.document(
        document,
        result_lines(applied.results, applied.left, applied.calls, applied.elapsed_seconds),
    )
    if applied.error:
        output.asides.show(error_lines(applied.error))
    if applied.warning:
        output.warning(applied.warning)
    output.next_step(next_step(applied.results, again))


def _has_somebody_to_ask() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def _read_answer(left: Callable[[], float] = lambda: math.inf) -> str:
    return signals.read_line(sys.stdin, left)


@command_line.command()
@click.option("--wait", is_flag=True, help="Ask until everything is settled.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    default=600.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to ask, with --wait.",
)
@click.option("--offline", is_flag=True, help="Only what is recorded; no call, no keys.")
@_form(*_REVIEW_FORMS)
@click.pass_obj
def status(given: _Globals, wait: bool, timeout: float, offline: bool, form: str) -> int:
    """Ask the CRM about open requests and record what it says."""
    from lsq_sync.commands import status as command
    from lsq_sync.output import TerminalDialogue

    if wait and offline:
        raise click.UsageError("--wait and --offline exclude each other")
    output = given.output(form)
    workspace = given.workspace()
    dialogue = TerminalDialogue(output, workspace.settings.api.rate_limit, _read_answer)
    options = command.Options(wait, timeout, offline)
    asked = command.run(workspace, options, dialogue, given.around, output.watch)
    _show_asked(asked, output, form)
    return _EXIT_CODES[asked.verdict]


def _show_asked(asked: "Asked", output: "Output", form: str) -> None:
    from lsq_sync.render.problem_text import error_lines
    from lsq_sync.render.result_document import result_document
    from lsq_sync.render.result_text import next_step, status_lines

    told = (asked.results, asked.calls, asked.elapsed_seconds)

    def report() -> "Report":
        from lsq_sync.render.result_report import result_report

        return result_report(asked.run, *told, what="open request")

    document = partial(result_document, asked.run, *told, (), asked.error)
    _show(output, form, document, status_lines(*told), report)
    if asked.error:
        output.asides.show(error_lines(asked.error))
    elif not asked.offline:
        output.next_step(next_step(asked.results))


@command_line.command()
@_form()
@click.pass_obj
def metrics(given: _Globals, form: str) -> int:
    """Show the CRM's queue: messages waiting, delay, rate. One call."""
    from lsq_sync.commands import metrics as command
    from lsq_sync.render.account_document import metrics_document
    from lsq_sync.render.state_text import metrics_lines

    output = given.output(form)
    found = command.run(given.workspace(), given.around, output.watch)
    output.document(metrics_document(found), metrics_lines(found))
    return 0


@command_line.command()
@_form(*_REVIEW_FORMS)
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when there is drift.")
@_selecting
@click.pass_obj
def drift(
    given: _Globals,
    form: str,
    detailed_exitcode: bool,
    only: tuple[str, ...],
    skipped: tuple[str, ...],
) -> int:
    """Show what was changed in the CRM since it was recorded. Writes nothing, ever."""
    from lsq_sync.commands import drift as command
    from lsq_sync.commands.plan import Choice
    from lsq_sync.render.drift_text import drift_lines, next_step
    from lsq_sync.render.live_document import drift_document

    output = given.output(form)
    choice = Choice((), only, skipped)
    found = command.run(given.workspace(), choice, given.around, output.watch, output.notice)
    now = given.around.now()

    def report() -> "Report":
        from lsq_sync.render.drift_report import drift_report

        return drift_report(found.account, found.drift, now)

    document = partial(drift_document, found.account, found.drift, now)
    _show(output, form, document, drift_lines(found.drift), report)
    output.next_step(next_step(found.drift))
    return _EXIT_CODES[found.verdict] if detailed_exitcode else 0


@command_line.command("import")
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--ids-file", metavar="FILE", help="More ids, one a line; - reads standard input.")
@click.option("--column", metavar="NAME", help="FILE is CSV, and the ids are in this column.")
@click.option(
    "--modified-since",
    metavar="DATE",
    help="All of the type that were modified since then, such as 2026-08-01.",
)
@click.option("--type", "type_name", metavar="NAME", help="The type, as in schemas/types/.")
@click.option("--code", type=click.IntRange(min=1), metavar="N", help="The type's event code.")
@click.option(
    "--fields",
    multiple=True,
    metavar="FIELD",
    callback=_split,
    help="Only these fields, null where empty; note is the note. May be repeated.  "
    "[default: every field of the type that has a value]",
)
@click.option("--out", metavar="FILE", help="The spec file.  [default: specs/<type>.yaml]")
@_form()
@click.pass_obj
def import_(
    given: _Globals,
    ids: tuple[str, ...],
    ids_file: str | None,
    column: str | None,
    modified_since: str | None,
    type_name: str | None,
    code: int | None,
    fields: tuple[str, ...],
    out: str | None,
    form: str,
) -> int:
    """Take live opportunities into a spec file and the lock, so that there is nothing to do.

    Sends nothing. A file that is there already is added to, and what a spec has already stays.
    """
    from lsq_sync.commands import importing as command
    from lsq_sync.commands.ids import ids_of
    from lsq_sync.output import TerminalSteps
    from lsq_sync.render.import_text import import_lines, next_step
    from lsq_sync.render.live_document import import_document

    if not (ids or ids_file is not None or modified_since is not None):
        raise click.UsageError("what to import? give ids, --ids-file or --modified-since")
    named = tuple(ids_of(ids, ids_file, column, given.folder))
    workspace = given.workspace()
    output = given.output(form)
    options = command.Options(named, modified_since, type_name, code, fields, out)
    report = command.run(workspace, options, given.around, TerminalSteps(output), output.watch)
    output.document(import_document(report), import_lines(report))
    output.next_step(next_step(report))
    return _EXIT_CODES[Verdict.DONE if report.is_whole else Verdict.FAILED]


@command_line.command()
@click.argument("key", metavar="[ID]", required=False)
@click.argument("names", metavar="[FIELD]...", nargs=-1)
@click.option("--all", "every", is_flag=True, help="For every opportunity of the specs.")
@_selecting
@_form()
@click.pass_obj
def accept(
    given: _Globals,
    key: str | None,
    names: tuple[str, ...],
    every: bool,
    only: tuple[str, ...],
    skipped: tuple[str, ...],
    form: str,
) -> int:
    """Take what was changed in the CRM into the specs, in place, and into the lock.

    Of one opportunity (ID may be the beginning of one), or with --all of every one. FIELD, a
    schema name or a display name, takes that field's value whoever changed it. Sends nothing.
    """
    from lsq_sync.commands import accept as command
    from lsq_sync.commands.plan import Choice
    from lsq_sync.render.accept_text import accept_lines, next_step
    from lsq_sync.render.live_document import accept_document

    if key is not None and every:
        raise click.UsageError("an opportunity and --all exclude each other")
    if key is None and not every:
        raise click.UsageError("name an opportunity, or say --all")
    if key is not None and (only or skipped):
        raise click.UsageError("--only and --except go with --all")
    output = given.output(form)
    choice = Choice((), only, skipped)
    report = command.run(
        given.workspace(), key, names, choice, given.around, output.watch, output.notice
    )
    output.document(accept_document(report), accept_lines(report))
    output.next_step(next_step(report))
    if report.missing:
        return _EXIT_CODES[Verdict.FAILED]
    return _EXIT_CODES[Verdict.REFUSED if report.kept else Verdict.DONE]


@command_line.command()
@_form()
@click.pass_obj
def doctor(given: _Globals, form: str) -> int:
    """Check settings, keys, hosts, clock, permissions and lock, and say what to mend."""
    from lsq_sync.commands import doctor as command
    from lsq_sync.render.account_document import doctor_document
    from lsq_sync.render.doctor_text import doctor_lines

    output = given.output(form)
    found = command.run(given.folder, os.environ, given.around, output.watch)
    output.document(doctor_document(found.checks), doctor_lines(found.checks))
    return _EXIT_CODES[found.verdict]


@command_line.command()
@click.argument("key", metavar="ID")
@click.argument("names", metavar="[FIELD]...", nargs=-1)
@_form()
@click.pass_obj
def why(given: _Globals, key: str, names: tuple[str, ...], form: str) -> int:
    """Tell where the values of an opportunity come from: spec line, commit, run, request, outcome.

    ID may be the beginning of one, FIELD a schema name or a display name. Offline, without keys.
    """
    from lsq_sync.commands import why as command
    from lsq_sync.render.why_document import why_document
    from lsq_sync.render.why_text import why_lines

    output = given.output(form)
    explained = command.run(given.workspace(), key, names)
    _show(output, form, partial(why_document, explained), why_lines(explained))
    return 0


@command_line.command()
@click.argument("name", metavar="[RUN]", required=False)
@_form("csv", *_REVIEW_FORMS)
@click.pass_obj
def results(given: _Globals, name: str | None, form: str) -> int:
    """Tell the outcomes of a run again, with what was learnt since; of the last by default.

    RUN is the run's id, or the beginning of one. Offline, and without keys.
    """
    from lsq_sync.commands import results as command
    from lsq_sync.render.result_csv import result_csv
    from lsq_sync.render.result_document import result_document
    from lsq_sync.render.result_text import told_lines

    output = given.output(form)
    found = command.run(given.workspace(), name)
    listed = command.by_outcome(found.results)
    if form == "csv":
        output.results.write(result_csv(listed))
        return _EXIT_CODES[found.verdict]
    told = (found.run, listed, found.calls, found.elapsed_seconds)

    def report() -> "Report":
        from lsq_sync.render.result_report import result_report

        return result_report(*told)

    _show(output, form, partial(result_document, *told), told_lines(*told), report)
    return _EXIT_CODES[found.verdict]


@command_line.group()
def schema() -> None:
    """Describe the types of opportunities."""


@schema.command("pull")
@click.option("--type", "name", metavar="TYPE", help="The type, by its name or display name.")
@click.option(
    "--code",
    type=click.IntRange(1, 999_999_999),
    help="Its event code.  [default: what the schema or the account says]",
)
@_form()
@click.pass_obj
def schema_pull(given: _Globals, name: str | None, code: int | None, form: str) -> int:
    """Take an opportunity type's fields and options into schemas/types/TYPE.schema.json.

    Tells what changed since the last time, and which specs no longer fit. Descriptions, comments,
    x-lsq-sensitive, x-lsq-send-with and keys of your own stay. Needs the synchronous host.
    """
    from lsq_sync.commands import schema as command
    from lsq_sync.render.schema_document import schema_document
    from lsq_sync.render.schema_text import next_step, pulled_lines

    output = given.output(form)
    pulled = command.run(given.workspace(), name, code, given.around, output.watch)
    output.document(schema_document(pulled), pulled_lines(pulled))
    output.next_step(next_step(pulled))
    return 0


@command_line.group()
def state() -> None:
    """Look at what is recorded, and repair it."""


@state.command("list")
@_form()
@click.pass_obj
def state_list(given: _Globals, form: str) -> int:
    """List the recorded opportunities."""
    from lsq_sync.commands import state as command
    from lsq_sync.render.state_document import state_document
    from lsq_sync.render.state_text import state_lines

    found = command.run_list(given.workspace())
    document = partial(state_document, found.recorded.account, found.documents)
    _show(given.output(form), form, document, state_lines(found.recorded))
    return 0


@state.command("show")
@click.argument("key", metavar="ID")
@_form()
@click.pass_obj
def state_show(given: _Globals, key: str, form: str) -> int:
    """Show everything that is recorded of one opportunity (ID, or its beginning)."""
    from lsq_sync.commands import state as command
    from lsq_sync.render.state_document import state_document
    from lsq_sync.render.state_text import entry_lines

    workspace = given.workspace()
    found = command.run_show(workspace, key)
    document = partial(state_document, found.recorded.account, found.documents)
    lines = (
        one
        for name, entry in found.recorded.entries.items()
        for one in entry_lines(
            name, entry, found.rules[entry.type], workspace.settings.api.late_window
        )
    )
    _show(given.output(form), form, document, lines)
    return 0


@state.command("forget")
@click.argument("key", metavar="ID")
@click.option("--request", is_flag=True, help="Only give up on its open request.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_form()
@click.pass_obj
def state_forget(given: _Globals, key: str, request: bool, yes: bool, form: str) -> int:
    """Forget what is recorded of an opportunity (ID, or its beginning). Nothing is sent.

    An open request stays known until it is final. With --request only that is given up: it holds
    nothing back any more, and nobody will ask what became of it.
    """
    from lsq_sync.commands import state as command
    from lsq_sync.render.state_document import forgotten_document
    from lsq_sync.render.state_text import forgotten_lines

    if not (yes or _has_somebody_to_ask()):
        raise click.UsageError("without a terminal, state forget needs --yes")
    output = given.output(form)

    def confirm(question: str) -> bool:
        return yes or output.ask(question, _read_answer)

    found = command.run_forget(given.workspace(), key, given.around, confirm, request=request)
    output.document(
        forgotten_document(found.key, found.values, found.request, found.kept),
        forgotten_lines(found.key, found.values, found.request, found.kept),
    )
    return 0


@state.command("merge")
@_form()
@click.pass_obj
def state_merge(given: _Globals, form: str) -> int:
    """Resolve the conflict that git has left in the lock, record by record.

    Values that were confirmed last win, and an open request is never dropped.
    """
    from lsq_sync.commands import state as command
    from lsq_sync.render.state_document import merged_document
    from lsq_sync.render.state_text import merged_lines

    workspace = given.workspace()
    merged = command.run_merge(workspace, given.around)
    decisions = [(one.key, one.why) for one in merged.decisions] if merged else []
    count = len(merged.recorded.entries) if merged else None
    output = given.output(form)
    output.document(merged_document(count, decisions), merged_lines(count, decisions))
    if merged:
        output.next_step(f"look at it, then:\n\n  git add {workspace.settings.paths.lock}")
    return 0


# --- in a CI


@command_line.group()
def ci() -> None:
    """What a CI needs around plan and apply: comment, issue, lock, annotations (docs/ci.md).

    The token is taken from GITHUB_TOKEN, the rest from the environment of GitHub Actions, where
    no option says it.
    """


def _on_the_forge(command: _Command) -> _Command:
    repository = click.option("--repo", metavar="OWNER/NAME", help="The repository on GitHub.")
    api_url = click.option("--api-url", metavar="URL", help="Where GitHub's API answers.")
    return repository(api_url(command))


def _of_pull_request(command: _Command) -> _Command:
    name = click.option(
        "--name",
        default="default",
        show_default=True,
        help="Which comment: one for each workspace of the repository.",
    )
    number = click.option(
        "--pull-request",
        type=click.IntRange(min=1),
        metavar="NUMBER",
        help="The pull request.  [default: the one of the job's event]",
    )
    return name(number(command))


def _on_a_branch(command: _Command) -> _Command:
    branch = click.option("--branch", metavar="NAME", help="The branch.  [default: the job's]")
    remote = click.option("--remote", default="origin", show_default=True, metavar="NAME")
    return branch(remote(command))


def _job(given: _Globals, repo: str | None = None, api_url: str | None = None) -> "Job":
    from lsq_sync.commands.ci_job import Job

    return Job(os.environ, given.around, repo, api_url)


def _show_done(given: _Globals, form: str, command: str, done: "Done") -> int:
    from lsq_sync.render.ci_text import ci_document, ci_lines

    given.output(form).document(ci_document(command, done), ci_lines(done))
    return 0


@ci.command("comment")
@click.option("--file", type=click.Path(path_type=Path), metavar="FILE", help="What to say.")
@click.option(
    "--applied",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="What apply --format json printed: where it sent nothing, that is said instead.",
)
@click.option("--failed", is_flag=True, help="Say that there is no plan of this commit.")
@_of_pull_request
@_on_the_forge
@_form()
@click.pass_obj
def ci_comment(
    given: _Globals,
    file: Path | None,
    applied: Path | None,
    failed: bool,
    name: str,
    pull_request: int | None,
    repo: str | None,
    api_url: str | None,
    form: str,
) -> int:
    """Write the one comment of a pull request, or edit it in place.

    Only a comment of the token's own account counts. A token that may not comment, as in a run of
    a fork, puts the text into the job's summary.
    """
    from lsq_sync.commands import ci_comment as command

    if failed == (file is not None):
        raise click.UsageError("what to say? give --file, or --failed")
    options = command.Options(
        given.folder / file if file else None,
        given.folder / applied if applied else None,
        failed,
        name,
        pull_request,
    )
    return _show_done(given, form, "comment", command.run(_job(given, repo, api_url), options))


@ci.command("issue")
@click.option(
    "--file", type=click.Path(path_type=Path), required=True, metavar="FILE", help="What to say."
)
@click.option("--title", required=True, help="The issue's title.")
@click.option("--name", default="drift", show_default=True, help="Which issue of ours it is.")
@click.option("--close-if-empty", is_flag=True, help="Close it where FILE has nothing to tell.")
@_on_the_forge
@_form()
@click.pass_obj
def ci_issue(
    given: _Globals,
    file: Path,
    title: str,
    name: str,
    close_if_empty: bool,
    repo: str | None,
    api_url: str | None,
    form: str,
) -> int:
    """Open one issue, edit it in place, or close it when there is nothing to tell."""
    from lsq_sync.commands import ci_issue as command

    options = command.Options(given.folder / file, title, name, close_if_empty)
    return _show_done(given, form, "issue", command.run(_job(given, repo, api_url), options))


@ci.command("plan-id")
@_of_pull_request
@_on_the_forge
@_form()
@click.pass_obj
def ci_plan_id(
    given: _Globals,
    name: str,
    pull_request: int | None,
    repo: str | None,
    api_url: str | None,
    form: str,
) -> int:
    """Print the id of the plan that was reviewed, for apply --expect; refused where there is none.

    It comes from the comment of the pull request that became the job's commit, and goes to the
    job's output `plan` as well.
    """
    from lsq_sync.commands import ci_plan_id as command

    reviewed = command.run(_job(given, repo, api_url), name, pull_request)
    return _show_done(given, form, "plan-id", reviewed)


@ci.command("push-lock")
@_on_a_branch
@click.option("--message", metavar="TEXT", help="The message of the commit.")
@click.option(
    "--tries",
    type=click.IntRange(1, 100),
    default=8,
    show_default=True,
    help="How often, when others push at the same time.",
)
@_form()
@click.pass_obj
def ci_push_lock(
    given: _Globals, branch: str | None, remote: str, message: str | None, tries: int, form: str
) -> int:
    """Commit the lock, and only that, on top of a branch, and push it; never by force.

    What others have recorded meanwhile is brought together with it, record by record.
    """
    from lsq_sync.commands import ci_lock as command

    options = command.Options(branch, remote, message or command.MESSAGE, tries)
    done = command.run_push(given.workspace(), _job(given), options)
    return _show_done(given, form, "push-lock", done)


@ci.command("pull-lock")
@_on_a_branch
@_form()
@click.pass_obj
def ci_pull_lock(given: _Globals, branch: str | None, remote: str, form: str) -> int:
    """Take what a branch has recorded into the lock here; every other file stays as it is."""
    from lsq_sync.commands import ci_lock as command

    done = command.run_pull(given.workspace(), _job(given), command.Options(branch, remote))
    return _show_done(given, form, "pull-lock", done)


@ci.command("annotate")
@click.argument("name", metavar="[RUN]", required=False)
@click.option(
    "--applied",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="What apply --format json printed: its run, and nothing where it sent nothing.",
)
@click.pass_obj
def ci_annotate(given: _Globals, name: str | None, applied: Path | None) -> int:
    """Show the rejected updates of a run (the last by default) on their lines, for GitHub."""
    from lsq_sync.commands import ci_annotate as command
    from lsq_sync.commands.checkout import folder_in_checkout
    from lsq_sync.render.problem_text import github_lines

    workspace = given.workspace()
    found = command.run(workspace, name, given.folder / applied if applied else None)
    folder = folder_in_checkout(workspace.root, os.environ)
    lines = "".join(f"{text}\n" for text in github_lines(found.problems, folder))
    given.output("text").results.write(lines)
    return _EXIT_CODES[found.verdict]


@command_line.command()
@click.option("--port", type=click.IntRange(0, 65535), help="0 takes a free one.  [default: 8787]")
@click.option("--data", type=click.Path(path_type=Path), metavar="FILE", help="The opportunities.")
@click.option("--scenario", type=click.Path(path_type=Path), metavar="FILE", help="The surprises.")
@click.option("--log", type=click.Path(path_type=Path), metavar="FILE", help="Log every call here.")
@click.pass_obj
def simulate(
    given: _Globals, port: int | None, data: Path | None, scenario: Path | None, log: Path | None
) -> int:
    """Run a simulated CRM on loopback, to try things without an account."""
    from lsq_sync.commands import simulate as command

    places = (path and given.folder / path for path in (data, scenario, log))
    command.run(port, *places, watch=given.loudness.verbose)
    return 0


@command_line.command()
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path),
    default=Path("lsq-sync-demo"),
    show_default=True,
    help="The folder of the new workspace.",
)
@click.option("--fast", is_flag=True, help="No pauses, a quick queue: seconds instead of a minute.")
@click.pass_obj
def demo(given: _Globals, folder: Path, fast: bool) -> int:
    """See the whole loop on a simulated CRM; no keys, no network."""
    from lsq_sync.commands import demo as command

    return command.run(given.folder / folder, folder, given.output("text").results, fast=fast)


@command_line.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> int:
    """Print the completion script of a shell.

    For bash, put this into ~/.bashrc:  eval "$(lsq-sync completion bash)"
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(command_line, {}, "lsq-sync", _COMPLETE).source())
    return 0


_COMPLETE = "_LSQ_SYNC_COMPLETE"


# --- ending


def main() -> None:
    """The entry point: runs, and exits with the code of the contract."""
    signals.listen()
    gc.disable()  # of what is read and planned nothing is garbage; whoever makes calls enables it
    code = run(sys.argv[1:])
    signals.stand_by_the_result()
    _leave(code)


def interrupted(arguments: list[str]) -> NoReturn:
    """Tells of an interrupt that came before anything ran, and exits."""
    _leave(_failed(StoppedError(signal.SIGINT), arguments))


def _leave(code: int) -> NoReturn:
    """Ends the process without freeing what it holds, object by object, as the system does that at
    once: of a large plan that is a tenth of the time. Python tells of an output that is closed or
    full."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (AttributeError, OSError, ValueError):
        sys.exit(code)
    os._exit(code)


_held: deque[object] = deque(maxlen=1)
"""Until the process ends, or the next command of a process that runs several."""


def run(arguments: list[str], around: "Surroundings | None" = None) -> int:
    """Runs a command line and returns its exit code; every failure is told here.

    `around` are the clocks and the chance of the process, unless a test hands in its own. A signal
    decides the code whatever else happened, a bug excepted.
    """
    signals.on_leaving(lambda number: _plain_output(arguments).error(StoppedError(number)))
    code = _run(arguments, around)
    number = signals.first_heard()
    return code if number is None or code == _BUG else signals.exit_code_of(number)


def _run(arguments: list[str], around: "Surroundings | None") -> int:
    try:
        code = command_line.main(
            args=arguments,
            prog_name="lsq-sync",
            standalone_mode=False,
            complete_var=_COMPLETE,
            obj=around,
        )
        return code if isinstance(code, int) else 0
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return _USAGE
    except click.ClickException as error:
        return _failed(_usage_error(error), arguments)
    except LsqSyncError as error:
        return _failed(error, arguments)
    except (click.Abort, KeyboardInterrupt):
        return _failed(StoppedError(signal.SIGINT), arguments)
    except Exception as error:  # noqa: BLE001 - whatever else it is, it is a bug of ours
        return _bug(error, arguments)


def _usage_error(error: click.ClickException) -> UsageError:
    context = error.ctx if isinstance(error, click.UsageError) else None
    hint = f"what there is:\n\n  {context.command_path} --help" if context else ""
    return UsageError(error.format_message(), hint=hint)


def _failed(error: LsqSyncError, arguments: list[str]) -> int:
    _plain_output(arguments).error(error)
    return _code_of(error)


def _code_of(error: LsqSyncError) -> int:
    match error:
        case UsageError():
            return _USAGE
        case RefusedError():
            return _EXIT_CODES[Verdict.REFUSED]
        case StoppedError():
            return signals.exit_code_of(error.number)
        case _:
            return _EXIT_CODES[Verdict.FAILED]


def _plain_output(arguments: Iterable[str]) -> "Output":
    """The output for a failure, which may come before the options were understood."""
    from lsq_sync.output import Loudness, open_output

    words = list(arguments)
    pairs = list(itertools.pairwise(words))
    as_json = ("--format", "json") in pairs or "--format=json" in words
    no_colour = "--no-color" in words
    return open_output(os.environ, as_json=as_json, no_colour=no_colour, loudness=Loudness())


def _bug(error: BaseException, arguments: list[str]) -> int:
    from lsq_sync.bug_report import command_of, write_report

    path = write_report(error, command_of(arguments), os.environ)
    told = BugError(
        f"this is a bug in lsq-sync: {type(error).__name__}",
        hint=f"please report it with this file, which holds no keys and no values:\n\n  {path}",
    )
    _plain_output(arguments).error(told)
    return _BUG


class BugError(LsqSyncError):
    """Something happened that the code does not expect."""

    code = "bug"
