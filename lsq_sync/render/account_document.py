"""The JSON documents of `doctor` and `metrics`."""

from collections.abc import Iterable
from dataclasses import asdict

from lsq_sync.core.answers import QueueMetrics
from lsq_sync.core.checks import Check, State
from lsq_sync.render.document import Document


def metrics_document(metrics: QueueMetrics) -> Document:
    """The CRM's queue."""
    return {"format": "lsq-sync/metrics/v1", **asdict(metrics)}


def doctor_document(examined: Iterable[Check]) -> Document:
    """What `doctor --format json` prints."""
    listed = list(examined)
    return {
        "format": "lsq-sync/doctor/v1",
        "summary": {state.value: sum(one.state is state for one in listed) for state in State},
        "checks": [asdict(one) for one in listed],
    }
