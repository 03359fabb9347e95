"""Keys and sensitive values that nobody uses otherwise, and a search for them in every form."""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from urllib.parse import quote, quote_plus

from lsq_sync.simulator.account import Keys

KEYS = Keys(
    access_key="u$rCANARY+1/ac%ce&s's",
    secret_key='CANARY"2#sec=ret%24 <\\odd>',
    x_api_key="CANARY-3-gate~way$+/%25key",
)
VALUE = 'CANARY "4" सुमन & sons + 100% \\ < b'
"""Of a field that its type schema marks `x-lsq-sensitive`."""

_SECRETS = {
    "access key": KEYS.access_key,
    "secret key": KEYS.secret_key,
    "x-api-key": KEYS.x_api_key,
}


def forms(secret: str) -> frozenset[bytes]:
    """The secret as it may stand somewhere: raw, for a URL, base64, hex, in JSON."""
    raw = secret.encode()
    encoded = {secret, quote(secret, safe=""), quote(secret), quote_plus(secret)}
    encoded |= {re.sub("%..", lambda found: found[0].lower(), one) for one in set(encoded)}
    encoded |= {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    encoded |= {json.dumps(one)[1:-1] for one in set(encoded)}
    encoded |= {raw.hex(), raw.hex().upper(), repr(secret)[1:-1]}
    found = {one.encode() for one in encoded}
    for start in range(3):  # wherever it begins within a group of three bytes
        whole = base64.b64encode(b"\0" * start + raw)
        inner = whole[4 if start else 0 : -4]
        found |= {inner, inner.translate(bytes.maketrans(b"+/", b"-_"))}
    return frozenset(found)


@cache
def _pattern(secret: str) -> re.Pattern[bytes]:
    return re.compile(b"|".join(map(re.escape, forms(secret))))


def keys_in(where: str, data: bytes) -> Iterator[str]:
    """The keys that stand there."""
    return (f"{name} in {where}" for name, key in _SECRETS.items() if _pattern(key).search(data))


def value_in(where: str, data: bytes) -> Iterator[str]:
    """The sensitive value, where it stands there."""
    return (f"the sensitive value in {where}" for _ in [0] if _pattern(VALUE).search(data))


def found_in(root: Path, printed: Mapping[str, str], *, typed: bool = True) -> list[str]:
    """Every place that shows what it should not: keys nowhere; the value, where a type schema
    marks it, in nothing that is printed. Specs, lock and journal keep it."""
    found: list[str] = []
    for name, text in printed.items():
        data = text.encode("utf-8", "surrogatepass")
        found += [*keys_in(name, data), *(value_in(name, data) if typed else ())]
    for path in sorted(root.rglob("*")):
        if path.is_file():
            found += keys_in(str(path.relative_to(root)), path.read_bytes())
    return found
