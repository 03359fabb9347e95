"""Fields as the CRM describes them, both ways: `Field` to metadata object and back.

Keys and odd habits as documented: options are a JSON string inside the JSON, with an empty `Text`,
and "" where there are none. [documented] get-metadata-of-an-opportunity-type
What is not known: how sub-fields of a custom field set appear (here: `Fields`, as in the body of
an update), and the shape of `DependentOptionSet` (a switch). Both [inferred].
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from lsq_sync.simulator.account import Field, OpportunityType
from lsq_sync.simulator.scenario import Answers

COLOURS: Final = (("#FFFB83", "#A08427"), ("#A5E887", "#347715"), ("#FFD4D0", "#E31D00"))


def type_object(known: OpportunityType, answers: Answers) -> dict[str, Any]:
    """GetOpportunityTypeMetadata: the event code is an int here, a string in lists."""
    return {
        "AllowAttachments": False,
        "CanDelete": False,
        "Description": "",
        "DisplayName": known.display_name,
        "EventCode": known.code,
        "Fields": [field_object(one, number, answers) for number, one in enumerate(known.fields)],
    }


def field_object(known: Field, sequence: int, answers: Answers) -> dict[str, Any]:
    described: dict[str, Any] = {
        "SchemaName": known.schema_name,
        "InternalName": known.schema_name,
        "DisplayName": known.display_name,
        "Value": None,
        "DataType": known.data_type,
        "IsMandatory": known.is_mandatory,
        "ShowInForm": not known.is_read_only,
        "Sequence": sequence,
        "ParentField": known.parent_field,
        "OptionSet": _option_set(known.options),
        "DependentOptionSet": _dependent_option_set(known, answers),
        "IsDefault": not known.schema_name.startswith("mx_"),
        "IsReadOnly": known.is_read_only,
        "RenderType": "",
        "ExportAsPlainText": False,
        "IsMultiSelectDropdown": known.is_multi_select,
        "IncludeOthersOption": False,
        "BehaviorOnMissingDropdownOption": 0,
        "IsOthersValue": False,
        "InternalSchemaName": "",
        "CustomObjectType": 2,
        "MaxFieldLength": known.max_length,
        "IsMasked": known.is_masked,
    }
    if known.sub_fields:
        described["Fields"] = [
            field_object(one, number, answers) for number, one in enumerate(known.sub_fields)
        ]
    return described


def _option_set(options: tuple[str, ...]) -> str:
    return json.dumps(_option_objects(options), ensure_ascii=False) if options else ""


def _option_objects(options: Iterable[str]) -> list[dict[str, Any]]:
    return [
        {
            "IsDefault": order == 0,
            "Text": "",
            "Value": option,
            "CanDelete": 1,
            "CanEdit": 1,
            "IsLastOption": 0,
            "Order": order,
            "BackgroundColor": COLOURS[order % len(COLOURS)][0],
            "FontColor": COLOURS[order % len(COLOURS)][1],
        }
        for order, option in enumerate(options)
    ]


def _dependent_option_set(known: Field, answers: Answers) -> str:
    if not known.dependent_options:
        return ""
    shaped: Any
    if answers.dependent_option_set == "by_parent":
        shaped = {parent: _option_objects(options) for parent, options in known.dependent_options}
    else:
        shaped = [
            {**described, "ParentValue": parent}
            for parent, options in known.dependent_options
            for described in _option_objects(options)
        ]
    return json.dumps(shaped, ensure_ascii=False)


# The other way, for data files


def field_from(described: Mapping[str, Any]) -> Field:
    """A field from its metadata object; options may also be plain JSON instead of a string."""
    return Field(
        schema_name=described["SchemaName"],
        display_name=described.get("DisplayName", described["SchemaName"]),
        data_type=described.get("DataType", "String"),
        is_mandatory=described.get("IsMandatory", False),
        is_read_only=described.get("IsReadOnly", False),
        is_multi_select=described.get("IsMultiSelectDropdown", False),
        is_masked=described.get("IsMasked", False),
        max_length=described.get("MaxFieldLength", 0),
        options=_options(_opened(described.get("OptionSet", ""))),
        parent_field=described.get("ParentField", ""),
        dependent_options=_dependent_options(_opened(described.get("DependentOptionSet", ""))),
        sub_fields=tuple(field_from(one) for one in described.get("Fields") or ()),
    )


def _opened(value: Any) -> Any:
    """JSON that may stand inside a string. Raises ValueError."""
    if not isinstance(value, str):
        return value
    return json.loads(value) if value else []


def _options(shaped: Iterable[Any]) -> tuple[str, ...]:
    return tuple(one if isinstance(one, str) else one["Value"] for one in shaped or ())


def _dependent_options(shaped: Any) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if isinstance(shaped, Mapping):
        return tuple((parent, _options(options)) for parent, options in shaped.items())
    by_parent: dict[str, list[str]] = {}
    for one in shaped or ():
        by_parent.setdefault(one["ParentValue"], []).append(one["Value"])
    return tuple((parent, tuple(options)) for parent, options in by_parent.items())
