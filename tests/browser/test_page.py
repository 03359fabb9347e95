"""The HTML in a real browser: it is read, searched, filtered and printed, and does no more."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from lsq_sync.core.change import Action
from lsq_sync.core.model import FieldRule
from lsq_sync.render.escape import visible
from lsq_sync.render.html import html
from lsq_sync.render.report import Report
from tests.render import reports, samples
from tests.render.test_markdown import HOSTILE

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
)  # fmt: skip

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no browser: chromium is not installed")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield opened
        opened.close()


class Looked:
    """A page that was opened, and whatever it complained of or reached for."""

    def __init__(self, page: Page, path: Path) -> None:
        self.page = page
        self.wrong: list[str] = []
        page.on("console", lambda message: self.wrong.append(message.text))
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("dialog", lambda dialog: self.wrong.append(dialog.message))
        page.on("request", lambda asked: self.wrong.append(asked.url))
        page.goto(path.as_uri())
        self.wrong.remove(path.as_uri())

    def search(self, text: str) -> str:
        """What it says it found."""
        self.page.fill("#search", text)
        return self.found()

    def found(self) -> str:
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(done))")
        return self.page.inner_text("#found")


@pytest.fixture
def look(browser: Browser, tmp_path: Path) -> Iterator["Opener"]:
    opener = Opener(browser, tmp_path / "page.html")
    yield opener
    for looked in opener.opened:
        assert looked.wrong == []
        looked.page.close()


class Opener:
    """Opens reports."""

    def __init__(self, browser: Browser, path: Path) -> None:
        self._browser = browser
        self._path = path
        self.opened: list[Looked] = []

    def __call__(self, report: Report, width: int = 1280, *, dark: bool = False) -> Looked:
        self._path.write_text(html(report), encoding="utf-8")
        page = self._browser.new_page(
            viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light"
        )
        looked = Looked(page, self._path)
        self.opened.append(looked)
        return looked


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("name", sorted(reports.REPORTS))
def test_it_fits_every_window(look: Opener, name: str, width: int, *, dark: bool) -> None:
    looked = look(reports.REPORTS[name], width, dark=dark)
    assert looked.page.evaluate("document.documentElement.scrollWidth") == width
    rows = len(reports.REPORTS[name].rows)
    assert looked.page.locator("tbody").count() == rows
    assert looked.page.locator(".tools").is_visible() == (rows > 0)


def test_the_part_that_differs_is_marked(look: Opener) -> None:
    looked = look(reports.REPORTS["plan"])
    assert looked.page.locator(".before mark").first.inner_text() == "18"
    assert looked.page.locator(".after mark").first.inner_text() == "20"


def test_ten_thousand_rows_are_searched_filtered_and_shown_bit_by_bit(look: Opener) -> None:
    looked = look(reports.of_size(10_000))
    page = looked.page
    assert looked.found() == "10,000 opportunities"
    assert page.locator("tbody").count() < 400
    assert looked.search("-000000004321 opp") == "1 of 10,000 opportunities"
    assert looked.search("PART-03 mx_custom_2 -0000000015") == "100 of 10,000 opportunities"
    page.select_option("label:has-text('File') select", "specs/part-04.yaml")
    assert looked.found() == "0 of 10,000 opportunities"
    page.click("#reset")
    assert looked.found() == "10,000 opportunities"
    before = page.locator("tbody").count()
    page.locator("#more").scroll_into_view_if_needed()
    page.locator("tbody").nth(before).wait_for(state="attached")


def test_the_chips_filter_by_what_happens(look: Opener) -> None:
    looked = look(reports.REPORTS["plan"])
    chip = looked.page.locator("#chips button", has_text="in conflict")
    chip.click()
    assert looked.found() == "1 of 8 opportunities"
    assert chip.get_attribute("aria-pressed") == "true"
    chip.click()
    assert looked.found() == "8 opportunities"


def test_the_keyboard_is_enough(look: Opener) -> None:
    looked = look(reports.REPORTS["plan"])
    page = looked.page
    page.keyboard.press("/")
    page.keyboard.type("wait acme")
    assert looked.found() == "1 of 8 opportunities"
    page.keyboard.press("Escape")
    assert looked.found() == "8 opportunities"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert looked.found() == "2 of 8 opportunities"


def test_everything_has_a_name_for_a_screen_reader(look: Opener) -> None:
    page = look(reports.REPORTS["plan"]).page
    assert page.get_by_role("searchbox", name="Search").count() == 1
    assert page.get_by_role("combobox", name="Field").count() == 1
    assert page.get_by_role("rowheader").count() == 8
    assert page.get_by_role("heading", level=1).inner_text() == "Plan for acme-production"
    assert page.locator("html").get_attribute("lang") == "en"


def test_print_shows_the_rows_and_no_tools(look: Opener) -> None:
    page = look(reports.of_size(500)).page
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("tbody").count() == 500
    assert not page.locator(".tools").is_visible()


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_value_is_shown_and_does_nothing(look: Opener, text: str) -> None:
    part = samples.field("mx_Custom_5", Action.UPDATE, "", text, rule=FieldRule(title=text))
    change = samples.change(1, Action.UPDATE, part, label=text, reason=text, type=text)
    looked = look(reports.of_changes(change))
    assert looked.page.locator(".after .value").text_content() == visible(text)
    assert looked.page.locator(".label").text_content() == visible(text)
    assert looked.page.locator("main img, main a, main iframe").count() == 0


def test_no_script_but_its_own_may_run(look: Opener) -> None:
    page = look(reports.REPORTS["drift"]).page
    page.evaluate(
        "() => { const one = document.createElement('script'); one.textContent = 'window.ran = 1';"
        " document.body.append(one); }"
    )
    assert page.evaluate("window.ran") is None
    look.opened[-1].wrong.clear()  # the browser tells of the refusal
