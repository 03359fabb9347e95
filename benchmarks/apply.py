"""An apply at the rate limit: how near it comes to the least time possible, and what it costs.

With a limit of N calls in W seconds, C calls need at least (ceil(C / N) - 1) * W seconds from the
first to the last. The server's own log says how long they took, and whether any was too much.
"""

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import loans
from benchmarks.processes import BenchmarkError, cost_of
from benchmarks.resident import Watch
from benchmarks.tables import Table
from lsq_sync.simulator import SimulatorThread
from lsq_sync.simulator.limit import busiest_window
from lsq_sync.simulator.log import Entry
from lsq_sync.simulator.scenario import Fault, Queue, RateLimit, Reject, Scenario, Which
from tests.support.clock import Timeline
from tests.support.virtual_crm import HOST, VirtualCRM, Way, jittered, steady
from tests.support.work import LIMIT, Work

_ANSWER_SECONDS = 0.2
_UPDATES = 10_000
_ONE_IN_A_HUNDRED = (Reject(Which(every=100)),)
_TYPICAL_PER_MINUTE = 24.8
_SCALED = ((1_000, 0.5), (1_000, 0.1), (10_000, 0.1))
"""Updates, and the seconds of a window that stands for 5."""


def tables(folder: Path) -> list[Table]:
    """On virtual time, which is exact; then real commands over HTTP, on a faster clock."""
    quick = _applied(folder / "quick", Queue(delay_seconds=2.0))
    slow = _applied(folder / "slow", Queue(delay_seconds=2.0, per_minute=_TYPICAL_PER_MINUTE))
    return [_rates(quick), _calls(quick, slow), _scaled(folder)]


# --- virtual time


def _rates(applied: VirtualCRM) -> Table:
    cases = (
        ("sends", steady(_ANSWER_SECONDS), _sends),
        ("sends, late arrivals", _late(), _sends),
        ("sends, polls and reads mixed", steady(_ANSWER_SECONDS), _mixed),
        ("sends, polls and reads mixed, late arrivals", _late(), _mixed),
    )
    rows = [_rate_row(name, _worked(way, work)) for name, way, work in cases]
    rows.append(_rate_row(f"`apply` of {_UPDATES:,} and settling it", applied))
    return Table(
        "25 calls in 5 s, answers after 200 ms, on virtual time",
        ("calls", "number", "seconds", "of the possible rate", "most in any 5 s", "refused"),
        tuple(rows),
        "Late arrivals: up to 4 % of the window late; the first 25 and 2 % of the rest 20 to 40 %.",
    )


def _late() -> Way:
    return jittered(LIMIT.seconds, LIMIT.calls, _ANSWER_SECONDS)


def _sends(work: Work) -> None:
    work.run(work.send)


def _mixed(work: Work) -> None:
    work.run(work.send, lambda: work.poll(1_200), lambda: work.read(singles=1_300))


def _worked(way: Way, work: Callable[[Work], None]) -> VirtualCRM:
    everything = Work(way, 2_500)
    work(everything)
    return everything.crm


def _rate_row(name: str, crm: VirtualCRM) -> tuple[str, ...]:
    arrivals = crm.arrivals()
    return (
        name,
        f"{len(arrivals):,}",
        f"{arrivals[-1] - arrivals[0]:,.1f}",
        f"{crm.utilisation():.3f}",
        f"{crm.busiest_window}",
        f"{crm.refused}",
    )


def _applied(root: Path, queue: Queue) -> VirtualCRM:
    account, keys = loans.account_with(_UPDATES)
    scenario = Scenario(queue=queue, rejects=_ONE_IN_A_HUNDRED)
    crm = VirtualCRM(Timeline(), account, scenario, steady(_ANSWER_SECONDS))
    loans.loan_workspace(root, keys, HOST)
    words = ("-q", "apply", "--yes", "--max-updates", str(_UPDATES), "--timeout", "100000")
    code, _, told = crm.run(root, *words, "--format", "json")
    if code != _SOME_REJECTED:
        raise BenchmarkError(f"apply ended with {code}: {told}")
    return crm


_SOME_REJECTED = 3


def _calls(*applied: VirtualCRM) -> Table:
    counted = [_counted(crm.simulator.log.entries()) for crm in applied]
    names = tuple(counted[0])
    rows = tuple((name, *(f"{one[name]:,}" for one in counted)) for name in names)
    return Table(
        f"What {_UPDATES:,} updates cost, one in a hundred rejected: calls by kind",
        ("", "the queue keeps up", f"the queue works off {_TYPICAL_PER_MINUTE:g} a minute"),
        rows,
        f"{_TYPICAL_PER_MINUTE:g} a minute is the vendor's own sample: settling takes hours then.",
    )


def _counted(log: Sequence[Entry]) -> dict[str, int]:
    sends = [entry.at for entry in log if entry.kind == "submit"]
    last = sends[-1]

    def of(kind: str, *, after: bool) -> int:
        return sum(entry.kind == kind and (entry.at > last) is after for entry in log)

    return {
        "whose keys, and bulk reads before sending": of("read", after=False),
        "updates": len(sends),
        "bulk reads to settle and to verify": of("read", after=True),
        "looks at the queue": of("metrics", after=True),
        "questions about single requests": of("status", after=True),
        "seconds of sending": round(last - sends[0]),
        "seconds until all is settled, from the last send": round(log[-1].at - last),
    }


# --- real processes


def _scaled(folder: Path) -> Table:
    rows = [
        _scaled_row(folder / f"scaled-{number}", updates, window)
        for number, (updates, window) in enumerate(_SCALED)
    ]
    columns = (
        "`apply` over HTTP", "first send after, s", "of the possible rate", "most in any window",
        "refused", "CPU ms an update", "MB, 100 sent", "MB, nearly all sent", "peak MB, of `plan`",
    )  # fmt: skip
    return Table(
        "Real processes on a faster clock, answers after 4 % of the window",
        columns,
        tuple(rows),
        "The rate is that of all calls up to the last update.",
    )


def _scaled_row(root: Path, updates: int, window: float) -> tuple[str, ...]:
    account, keys = loans.account_with(updates)
    scenario = Scenario(
        rate_limit=RateLimit(calls=LIMIT.calls, seconds=window),
        queue=Queue(delay_seconds=0.2),
        faults=(Fault(on="any", do="delay", seconds=window * _ANSWER_SECONDS / LIMIT.seconds),),
    )
    with SimulatorThread(account, scenario) as crm:
        api: dict[str, object] = {"rate_limit": {"calls": LIMIT.calls, "seconds": window}}
        loans.loan_workspace(root, keys, crm.url, api)
        plan = cost_of(root, crm.environment, "plan")
        began = datetime.now(UTC)
        words = ("apply", "--yes", "--max-updates", str(updates))
        with Watch(root, lambda: crm.crm.count("submit")) as watch:
            apply = cost_of(root, crm.environment, *words)
        log = crm.crm.log()
    sends = [entry for entry in log if entry.kind == "submit"]
    arrivals = [entry.at for entry in log if entry.at <= sends[-1].at]
    least = (math.ceil(len(arrivals) / LIMIT.calls) - 1) * window
    return (
        f"{updates:,} updates, {LIMIT.calls} in {window:g} s",
        f"{(datetime.fromisoformat(sends[0].time) - began).total_seconds():.1f}",
        f"{least / (arrivals[-1] - arrivals[0]):.3f}",
        f"{busiest_window([entry.at for entry in log], window)}",
        f"{sum(entry.limited for entry in log)}",
        f"{apply.cpu * 1000 / updates:.2f}",
        *(f"{size:.0f}" for size in watch.between(100, updates - 1)),
        f"{apply.peak:.0f}, {plan.peak:.0f}",
    )
