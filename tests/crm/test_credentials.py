"""Keys come from the environment or from files it names, and are never shown."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsq_sync.crm.credentials import (
    ACCESS_KEY,
    FOR_QUESTIONS,
    FOR_READS,
    FOR_UPDATES,
    SECRET_KEY,
    X_API_KEY,
    Credentials,
    read_credentials,
)
from lsq_sync.errors import CredentialsError

ACCESS, SECRET, GATEWAY = "u$rCANARY-ACCESS", "CANARY-SECRET", "CANARY-GATEWAY"
ALL = {ACCESS_KEY: ACCESS, SECRET_KEY: SECRET, X_API_KEY: GATEWAY}


def refusal(environment: dict[str, str], needed: tuple[str, ...] = FOR_UPDATES) -> CredentialsError:
    with pytest.raises(CredentialsError) as caught:
        read_credentials(environment, needed)
    told = f"{caught.value!r} {caught.value} {caught.value.hint}"
    assert "CANARY" not in told
    assert caught.value.__cause__ is None
    return caught.value


def test_from_the_environment() -> None:
    assert read_credentials(ALL, FOR_UPDATES) == Credentials(ACCESS, SECRET, GATEWAY)


def test_a_question_needs_the_gateway_key_alone() -> None:
    assert read_credentials({X_API_KEY: GATEWAY}, FOR_QUESTIONS) == Credentials(x_api_key=GATEWAY)
    without = {name: key for name, key in ALL.items() if name != X_API_KEY}
    assert read_credentials(without, FOR_READS) == Credentials(ACCESS, SECRET, "")
    assert read_credentials(ALL, FOR_QUESTIONS) == Credentials(x_api_key=GATEWAY)


@pytest.mark.parametrize("content", [SECRET, f"{SECRET}\n", f"{SECRET}\r\n"])
def test_from_a_file_less_one_line_end(tmp_path: Path, content: str) -> None:
    path = tmp_path / "key"
    path.write_bytes(content.encode())
    environment = {**ALL, f"{SECRET_KEY}_FILE": str(path)}
    del environment[SECRET_KEY]
    assert read_credentials(environment, FOR_UPDATES).secret_key == SECRET


def test_an_empty_variable_is_none() -> None:
    """A CI system sets a secret that it does not have to nothing."""
    assert refusal({**ALL, SECRET_KEY: ""}).message == "LSQ_SECRET_KEY is not set"
    assert read_credentials({**ALL, f"{SECRET_KEY}_FILE": ""}, FOR_UPDATES).secret_key == SECRET


def test_everything_that_is_missing_is_named_at_once() -> None:
    assert refusal({}).message == ("LSQ_ACCESS_KEY, LSQ_SECRET_KEY and LSQ_X_API_KEY are not set")
    assert refusal({ACCESS_KEY: ACCESS}).message == "LSQ_SECRET_KEY and LSQ_X_API_KEY are not set"
    assert "_FILE" in refusal({}).hint


def test_an_empty_file_is_a_missing_key(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("\n")
    environment = {X_API_KEY: GATEWAY, ACCESS_KEY: ACCESS, f"{SECRET_KEY}_FILE": str(path)}
    assert refusal(environment).message == "LSQ_SECRET_KEY is not set"


def test_both_set_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(SECRET)
    error = refusal({**ALL, f"{SECRET_KEY}_FILE": str(path)})
    assert error.message == "LSQ_SECRET_KEY and LSQ_SECRET_KEY_FILE are both set"


@pytest.mark.parametrize(
    ("name", "why"), [("nothing-here", "No such file or directory"), (".", "Is a directory")]
)
def test_a_file_that_cannot_be_read_is_named_by_its_variable(
    tmp_path: Path, name: str, why: str
) -> None:
    error = refusal({**ALL, X_API_KEY: "", f"{X_API_KEY}_FILE": str(tmp_path / name)})
    assert error.message.startswith("LSQ_X_API_KEY_FILE: ")
    assert why in error.message


def test_a_key_in_place_of_a_path_is_not_shown() -> None:
    """The likeliest mistake with these variables; the message ends up in a CI log."""
    refusal({**ALL, X_API_KEY: "", f"{X_API_KEY}_FILE": GATEWAY})
    refusal({**ALL, X_API_KEY: "", f"{X_API_KEY}_FILE": GATEWAY * 100})


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"CANARY\xff\xfe")
    error = refusal({**ALL, X_API_KEY: "", f"{X_API_KEY}_FILE": str(path)})
    assert "it is not text" in error.message


@pytest.mark.parametrize(
    "value",
    [
        "CANARY\n",
        "CANARY\r",
        "CANARY\r\nX-Injected: 1",
        " CANARY",
        "CANARY\t",
        "CANARY\x00",
        "CANARY\x1b[31m",
        "\u201cCANARY\u201d",
        "CANARY\u00a0",
        "\ufeffCANARY",
        "CAN\u2028ARY",
        "CANARY\x7f",
        "कCANARY",
    ],
)
@pytest.mark.parametrize("name", FOR_UPDATES)
def test_what_no_key_holds_is_refused(name: str, value: str) -> None:
    assert name in refusal({**ALL, name: value}).message


@pytest.mark.parametrize("content", [b"CANARY\n\n", b"\xef\xbb\xbfCANARY\n", b"CANARY\nCANARY\n"])
def test_what_no_key_holds_is_refused_in_a_file_too(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    refusal({**ALL, X_API_KEY: "", f"{X_API_KEY}_FILE": str(path)})


@pytest.mark.parametrize(
    "value", ["u$r0a", "a+b/c==", "a&b=c?d#e", "%24%2B", "a b", '"', "\\", "~"]
)
def test_odd_but_possible_keys_are_taken_as_they_are(value: str) -> None:
    assert read_credentials({**ALL, ACCESS_KEY: value}, FOR_UPDATES).access_key == value


@settings(deadline=None)
@given(st.text(min_size=1))
def test_what_is_taken_can_be_sent_in_a_header(value: str) -> None:
    try:
        taken = read_credentials({X_API_KEY: value}, FOR_QUESTIONS)
    except CredentialsError:
        return
    assert taken.x_api_key == value
    assert value.isascii()
    assert value.isprintable()


def test_no_representation_shows_a_key() -> None:
    keys = read_credentials(ALL, FOR_UPDATES)
    for text in (repr(keys), str(keys), f"{keys}", repr([keys])):
        assert "CANARY" not in text
