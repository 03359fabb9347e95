"""Reading live values of many opportunities: how many calls, how fast, and what a record costs."""

import math
import time
from collections.abc import Callable
from pathlib import Path

from yarl import URL

from benchmarks import loans
from benchmarks.processes import Sample, cost_of
from benchmarks.tables import Table
from lsq_sync.core.reading import MOST_IDS, Wanted
from lsq_sync.crm import reading
from lsq_sync.crm.credentials import Credentials
from lsq_sync.crm.wire import Answer
from lsq_sync.simulator import RunningSimulator, SimulatorThread
from lsq_sync.simulator.account import DEFAULT_KEYS, Account
from lsq_sync.simulator.clock import moment
from lsq_sync.simulator.http import Simulator
from lsq_sync.simulator.scenario import Fault, RateLimit, Scenario
from tests.support.clock import STARTED
from tests.support.session import request_of

_SOME, _MANY = 10_000, 100_000
_COMMANDS = (("plan", "--refresh"), ("drift",))
_LIMIT = RateLimit(calls=25, seconds=5.0)
_ANSWER_SECONDS = 0.2
_ROUNDS = 7


def tables(folder: Path) -> list[Table]:
    """Calls are exact; seconds are of a simulator on the same machine."""
    return [_commands(folder), _refresh(folder / "many"), _records()]


# --- commands


def _commands(folder: Path) -> Table:
    account, keys = loans.account_with(_SOME)
    with SimulatorThread(account, Scenario(rate_limit=RateLimit(enabled=False))) as crm:
        root, other = folder / "ws", folder / "importing"
        loans.loan_workspace(root, keys, crm.url)
        rows = [_measured(root, crm, *words) for words in _COMMANDS]
        loans.empty_workspace(other, crm.url)
        (other / "ids").write_text("\n".join(keys), encoding="utf-8")
        rows.append(_measured(other, crm, "import", "--ids-file", "ids"))
        rows += [_measured(other, crm, *words, more=", every field") for words in _COMMANDS]
    title = f"Reading {len(keys):,} opportunities live, without a limit"
    return Table(title, ("command", "calls", "seconds"), tuple(rows))


def _measured(root: Path, crm: RunningSimulator, *words: str, more: str = "") -> tuple[str, ...]:
    before = crm.crm.count()
    cost = cost_of(root, crm.environment, *words)
    return f"`{' '.join(words)}`{more}", f"{crm.crm.count() - before}", f"{cost.wall:.1f}"


# --- a hundred thousand


def _refresh(root: Path) -> Table:
    """At the real limit, with answers after 200 ms."""
    account, keys = loans.account_with(_MANY)
    faults = (Fault(on="any", do="delay", seconds=_ANSWER_SECONDS),)
    with SimulatorThread(account, Scenario(rate_limit=_LIMIT, faults=faults)) as crm:
        loans.loan_workspace(root, keys, crm.url)
        without = cost_of(root, crm.environment, "plan")
        refreshed = cost_of(root, crm.environment, "plan", "--refresh")
        log = crm.crm.log()
    took = log[-1].at - log[0].at
    least = (math.ceil(len(log) / _LIMIT.calls) - 1) * _LIMIT.seconds
    bulk = sum(entry.path.endswith("/GetOpportunitiesById") for entry in log)
    rows = (
        ("calls", f"{len(log)}, of these {bulk} bulk reads"),
        ("seconds from the first call to the last", f"{took:.2f}"),
        ("least possible / that", f"{least / took:.3f}"),
        ("refused for the rate limit", f"{sum(entry.limited for entry in log)}"),
        *_differences(without, refreshed),
    )
    return Table(f"`plan --refresh` of {_MANY:,}, 25 calls in 5 s", ("", "figure"), rows)


def _differences(without: Sample, refreshed: Sample) -> tuple[tuple[str, str], ...]:
    return (
        ("CPU seconds, more than `plan`", f"{refreshed.cpu - without.cpu:.1f}"),
        ("peak MB; of `plan`", f"{refreshed.peak:.0f}; {without.peak:.0f}"),
    )


# --- one record


def _records() -> Table:
    account, keys = loans.account_with(MOST_IDS)
    rows = tuple(_record_row(account, keys, names) for names in (_FEW_NAMES, _all_names(account)))
    columns = ("a bulk read of 2,000", "MB", "µs to ask for a record", "µs to read one")
    return Table("What a record costs", columns, rows, "CPU of the client, the best of seven.")


_FEW_NAMES = ("mx_Custom_3", "mx_Custom_6", "mx_Custom_8")


def _all_names(account: Account) -> tuple[str, ...]:
    known = next(one for one in account.types if one.code == loans.CODE)
    fields = [one for one in known.fields if not one.is_read_only]
    parts = [f"{one.schema_name}~{sub.schema_name}" for one in fields for sub in one.sub_fields]
    return (*(one.schema_name for one in fields), *parts)


def _record_row(account: Account, ids: list[str], names: tuple[str, ...]) -> tuple[str, ...]:
    keys = Credentials(DEFAULT_KEYS.access_key, DEFAULT_KEYS.secret_key, DEFAULT_KEYS.x_api_key)
    group = [Wanted(one, one, names, loans.CODE) for one in ids]
    request = reading.bulk_request("https://crm.invalid", keys, group)
    asked = request_of(request.method, URL(request.url), request.body, request.headers)
    reply = Simulator(account, Scenario(), STARTED).handle(asked, moment(1.0))
    answer = Answer(reply.status, reply.body, keys)
    asking = _best(lambda: reading.bulk_request("https://crm.invalid", keys, group))
    understanding = _best(lambda: reading.read_bulk(answer, group))
    return (
        f"{len(names)} fields and sub-fields",
        f"{len(reply.body) / 1e6:.1f}",
        f"{asking / len(ids) * 1e6:.1f}",
        f"{understanding / len(ids) * 1e6:.1f}",
    )


def _best(work: Callable[[], object]) -> float:
    """Seconds of CPU."""
    found = []
    for _ in range(_ROUNDS):
        began = time.process_time()
        work()
        found.append(time.process_time() - began)
    return min(found)
