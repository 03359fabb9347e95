"""Options that depend on another field of the same opportunity, such as the stages of a status."""

from collections.abc import Iterable, Iterator, Mapping

from lsq_sync.core.model import MASK, DesiredField
from lsq_sync.core.values import shown
from lsq_sync.errors import Diagnostic
from lsq_sync.spec.names import suggestion
from lsq_sync.spec.types import Dependency


def misfits(
    fields: Iterable[DesiredField], dependencies: Mapping[str, Dependency]
) -> Iterator[Diagnostic]:
    """Where the value of a field does not fit that of its parent.

    Only where a spec names both: what the CRM holds of the other one is not known here. What is no
    option at all is told elsewhere.
    """
    by_name = {field.name: field for field in fields}
    for name, rule in dependencies.items():
        field, parent = by_name.get(name), by_name.get(rule.parent)
        if field and parent and not _fits(field, parent, rule):
            yield _misfit(field, parent, rule)


def _fits(field: DesiredField, parent: DesiredField, rule: Dependency) -> bool:
    if not field.value or not parent.value or parent.value not in rule.options:
        return True
    known = {option for some in rule.options.values() for option in some}
    return field.value not in known or field.value in rule.options[parent.value]


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
