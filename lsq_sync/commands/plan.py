"""`lsq-sync plan`: desired against recorded, and against live if asked. Writes no state, but an
index, which decides nothing."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from lsq_sync.commands import plan_index
from lsq_sync.commands.edits import with_edits
from lsq_sync.commands.inputs import Inputs, read_all
from lsq_sync.commands.plan_answer import keep_answer
from lsq_sync.commands.set_back import notice_of_a_lock_set_back
from lsq_sync.commands.unseen import notice_of_unseen
from lsq_sync.commands.verdict import Verdict
from lsq_sync.commands.workspace import Workspace
from lsq_sync.core.budget import Budget, budget
from lsq_sync.core.change import Action, Plan
from lsq_sync.core.identity import as_the_specs_call_it
from lsq_sync.core.model import DesiredOpportunity, Live
from lsq_sync.core.plan import make_plan, wanted_fields
from lsq_sync.core.reading import calls_around, readable, wanted_of
from lsq_sync.core.safety import Limits, Refusal, refusals
from lsq_sync.core.state import Recorded
from lsq_sync.spec.read import Specs
from lsq_sync.surroundings import Surroundings


@dataclass(frozen=True, slots=True)
class Choice:
    """Which part of the specs, and what to do with what is stuck."""

    paths: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    retry_rejected: bool = False
    resend_unknown: bool = False
    overwrite: bool = False

    @property
    def is_of_a_part(self) -> bool:
        """Whether anything is left out."""
        return bool(self.paths or self.only or self.skipped)


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan with what it costs and which limits it breaks."""

    plan: Plan
    budget: Budget
    refusals: tuple[Refusal, ...]
    inputs: Inputs | None = None
    """What it was made from, where an index of that may be kept."""

    @property
    def verdict(self) -> Verdict:
        """For --detailed-exitcode."""
        return Verdict.DIFFERENT if self.plan.needs_attention else Verdict.DONE


def run(
    workspace: Workspace,
    choice: Choice,
    around: Surroundings,
    *,
    refresh: bool = False,
    with_unchanged: bool = False,
    watch: Callable[[str, str], None] = lambda _what, _answer: None,
    notice: Callable[[str], None] = lambda _text: None,
) -> Planned:
    """Plans; what has nothing to do may only be counted, unless `with_unchanged`.

    Raises SpecError, LockError, UsageError, and with `refresh` what reading raises.
    """
    needs_all = refresh or with_unchanged or choice.is_of_a_part
    inputs = read_all(workspace) if needs_all else plan_index.read_inputs(workspace)
    specs, recorded, left_out = inputs.specs, inputs.recorded, inputs.untouched

    def planned(live: Live | None = None) -> Planned:
        limits = workspace.settings.limits
        return plan_from(
            workspace,
            specs,
            recorded,
            choice,
            around,
            limits,
            live,
            left_out=left_out,
            lists_untouched=with_unchanged,
        )

    _notice_of_no_choice(workspace, specs, recorded, choice, around, notice)
    if not refresh:
        notice_of_a_lock_set_back(workspace.store, inputs.newest, inputs.lock, notice)
        return replace(planned(), inputs=inputs)
    from lsq_sync.commands.refresh import live_values  # brings the client along

    chosen, known = selected(workspace, specs, recorded, choice, around)
    wanted = readable(wanted_of(one, known.entries.get(one.key)) for one in chosen)
    live = live_values(workspace, recorded, wanted, around, watch, notice)
    notice_of_unseen((one.key for one in chosen if any(wanted_fields(one))), live, notice)
    found = planned(live)
    conflicts = found.plan.having(Action.CONFLICT)
    if not conflicts:
        return found
    read = partial(live_values, workspace, recorded, around=around, watch=watch)
    return planned(with_edits(live, conflicts, recorded, read))


def keep_index(workspace: Workspace, planned: Planned, says: Callable[[], str]) -> None:
    """So that the next plan reads only what has changed by then, and if it is nothing, `says` the
    same again."""
    if planned.inputs is None:
        return
    index = plan_index.keep_index(workspace, planned.inputs, planned.plan)
    if index is not None and planned.verdict is Verdict.DONE:
        keep_answer(workspace, index, says)


def _notice_of_no_choice(
    workspace: Workspace,
    specs: Specs,
    recorded: Recorded,
    choice: Choice,
    around: Surroundings,
    notice: Callable[[str], None],
) -> None:
    """A pattern that is misspelt would look like a plan with nothing to do."""
    if not (choice.only or choice.skipped) or not specs.opportunities:
        return
    chosen, known = selected(workspace, specs, recorded, choice, around)
    if not chosen and not known.entries:
        given = [f"--only {one}" for one in choice.only]
        given += [f"--except {one}" for one in choice.skipped]
        notice(f"{' '.join(given)} leaves none of {len(specs.opportunities):,} opportunities")


def selected(
    workspace: Workspace,
    specs: Specs,
    recorded: Recorded,
    choice: Choice,
    around: Surroundings,
) -> tuple[tuple[DesiredOpportunity, ...], Recorded]:
    """Both inputs of a plan, under the keys of the specs, less what was not chosen."""
    selection = workspace.selection(specs, choice.paths, choice.only, choice.skipped)
    known, _ = as_the_specs_call_it(specs.opportunities, recorded, around.now())
    return selection.narrow(specs.opportunities, known)


def plan_from(
    workspace: Workspace,
    specs: Specs,
    recorded: Recorded,
    choice: Choice,
    around: Surroundings,
    limits: Limits,
    live: Live | None = None,
    *,
    reads: bool = True,
    left_out: int = 0,
    lists_untouched: bool = True,
) -> Planned:
    """The plan of inputs that were gathered before; `live` is None where nothing was read.

    `reads`: whether the apply that it is for reads live values. `left_out`: how many that are as
    they were recorded are not among the inputs; they are only counted. `lists_untouched`: whether
    those among the inputs are listed, instead of counted as well.
    """
    desired, narrowed = selected(workspace, specs, recorded, choice, around)
    rules = workspace.rules(
        specs,
        around,
        retry_rejected=choice.retry_rejected,
        resend_unknown=choice.resend_unknown,
        overwrite=choice.overwrite,
    )
    account = workspace.settings.account
    part = make_plan(account, desired, narrowed, live, rules, lists_untouched=lists_untouched)
    plan = replace(part, untouched=part.untouched + left_out)
    return weighed(plan, workspace, specs, recorded, limits, reads=reads, left_out=left_out)


def weighed(
    plan: Plan,
    workspace: Workspace,
    specs: Specs,
    recorded: Recorded,
    limits: Limits,
    *,
    reads: bool = True,
    left_out: int = 0,
) -> Planned:
    """The plan with its cost and the limits that it breaks."""
    can_read = reads and workspace.settings.account.host is not None
    calls = calls_around(plan, specs.opportunities, recorded.entries) if can_read else 0
    return Planned(
        plan,
        budget(plan, workspace.settings.api.rate_limit, calls),
        refusals(plan, len(recorded.entries) + left_out, limits),
    )
