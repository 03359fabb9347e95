"""Secrets are taken out of text in whatever form they stand there, and nothing else is."""

import base64
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsq_sync.core import hiding
from lsq_sync.core.hiding import hidden_in, surely_without


@pytest.fixture(autouse=True)
def _no_memory() -> None:
    """Else a pattern of an earlier test would be used, and a mutant of its making never run."""
    hiding._any_of.cache_clear()
    hiding._levelled_forms.cache_clear()


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


# --- the quick look at a whole answer

_KEYS = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=8, max_size=40
).filter(lambda key: key == key.strip())
_ENCODINGS: dict[str, Callable[[str], str]] = {
    **FORMS,
    "base64": lambda one: base64.b64encode(one.encode()).decode(),
    "URL-safe base64": lambda one: base64.urlsafe_b64encode(one.encode()).decode(),
    "capitals": str.upper,
}
_WRITERS: dict[str, Callable[[object], str]] = {
    "ASCII": json.dumps,
    "as it is": lambda one: json.dumps(one, ensure_ascii=False),
    "slashes escaped": lambda one: json.dumps(one).replace("/", "\\/"),
    "JSON in JSON": lambda one: json.dumps({"Value": json.dumps(one)}),
}


@given(
    key=_KEYS,
    encode=st.sampled_from(list(_ENCODINGS.values())),
    write=st.sampled_from(list(_WRITERS.values())),
    around=st.tuples(st.text(max_size=5), st.text(max_size=5)),
)
def test_the_quick_look_overlooks_nothing(
    key: str,
    encode: Callable[[str], str],
    write: Callable[[object], str],
    around: tuple[str, str],
) -> None:
    text = f"{around[0]}{encode(key)}{around[1]}"
    written = write([text])
    value = json.loads(written)
    found = value[0] if isinstance(value, list) else value["Value"]
    if hidden_in(found, [key], "(x)") != found:
        assert not surely_without(written, [key])


def test_the_quick_look_is_enough_for_an_ordinary_answer() -> None:
    rows = [
        {"mx_Custom_1": "प्रिया Rao, 50% off", "Url": "https:\\/\\/a.example\\/x?y=z&b", "n": 1.5}
    ]
    assert surely_without(json.dumps(rows, ensure_ascii=False), ["u$r-1a+2/b=3", "f00d" * 8])
    assert surely_without("anything", [])


@pytest.mark.parametrize("text", [r'"\\u0041"', '"%41"', '"\0"'])
def test_where_letters_are_escaped_the_quick_look_is_in_doubt(text: str) -> None:
    assert not surely_without(text, ["some-key"])


@pytest.mark.parametrize("key", ["two words", "schlüssel", "a\nb-and-c"])
def test_of_an_unusual_secret_it_is_in_doubt_too(key: str) -> None:
    assert not surely_without("{}", [key])
