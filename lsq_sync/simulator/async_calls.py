"""The asynchronous calls: submit, status, metrics. Pure: a machine, a request and `now` in, a
reply out. The caller has checked keys and limit. Sections 2 to 4 of the API notes.
"""

import json
from typing import Any, assert_never

from lsq_sync.simulator.crm import Crm
from lsq_sync.simulator.queue import BrokeDown, Failed, Succeeded, Task
from lsq_sync.simulator.refusal import RefusedError
from lsq_sync.simulator.scenario import Answers, Queue, Words
from lsq_sync.simulator.update import UnparsableError, parse_json, parse_update
from lsq_sync.simulator.wire import Reply, Request, application_error, json_reply, parse_error

ACCEPTED = "Request accepted. Please use below request id to check the status"


def submit(crm: Crm, request: Request, now: float) -> tuple[Reply, str | None]:
    """Queues an update; gives the reply and the RequestID. [documented]
    update-an-opportunity-async
    """
    refusal = _refusal_at_submit(crm, request.body, now)
    if refusal:
        return refusal, None
    task = crm.submit(request.body, now)
    key = crm.scenario.answers.request_id_key
    return json_reply({"Status": ACCEPTED, key: task.request_id}), task.request_id


def _refusal_at_submit(crm: Crm, body: bytes, now: float) -> Reply | None:
    """What the gateway itself looks at is not documented; a switch says how much."""
    try:
        match crm.scenario.rules.at_submit:
            case "nothing":
                pass
            case "json":
                parse_json(body)
            case "everything":
                crm.check(parse_update(body), now)
    except UnparsableError as error:
        return parse_error(str(error))
    except RefusedError as refusal:
        return application_error(refusal.exception_type, refusal.message)
    return None


def status(crm: Crm, request: Request, now: float) -> Reply:
    """What became of a RequestID. [documented] update-an-opportunity-status-api"""
    request_id = request.query.get("requestid", "")
    answers = crm.scenario.answers
    task = crm.task(request_id, now)
    if task is None:
        return _unknown_request_id(answers, request_id)
    body = {answers.request_id_key: request_id, "TaskStatus": _task_status(crm, task)}
    return json_reply(body)


def _unknown_request_id(answers: Answers, request_id: str) -> Reply:
    """Not documented: every answer that a client should tolerate is a switch."""
    match answers.unknown_request_id:
        case "null":
            return json_reply({answers.request_id_key: request_id, "TaskStatus": None})
        case 400:
            return json_reply({"message": "Invalid RequestID"}, 400)
        case 404:
            return json_reply({"message": "RequestID not found"}, 404)
        case 500:
            return application_error("MXInvalidInputException", "Invalid RequestID")
        case unknown:
            assert_never(unknown)


def _task_status(crm: Crm, task: Task) -> dict[str, Any]:
    answers = crm.scenario.answers
    final = task.settled_at is not None
    return {
        "TaskType": "Opportunity Update",
        "Status": _word(answers.words, crm.scenario.queue, task),
        "StatusReason": _reason(task),
        "TaskCurrentStep": None if final else "In-Process-Queue",
        "TaskLastStep": "In-Process-Queue" if final else None,
        "RequestBody": _shown(task.payload, answers.request_body),
        "Message": _message(task, answers),
    }


def _word(words: Words, queue: Queue, task: Task) -> str:
    if task.settled_at is None:
        waiting_for_retry = task.attempts > 0
        if waiting_for_retry and queue.retrying_status == "ERROR":
            return words.error
        return words.queued
    match task.result:
        case Succeeded():
            return words.success
        case Failed(outcome="FAILURE"):
            return words.failure
        case _:
            return words.error


def _reason(task: Task) -> str | None:
    match task.result:
        case Succeeded():
            return "Request was successfully completed"
        case Failed():
            return task.result.reason
        case BrokeDown(message):
            return message
        case None:
            return None


def _message(task: Task, answers: Answers) -> Any:
    """The synchronous call's answer; null when not successful. [documented]"""
    if not isinstance(task.result, Succeeded):
        return None
    return _shown(json.dumps(success_body(task.result)), answers.message)


def success_body(verdict: Succeeded) -> dict[str, Any]:
    """What the synchronous update answers. [seen in code]"""
    return {"Status": "Success", "Message": {"Id": verdict.opportunity_id}}


def _shown(text: str, style: str) -> Any:
    """A string that holds JSON, as in every sample, or the object itself, as the docs type it."""
    if style == "string":
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def metrics(crm: Crm, now: float) -> Reply:
    """The queue. Keys as in the siblings' samples. [documented] get-capture-leads-metrics"""
    measured = crm.metrics(now)
    return json_reply(
        {
            "PendingMessages": measured.pending,
            "MaxDelayInSeconds": measured.max_delay_seconds,
            crm.scenario.answers.rate_key: measured.per_minute,
        }
    )
