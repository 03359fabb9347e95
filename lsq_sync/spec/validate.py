"""JSON Schema decides what a document may hold: what is plainly right is accepted at once, and
everything else goes to `jsonschema`, which alone refuses and words why.
"""

from lsq_sync.errors import Diagnostic
from lsq_sync.spec.document import Node
from lsq_sync.spec.quick_check import Check, quick_check
from lsq_sync.spec.schemas import Schema, schema


def problems(document: Node, file: str, rules: Schema) -> list[Diagnostic]:
    """Everything in the document that the schema refuses, at most one problem a place."""
    if _check_of(rules)(document):
        return []
    from lsq_sync.spec.explain import explained  # jsonschema takes long to import

    return explained(document, file, rules)


def spec_problems(document: Node, file: str) -> list[Diagnostic]:
    """What the format of a spec file refuses."""
    return problems(document, file, schema("spec.schema.json"))


def type_schema_problem(content: object) -> str | None:
    """Why this is no type schema, or None; a pointer into the JSON, and what is wrong there."""
    rules = schema("type.schema.json")
    if _check_of(rules)(content):
        return None
    from lsq_sync.spec.explain import type_schema_fault  # jsonschema takes long to import

    return type_schema_fault(content, rules)


_checks: dict[int, tuple[Schema, Check]] = {}
"""By the identity of the schema, which is kept here so that it stays its own."""


def _check_of(rules: Schema) -> Check:
    """Made once a schema: many mappings are checked by the same one."""
    known = _checks.get(id(rules))
    if known is None:
        known = _checks[id(rules)] = (rules, quick_check(rules))
    return known[1]
