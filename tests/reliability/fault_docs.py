"""The table of `docs/reliability-faults.md`, made of the table that the tests go by."""

from tests.reliability.fault_table import FAULTS, Fault, Meaning

BEGIN = "<!-- the table is made by tests/reliability/fault_docs.py -->"
END = "<!-- end of the table -->"

_SUBMIT = {
    Meaning.GOOD: "accepted",
    Meaning.AGAIN: "sent again by itself",
    Meaning.REJECTED: "rejected (3)",
    Meaning.STOP: "unsent, the run stops (1)",
}
_READ = {
    Meaning.GOOD: "read",
    Meaning.AGAIN: "read again",
    Meaning.STOP: "nothing is sent (1)",
}


def table() -> str:
    """One row a fault: what an update becomes (and the exit code, where it is not 0), and what a
    question and a read before sending come to."""
    head = [
        "| The answer | Done by the CRM | Submit | Status | Bulk read | Details |",
        "|---|---|---|---|---|---|",
    ]
    return "\n".join([*head, *map(_row, FAULTS)])


def _row(fault: Fault) -> str:
    cells = [
        fault.name,
        "yes" if fault.processed else "no",
        _submit(fault),
        "a verdict" if fault.status is Meaning.GOOD else "no verdict, asked again",
        _READ[fault.bulk],
        _READ[fault.details],
    ]
    return f"| {' | '.join(cells)} |"


def _submit(fault: Fault) -> str:
    if fault.submit is not Meaning.UNKNOWN:
        return _SUBMIT[fault.submit]
    return "unknown, then succeeded: read back" if fault.processed else "unknown, held (4)"


def within(page: str) -> str:
    """The page with the table in it as it is now."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"
