"""Review documents in HTML: one file that reaches for nothing and that no value can change."""

import json
import re
from base64 import b64encode
from hashlib import sha256

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lsq_sync.core.change import Action
from lsq_sync.core.model import FieldRule
from lsq_sync.errors import Origin
from lsq_sync.render.escape import visible
from lsq_sync.render.html import html
from tests.render import reports, samples
from tests.render.test_markdown import HOSTILE
from tests.support import golden


def _data(page: str) -> dict[str, list[dict[str, object]]]:
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page)
    content: dict[str, list[dict[str, object]]] = json.loads(text)
    return content


@pytest.mark.parametrize("name", sorted(reports.REPORTS))
def test_what_the_page_holds(name: str) -> None:
    """The head as it is, and the data; style and script are files of their own."""
    page = html(reports.REPORTS[name])
    body = re.search(r"<header>.*?(?=<section aria-labelledby)", page, re.DOTALL)
    assert body
    data = json.dumps(_data(page), indent=1, ensure_ascii=True)
    golden.check(f"{name}.page.txt", f"{body[0]}\n{data}\n")


@pytest.mark.parametrize("name", sorted(reports.REPORTS))
def test_the_page_reaches_for_nothing_and_runs_only_its_own_script(name: str) -> None:
    page = html(reports.REPORTS[name])
    assert not re.search(r"https?://|//[a-z]+\.|url\(|@import|<link|<img|<iframe|\bsrc=", page)
    assert re.findall(r'href="([^"]*)"', page) == ["#rows"]
    script = page.rpartition("<script>")[2].partition("</script>")[0]
    allowed = b64encode(sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{allowed}'" in page
    assert "default-src 'none'" in page
    assert len(re.findall(r"<script", page)) == 2


def test_of_a_plan_that_is_too_large_the_first_rows_are_there() -> None:
    page = html(reports.of_size(30), most_rows=20)
    assert len(_data(page)["rows"]) == 20
    assert (
        "The first 20 are here, 10 more are not; to list all: lsq-sync plan --format json<" in page
    )
    assert '<b class="tone-changed">30</b>' in page
    assert "are here" not in html(reports.of_size(20), most_rows=20)


@given(st.text(max_size=60) | st.sampled_from(HOSTILE))
@example("</script><script>alert(1)</script>")
@example("{{data}}{{script}}")
def test_no_value_is_more_than_text(text: str) -> None:
    part = samples.field("mx_Custom_5", Action.UPDATE, text, None, rule=FieldRule(title=text))
    change = samples.change(1, Action.UPDATE, part, label=text, origin=Origin(text, 3))
    page = html(reports.of_changes(change))
    assert page.count("<script") == 2
    (row,) = _data(page)["rows"]
    assert row["label"] == visible(text)
    seen = reports.Seen(page.partition('<section aria-labelledby="rows-title">')[0])
    assert not {"img", "b2", "iframe", "object", "svg"} & {*seen.elements}
    assert seen.elements.count("script") == 0


def test_sensitive_values_stay_masked() -> None:
    assert "+91" not in html(reports.REPORTS["plan"])
