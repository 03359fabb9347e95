"""lsq-sync.yaml: every key, every default, and what is said of a wrong one."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from lsq_sync.core.budget import RateLimit
from lsq_sync.core.model import Account
from lsq_sync.core.safety import Limits
from lsq_sync.core.values import ValueRules
from lsq_sync.errors import SettingsError
from lsq_sync.spec.schemas import schema
from lsq_sync.spec.settings import (
    API,
    REGIONS,
    Paths,
    Settings,
    host_fault,
    read_settings,
    region_hosts,
)
from tests.spec.support import told

BASIC = "version: 1\naccount:\n  name: acme\n  region: in21\n"

WHOLE = """\
version: 1
account:
  name: acme-production
  region: us11
  async_host: https://async.example:8443/
  host: https://sync.example
  time_zone: Asia/Kolkata
api:
  rate_limit: {calls: 10, seconds: 2.5}
  status_path: /opportunity/status
  metrics_path: /metrics
  timeout_seconds: 7.5
  late_window_hours: 0.5
  multi_select_separator: "|"
paths: {specs: desired, schemas: types, lock: state/acme.lock}
safety:
  max_updates: 100
  max_update_percent: 12.5
  min_population: 0
  protected_fields: [Owner, mx_Custom_36]
  canary_max_rejected_percent: 2.5
"""


def settings(text: str, **environment: str) -> Settings:
    return read_settings(text.encode(), environment)


def refusal(text: str, **environment: str) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        read_settings(text.encode(), environment)
    return caught.value


def faults(text: str, **environment: str) -> list[str]:
    return told(refusal(text, **environment).diagnostics)


def test_the_defaults() -> None:
    assert settings(BASIC) == Settings(
        account=Account(
            "acme",
            async_host="https://asyncapi-in21.leadsquared.com",
            host="https://api-in21.leadsquared.com",
        ),
        values=ValueRules(time_zone=ZoneInfo("UTC"), separator=";"),
        api=API(
            rate_limit=RateLimit(25, 5.0),
            status_path="/opportunity/update/status",
            metrics_path="/opportunity/update/metrics",
            timeout_seconds=30.0,
            late_window=timedelta(hours=12),
        ),
        paths=Paths(specs="specs", schemas="schemas", lock="lsq-sync.lock"),
        limits=Limits(None, None, 10, (), 0.0),
    )


def test_every_key() -> None:
    assert settings(WHOLE) == Settings(
        account=Account("acme-production", "https://async.example:8443", "https://sync.example"),
        values=ValueRules(time_zone=ZoneInfo("Asia/Kolkata"), separator="|"),
        api=API(
            rate_limit=RateLimit(10, 2.5),
            status_path="/opportunity/status",
            metrics_path="/metrics",
            timeout_seconds=7.5,
            late_window=timedelta(minutes=30),
        ),
        paths=Paths(specs="desired", schemas="types", lock="state/acme.lock"),
        limits=Limits(100, 12.5, 0, ("Owner", "mx_Custom_36"), 2.5),
    )


def test_sections_may_be_empty_and_values_in_quotes() -> None:
    quoted = BASIC.replace("1", "'1'", 1) + "api: {}\nsafety: {max_updates: '3'}\npaths: {}\n"
    assert settings(quoted).limits.max_updates == 3
    assert settings(BASIC + "safety: {max_updates: null, max_update_percent: ~}\n") == settings(
        BASIC
    )


def test_byte_order_mark_and_crlf() -> None:
    data = b"\xef\xbb\xbf" + BASIC.replace("\n", "\r\n").encode()
    assert read_settings(data, {}) == settings(BASIC)


def test_a_name_is_text_whatever_it_looks_like() -> None:
    assert settings(BASIC.replace("acme", "0123")).account.name == "0123"


# --- hosts


@pytest.mark.parametrize("region", REGIONS)
def test_a_region_sets_both_hosts(region: str) -> None:
    account = settings(BASIC.replace("in21", region)).account
    assert (account.async_host, account.host) == region_hosts(region)
    assert account.async_host.startswith("https://asyncapi")
    assert str(account.host).startswith("https://api")


HOSTS = [
    # in the file, in the environment, the asynchronous host, the synchronous one
    ("region: sg", {}, "https://asyncapi.leadsquared.com", "https://api.leadsquared.com"),
    ("async_host: https://a.example", {}, "https://a.example", None),
    (
        "region: sg\n  async_host: https://a.example/",
        {},
        "https://a.example",
        "https://api.leadsquared.com",
    ),
    ("region: sg\n  host: null", {}, "https://asyncapi.leadsquared.com", None),
    ("region: sg\n  host: ~", {"LSQ_HOST": "http://localhost:9"}, None, "http://localhost:9"),
    ("region: sg", {"LSQ_ASYNC_HOST": "https://e.example"}, "https://e.example", None),
    ("time_zone: UTC", {"LSQ_ASYNC_HOST": "https://e.example/"}, "https://e.example", "no"),
    (
        "async_host: http://not.used",
        {"LSQ_ASYNC_HOST": "http://127.0.0.1:8080"},
        "http://127.0.0.1:8080",
        "no",
    ),
    ("region: sg", {"LSQ_ASYNC_HOST": "", "LSQ_HOST": ""}, None, "https://api.leadsquared.com"),
]


@pytest.mark.parametrize(("lines", "environment", "async_host", "host"), HOSTS)
def test_where_the_hosts_come_from(
    lines: str, environment: dict[str, str], async_host: str | None, host: str | None
) -> None:
    account = settings(f"version: 1\naccount:\n  name: a\n  {lines}\n", **environment).account
    assert async_host in (None, account.async_host)
    if host == "no":
        assert account.host is None
    elif host is not None:
        assert account.host == host


GOOD_HOSTS = [
    "https://api-in21.leadsquared.com",
    "https://api-in21.leadsquared.com/",
    "HTTPS://API.example:8443",
    "https://xn--mnchen-3ya.example",
    "https://[2001:db8::1]:8443",
    "http://localhost",
    "http://LOCALHOST:8080",
    "http://127.0.0.1:1",
    "http://[::1]:8080/",
]

BAD_HOSTS = [
    ("api.example", "is not the URL of a host"),
    ("ftp://api.example", "is not the URL of a host"),
    ("https://", "is not the URL of a host"),
    ("https:///path", "is not the URL of a host"),
    ("javascript:alert(1)", "is not the URL of a host"),
    ("https://api.example:0", "is not the URL of a host"),
    ("https://api.example:", "is not the URL of a host"),
    ("https://api.example:99999", "is not a URL"),
    ("https://api.example:port", "is not a URL"),
    ("https://[::1", "is not a URL"),
    ("https://api.example/v2", "has a path or a query"),
    ("https://api.example//", "has a path or a query"),
    ("https://api.example/?a=b", "has a path or a query"),
    ("https://api.example?", "is not the URL of a host"),
    ("https://api.example#", "is not the URL of a host"),
    ("https://api.example/#", "is not the URL of a host"),
    ("https://user:secret@api.example", "holds a user name or a password"),
    ("https://user@api.example", "holds a user name or a password"),
    ("https://@api.example", "holds a user name or a password"),
    ("https://api.example\\@evil.example", "holds a user name or a password"),
    ("http://api.example", "is plain http: the keys would travel unprotected"),
    ("http://127.0.0.1.example", "is plain http: the keys would travel unprotected"),
    ("http://localhost.example", "is plain http: the keys would travel unprotected"),
    ("http://127.0.0.2", "is plain http: the keys would travel unprotected"),
    ("https://api example", "is not the URL of a host"),
    ("https://api.example ", "is not the URL of a host"),
    (" https://api.example", "is not the URL of a host"),
    ("https://api.example\n", "is not the URL of a host"),
    ("https://api.exa\tmple", "is not the URL of a host"),
    ("https://api.exa\u200bmple", "is not the URL of a host"),
    ("https://münchen.example", "is not the URL of a host"),
    ("https://%61pi.example", "is not the URL of a host"),
    ("https://api.example,evil.example", "is not the URL of a host"),
    ("https://.", "is not the URL of a host"),
]


@pytest.mark.parametrize("host", GOOD_HOSTS)
def test_a_host(host: str) -> None:
    assert host_fault(host) is None


@pytest.mark.parametrize(("host", "fault"), BAD_HOSTS)
def test_what_is_no_host(host: str, fault: str) -> None:
    assert host_fault(host) == fault
    error = refusal(BASIC, LSQ_HOST=host)
    assert error.message == f"LSQ_HOST {fault}"
    assert error.hint.startswith("write it as https://")
    assert "secret" not in f"{error}{error.hint}"


def test_a_wrong_host_in_the_file_is_told_with_its_line_and_not_repeated() -> None:
    text = BASIC + "  async_host: https://user:secret@api.example\n"
    assert faults(text) == ["5:15: account.async_host holds a user name or a password [host]"]
    assert faults(BASIC + "  host: http://api.example\n") == [
        "5:9: account.host is plain http: the keys would travel unprotected [host]"
    ]


def test_everything_has_a_default_but_the_account_and_its_host() -> None:
    assert settings("account: {name: a, region: in21}\n") == settings(
        "version: 1\naccount: {name: a, region: in21}\n"
    )


def test_without_a_host() -> None:
    error = refusal("version: 1\naccount: {name: a}\n")
    assert told(error.diagnostics) == [
        "2:10: the account has no region and no async_host [no-host]"
    ]
    assert "one of in21, in22" in error.diagnostics[0].hint


# --- what is refused, with its place

FAULTS: dict[str, tuple[str, list[str]]] = {
    "empty": ("", ["1:1: the file is empty [empty]"]),
    "a list": ("- a\n", ["1:1: the file must be a mapping, not a list [wrong-type]"]),
    "no account": ("version: 1\n", ["1:1: 'account' is missing in the file [missing-key]"]),
    "no name": (
        "version: 1\naccount: {region: sg}\n",
        ["2:10: 'name' is missing in account [missing-key]"],
    ),
    "nothing at all": (
        "{}\n",
        ["1:1: 'account' is missing in the file [missing-key]"],
    ),
    "unknown key": (BASIC + "apy: {}\n", ["5:1: unknown key 'apy' [unknown-key]"]),
    "the first key is unknown": (
        BASIC.replace("version", "versoin"),
        ["1:1: unknown key 'versoin' [unknown-key]"],
    ),
    "unknown keys, everywhere": (
        BASIC + "  zone: UTC\napi:\n  rate_limit: {call: 1}\nsafety: {max: 1}\npaths: {lok: a}\n",
        [
            "5:3: unknown key 'zone' [unknown-key]",
            "7:16: unknown key 'call' [unknown-key]",
            "8:10: unknown key 'max' [unknown-key]",
            "9:9: unknown key 'lok' [unknown-key]",
        ],
    ),
    "a key twice": (
        BASIC + "  name: b\n",
        ["5:3: 'name' stands here a second time, first at lsq-sync.yaml:3:3 [duplicate-key]"],
    ),
    "another version": (
        BASIC.replace("1", "2", 1),
        ["1:10: this version of lsq-sync reads version: 1 [version]"],
    ),
    "version 1.0": (
        BASIC.replace("1", "1.0", 1),
        ["1:10: this version of lsq-sync reads version: 1 [version]"],
    ),
    "version in other digits": (
        BASIC.replace("1", "１", 1),
        ["1:10: this version of lsq-sync reads version: 1 [version]"],
    ),
    "a region that is none": (
        BASIC.replace("in21", "in23"),
        ["4:11: 'in23' is not an option of region [not-an-option]"],
    ),
    "region null": (
        BASIC.replace("in21", "null"),
        ["4:11: region must be text, not null [wrong-type]"],
    ),
    "async_host null": (
        BASIC + "  async_host: null\n",
        ["5:15: async_host must be text, not null [wrong-type]"],
    ),
    "an empty name": (BASIC.replace("acme", "''"), ["3:9: name is empty [empty]"]),
    "a long name": (
        BASIC.replace("acme", "x" * 201),
        ["3:9: name has 201 characters, the limit is 200 [too-long]"],
    ),
    "wrong types": (
        BASIC + "api:\n  rate_limit: {calls: many, seconds: 1e3}\n  timeout_seconds: [1]\n",
        [
            "6:23: calls must be a whole number, not 'many' [wrong-type]",
            "6:38: seconds must be a number, not '1e3' [wrong-type]",
            "7:20: timeout_seconds must be a number, not a list [wrong-type]",
        ],
    ),
    "digits of other scripts": (
        BASIC + "api: {rate_limit: {calls: ١٢, seconds: ２}}\n",
        [
            "5:27: calls must be a whole number, not '١٢' [wrong-type]",
            "5:40: seconds must be a number, not '２' [wrong-type]",
        ],
    ),
    "wrong types in safety": (
        BASIC + "safety:\n  max_updates: 1.5\n  min_population: null\n  protected_fields: a\n",
        [
            "6:16: max_updates must be a whole number or null, not '1.5' [wrong-type]",
            "7:19: min_population must be a whole number, not null [wrong-type]",
            "8:21: protected_fields must be a list, not 'a' [wrong-type]",
        ],
    ),
    "wrong members": (
        BASIC + "safety: {protected_fields: [a, '', ~, [b]]}\n",
        [
            "5:32: an item of protected_fields is empty [empty]",
            "5:36: an item of protected_fields must be text, not null [wrong-type]",
            "5:39: an item of protected_fields must be text, not a list [wrong-type]",
        ],
    ),
    "out of range": (
        BASIC
        + "api:\n  rate_limit: {calls: 0, seconds: 0}\n  timeout_seconds: -5\n"
        + "  late_window_hours: 8761\nsafety: {max_updates: -1, max_update_percent: 100.5}\n",
        [
            "6:23: calls is 0, it must be at least 1 [out-of-range]",
            "6:35: seconds is 0, it must be more than 0 [out-of-range]",
            "7:20: timeout_seconds is -5, it must be more than 0 [out-of-range]",
            "8:22: late_window_hours is 8761, it must be at most 8760 [out-of-range]",
            "9:23: max_updates is -1, it must be at least 0 [out-of-range]",
            "9:47: max_update_percent is 100.5, it must be at most 100 [out-of-range]",
        ],
    ),
    "a number without end": (
        BASIC + f"safety: {{max_updates: {'9' * 5000}}}\n",
        [
            f"5:23: max_updates must be a whole number or null, not '{'9' * 60}'… [wrong-type]",
        ],
    ),
    "a long number": (
        BASIC + f"api: {{timeout_seconds: {'9' * 400}}}\n",
        ["5:24: timeout_seconds is inf, it must be at most 3600 [out-of-range]"],
    ),
    "paths of the API": (
        BASIC + "api: {status_path: status, metrics_path: '/a b'}\n",
        [
            "5:20: status_path cannot be 'status' [form]",
            "5:42: metrics_path cannot be '/a b' [form]",
        ],
    ),
    "a path with a query": (
        BASIC + "api: {status_path: '/status?x=1', metrics_path: '/a\\n'}\n",
        ["5:20: status_path cannot be '/status?x=1' [form]"],
    ),
    "separators": (
        BASIC + "api: {multi_select_separator: ''}\n",
        ["5:31: multi_select_separator is empty [empty]"],
    ),
    "a long separator": (
        BASIC + "api: {multi_select_separator: ';;;;;;'}\n",
        ["5:31: multi_select_separator has 6 characters, the limit is 5 [too-long]"],
    ),
    "places outside of the repository": (
        BASIC + "paths: {specs: /etc, schemas: '', lock: null}\n",
        [
            "5:16: specs cannot be '/etc' [form]",
            "5:31: schemas is empty [empty]",
            "5:41: lock must be text, not null [wrong-type]",
        ],
    ),
    "a section with nothing in it": (
        BASIC + "safety:\n  # max_updates: 5\n",
        ["5:8: there is no value here [unclear-null]"],
    ),
    "a section that is null": (
        BASIC + "safety: null\n",
        ["5:9: safety must be a mapping, not null [wrong-type]"],
    ),
    "a time zone that is a list": (
        BASIC + "  time_zone: [UTC]\n",
        ["5:14: time_zone must be text, not a list [wrong-type]"],
    ),
    "a tag": (
        BASIC.replace("1", "!!int 1", 1),
        ["1:10: tags are not supported: !!int [tag]"],
    ),
    "a mapping shared by two sections": (
        BASIC + "api: &a {timeout_seconds: 5, max_updates: 5}\nsafety: *a\n",
        [
            "5:10: unknown key 'timeout_seconds' [unknown-key]",
            "5:30: unknown key 'max_updates' [unknown-key]",
        ],
    ),
    "not YAML": (
        BASIC + "api: [\n",
        [
            "6:1: not valid YAML: did not find expected node content "
            "(while parsing a flow node) [yaml]"
        ],
    ),
}


@pytest.mark.parametrize("case", FAULTS)
def test_what_is_wrong_and_where(case: str) -> None:
    text, expected = FAULTS[case]
    assert faults(text) == expected


def test_the_error_counts_its_problems() -> None:
    assert refusal(BASIC + "a: 1\n").message == "lsq-sync.yaml has 1 problem"
    assert refusal(BASIC + "a: 1\nb: 2\n").message == "lsq-sync.yaml has 2 problems"


HINTS = {
    "a section with nothing in it": "give it a value, or delete the line",
    "unknown key": "did you mean 'api'?",
    "another version": "write version: 1",
    "a region that is none": "did you mean 'in22'?",
    "wrong types": "write digits",
    "out of range": "change it, or delete the line: it has a default",
    "paths of the API": "write a path such as /opportunity/update/status",
    "places outside of the repository": "write a path relative to lsq-sync.yaml",
    "no account": "add account:",
}


@pytest.mark.parametrize("case", HINTS)
def test_what_to_do(case: str) -> None:
    assert HINTS[case] in refusal(FAULTS[case][0]).diagnostics[0].hint


@pytest.mark.parametrize(
    "key", ["accessKey", "secret_key", "LSQ_X_API_KEY", "password", "x-api-key"]
)
def test_a_key_of_the_account_does_not_belong_here(key: str) -> None:
    for text in (f"{BASIC}{key}: s3cret\n", f"{BASIC}  {key}: s3cret\n"):
        (problem,) = refusal(text).diagnostics
        assert problem.code == "unknown-key"
        assert "LSQ_SECRET_KEY in the environment" in problem.hint
        assert "s3cret" not in f"{problem.message}{problem.hint}"


# --- time zones


@pytest.mark.parametrize("name", ["UTC", "Asia/Kolkata", "Europe/Berlin", "Etc/GMT+5", "EST"])
def test_a_time_zone(name: str) -> None:
    zone = settings(f"{BASIC}  time_zone: {name}\n").values.time_zone
    assert zone == ZoneInfo(name)


ZONES = [
    # written, part of the hint
    ("Asia/Kolkatta", "did you mean 'Asia/Kolkata'?"),
    ("asia/kolkata", "did you mean 'Asia/Kolkata'?"),
    ("Kolkata", "did you mean 'Asia/Kolkata'?"),
    ("new_york", "did you mean 'America/New_York'?"),
    ("IST", "did you mean 'Asia/Kolkata'?"),
    ("utc", "did you mean 'UTC'?"),
    ("UTC+5", "write an IANA name, such as Asia/Kolkata"),
    ("+05:30", "write an IANA name, such as Asia/Kolkata"),
    ("Asia", "write an IANA name, such as Asia/Kolkata"),
    ("Indian Standard Time", "write an IANA name, such as Asia/Kolkata"),
    ("../etc/passwd", "write an IANA name, such as Asia/Kolkata"),
    ("/etc/localtime", "write an IANA name, such as Asia/Kolkata"),
    ("..", "write an IANA name, such as Asia/Kolkata"),
    ("localtime", "write an IANA name, such as Asia/Kolkata"),
    ("posixrules", "write an IANA name, such as Asia/Kolkata"),
    ("Factory", "write an IANA name, such as Asia/Kolkata"),
    ("zone.tab", "write an IANA name, such as Asia/Kolkata"),
    ("tzdata.zi", "write an IANA name, such as Asia/Kolkata"),
    ("Asia/Kolkata/", "did you mean 'Asia/Kolkata'?"),
    ("a\\b", "write an IANA name, such as Asia/Kolkata"),
    ("x" * 5000, "write an IANA name, such as Asia/Kolkata"),
]


@pytest.mark.parametrize(("name", "hint"), ZONES, ids=[name[:20] for name, _ in ZONES])
def test_what_is_no_time_zone(name: str, hint: str) -> None:
    (problem,) = refusal(f"{BASIC}  time_zone: '{name}'\n").diagnostics
    assert problem.code == "time-zone"
    assert (problem.origin.line, problem.origin.column) == (5, 14)
    assert hint in problem.hint
    assert len(problem.message) < 100


def test_the_defaults_that_the_schema_tells_are_those_of_the_code() -> None:
    """Editors and docs/reference/settings.md show them, the code goes by its own."""
    told = _defaults(schema("settings.schema.json"))
    assert {"version", "api", "paths", "safety"} <= set(told)
    told["account"] |= {"name": "acme", "region": "in21"}
    assert settings(json.dumps(told)) == settings(BASIC)


def _defaults(node: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for name, rules in node["properties"].items():
        if "default" in rules:
            found[name] = rules["default"]
        elif "properties" in rules:
            found[name] = _defaults(rules)
    return found


def test_every_setting_is_described() -> None:
    assert [name for name, rules in _every_key("", schema("settings.schema.json"))
            if not str(rules.get("description", "")).endswith((".", "..."))] == []  # fmt: skip


def _every_key(prefix: str, node: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    found = []
    for name, rules in node.get("properties", {}).items():
        found += [(f"{prefix}{name}", rules), *_every_key(f"{prefix}{name}.", rules)]
    return found
