"""Secrets are taken out of text in whatever form they stand there, and nothing else is."""

import base64
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsq_sync.core import hiding
from lsq_sync.core.hiding import hidden_in


@pytest.fixture(autouse=True)
def _no_memory() -> None:
    """Else a pattern of an earlier test would be used, and a mutant of its making never run."""
    hiding._any_of.cache_clear()


FORMS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "URL": lambda one: quote(one, safe=""),
    "URL in lower case": lambda one: "".join(
        f"%{byte:02x}" if chr(byte) not in "abc" else chr(byte) for byte in one.encode()
    ),
    "URL twice": lambda one: quote(quote(one, safe=""), safe=""),
    "form": quote_plus,
    "JSON": lambda one: json.dumps(one)[1:-1],
    "JSON as it is": lambda one: json.dumps(one, ensure_ascii=False)[1:-1],
    "JSON in JSON": lambda one: json.dumps(json.dumps(one))[3:-3],
    "Python": lambda one: repr(one)[1:-1],
    "hex": lambda one: one.encode().hex(),
    "HEX": lambda one: one.encode().hex().upper(),
}
ODD = "u$r 1a+2/b%3\"4'5\\6&7=8?9#€ü सु 😀"


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("secret", [ODD, "51a1a70700000000000000000000f00d", "a\nb\tc-long"])
def test_a_secret_in_a_form(form: Callable[[str], str], secret: str) -> None:
    assert hidden_in(f"before {form(secret)} after", [secret], "(x)") == "before (x) after"


@pytest.mark.parametrize("start", range(4))
@pytest.mark.parametrize("end", range(4))
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_secret_in_base64_wherever_it_begins(
    start: int, end: int, encode: Callable[[bytes], bytes]
) -> None:
    text = encode(b"?" * start + ODD.encode() + b"!" * end).decode()
    shown = hidden_in(text, [ODD], "(x)")
    assert "(x)" in shown
    assert len(shown) <= start + end + 8, "no more than its ends is left"


def test_of_two_secrets_the_longer_goes_first() -> None:
    assert hidden_in("secret-one secret", ["secret", "secret-one"], "(x)") == "(x) (x)"


def test_a_short_one_is_hidden_only_as_a_word() -> None:
    assert hidden_in("no, 42 is not 420 and a no is no note", ["no", "42"], "(x)") == (
        "(x), (x) is not 420 and a (x) is (x) note"
    )


def test_without_secrets_nothing_changes() -> None:
    assert hidden_in("text", [], "(x)") == "text"
    assert hidden_in("text", [""], "(x)") == "text"


@given(st.text(min_size=4, max_size=30), st.text(max_size=10), st.text(max_size=10))
def test_whatever_the_secret_is(secret: str, before: str, after: str) -> None:
    shown = hidden_in(f"{before}{secret}{after}", [secret], "\0")
    assert secret not in shown or secret in f"{before}\0{after}"
