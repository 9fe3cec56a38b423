"""Takes the pictures that README shows: ``python -m tests.screens [ADDRESS]``.

Without the address of a running app, the demonstration place is filled into a private server of its own.
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from geoapp import config, pgserver
from geoapp.app import create_app
from geoapp.store import schema, session
from tests.conftest import CHROMIUM, fill_demo, serving
from tests.web.mappage import PHONE, MapPage

FOLDER = Path(__file__).parents[1] / "static" / "img" / "screens"
DESK = {"viewport": {"width": 1280, "height": 800}}
CONTESTED = "category=road&layers=issues,district,streets,communities,contested-land,orphan-land"
LARGEST = 350 * 1024


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    given = sys.argv[1].rstrip("/") if len(sys.argv) > 1 else None
    with nullcontext(given) if given else demonstration() as address, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        take_all(browser, address)
        browser.close()


@contextmanager
def demonstration() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="geoapp-screens-") as home:
        Path(home).chmod(0o755)
        settings = config.read({"GEOAPP_DATA_DIR": home})
        url = pgserver.start(settings, fast=True)
        try:
            schema.migrate(session.connect(url))
            session.disconnect()
            fill_demo(url, Path(home))
            with serving(create_app(replace(settings, database_url=url))) as address:
                yield address
            session.disconnect()
        finally:
            pgserver.stop(settings)


def take_all(browser: Browser, address: str) -> None:
    def visit(device: dict[str, Any]) -> MapPage:
        return MapPage(browser.new_context(**device).new_page(), address)

    for lang in ("zh", "en"):
        save(visit(DESK).open(f"lang={lang}"), f"map-{lang}")

    seen = visit(DESK).open(f"lang=zh&at=14/29.02300/106.64600&{CONTESTED}")
    seen.page.click("#ask-whose")
    seen.press({"x": 300, "y": 180})
    seen.page.wait_for_selector("#view-issue .verdict-box")
    save(seen, "whose-zh")

    save(visit(PHONE).open("lang=zh&at=15/29.00500/106.64400&issue=QJ-2026-000002"), "phone-zh")

    seen = visit(DESK)
    seen.page.goto(f"{address}/issues/QJ-2026-000002?lang=en")
    seen.page.wait_for_selector("html[data-map-ready]")
    save(seen, "issue-en")


def save(seen: MapPage, name: str) -> None:
    # Circles fade in and drawers slide.
    seen.page.wait_for_timeout(700)
    file = FOLDER / f"{name}.png"
    seen.page.screenshot(path=file)
    size = file.stat().st_size
    print(f"{file.relative_to(FOLDER.parents[2])}  {size // 1024} KiB")  # noqa: T201 - a command tells what it made
    if size > LARGEST:
        sys.exit(f"{file.name} is larger than {LARGEST // 1024} KiB")


if __name__ == "__main__":
    main()
