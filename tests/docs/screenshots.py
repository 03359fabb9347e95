"""The page of a plan as a picture for the docs: the demo's plan, in the machine's own browser.

    python -m tests.docs.screenshots

takes it again into `docs/img/`. No test compares it: letters differ from machine to machine.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.test_page import CHROMIUM, QUIET

FOLDER = Path(__file__).parents[2] / "docs/img"
_SIZE = {"width": 1100, "height": 900}


def take() -> None:
    """Plays the demo in a temporary folder, and takes the picture of its plan."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        demo = [sys.executable, "-m", "lsq_sync", "demo", "--fast", "--dir", f"{folder}/demo"]
        subprocess.run(demo, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = browser.new_page(viewport=_SIZE, color_scheme="light")  # type: ignore[arg-type]
        page.goto(Path(folder, "demo/plan.html").as_uri())
        page.screenshot(path=FOLDER / "plan.png")
        browser.close()


if __name__ == "__main__":
    take()
