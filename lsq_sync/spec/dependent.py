"""Options that depend on another field of the same opportunity, such as the stages of a status."""

from collections.abc import Iterator, Mapping

from lsq_sync.core.model import MASK, DesiredField, DesiredOpportunity
from lsq_sync.core.values import Value, shown
from lsq_sync.errors import Diagnostic
from lsq_sync.spec.names import suggestion
from lsq_sync.spec.types import Dependency


def misfits(
    one: DesiredOpportunity, dependencies: Mapping[str, Dependency]
) -> Iterator[Diagnostic]:
    """Where the value of a field does not fit that of its parent.

    Only where a spec names both: what the CRM holds of the other one is not known here. What is no
    option at all is told elsewhere.
    """
    values = one.values
    for name, rule in dependencies.items():
        if not _fits(values.get(name), values.get(rule.parent), rule):
            by_name = {field.name: field for field in one.fields}
            yield _misfit(by_name[name], by_name[rule.parent], rule)


def _fits(value: Value, parent: Value, rule: Dependency) -> bool:
    if not value or not parent or parent not in rule.options or value in rule.options[parent]:
        return True
    return not any(value in options for options in rule.options.values())


def _misfit(field: DesiredField, parent: DesiredField, rule: Dependency) -> Diagnostic:
    """At the one of the two that stands further down: the other may come from the defaults."""
    is_hidden = field.rule.sensitive or parent.rule.sensitive
    value, above = (MASK if is_hidden else shown(str(one.value)) for one in (field, parent))
    message = f"{value} is not an option of {_named(field)} where {_named(parent)} is {above}"
    hint = "" if is_hidden else _hint(field, parent, rule)
    return Diagnostic(max(field.origin, parent.origin), "not-an-option", message, hint)


def _hint(field: DesiredField, parent: DesiredField, rule: Dependency) -> str:
    fitting = [above for above, options in rule.options.items() if field.value in options]
    own = suggestion("", rule.options[str(parent.value)])
    return f"it is one where {_named(parent)} is {' or '.join(map(repr, fitting))}; {own}"


def _named(field: DesiredField) -> str:
    title = field.rule.title
    return f"{field.name} ({title})" if title not in ("", field.name) else field.name
