"""The map page: its size, its first picture against an empty Leaflet map, and what a worker weighs.

``./run bench page [--rows N]`` asks with a few and with all issues, in Chromium as it comes, in turns; the empty map is
the same page without the layer of issues. Nothing here depends on how many there are, and that is the point.
"""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack

from playwright.sync_api import Browser, sync_playwright

from geoapp.config import Settings
from tests.bench import _peers
from tests.bench._place import fill, place
from tests.bench._report import Goal, Options, Series, median_ratio, options, tell

VISITS = 5
START = """
import os, time
began = time.process_time()
from geoapp import config
from geoapp.app import create_app
create_app(config.read({"GEOAPP_DATABASE_URL": "postgresql://nobody@/none", "GEOAPP_DATA_DIR": os.environ["HERE"]}))
print(time.process_time() - began)
"""


def main(argv: Sequence[str]) -> None:
    asked = options(argv, rows=1_000_000)
    with place() as (settings, url):
        measure(asked, settings, url)


def measure(asked: Options, settings: Settings, url: str) -> dict[str, Series]:
    """In a database that has categories and no issues."""
    with ExitStack() as running:
        fill(min(1000, asked.rows))
        client, port = running.enter_context(_peers.ours(settings, url))
        browser = running.enter_context(sync_playwright()).chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        running.callback(browser.close)
        series = {way: Series() for way in ("empty map", "few issues", "all issues")}
        address = f"http://127.0.0.1:{port}"
        visit(browser, f"{address}/?layers=communities")
        for _ in range(VISITS):
            series["empty map"].seconds.append(visit(browser, f"{address}/?layers=communities"))
            series["few issues"].seconds.append(visit(browser, f"{address}/"))
        if asked.rows > 1000:
            fill(asked.rows - 1000, begin=1000)
        for _ in range(VISITS):
            series["all issues"].seconds.append(visit(browser, f"{address}/"))
        _, told, body = client.get("/", {"Accept-Encoding": "br, gzip"})
        for nth in range(30):
            client.get(f"/tiles/issues/{8 + nth % 9}/203/106.mvt")
        weight = max(_peers.weights(port))
        started = float(
            subprocess.run(
                [sys.executable, "-c", START], capture_output=True, text=True, check=True,
                env=os.environ | {"HERE": str(settings.data_dir)},
            ).stdout
        )  # fmt: skip
        goals = [
            Goal("6: shell compressed, kB", 60, len(body) / 1000, at_most=True),
            Goal("6: first picture against an empty map", 1.5, median_ratio(series["all issues"], series["empty map"]),
                 at_most=True),
            Goal("6: all issues against few", 1.2, median_ratio(series["all issues"], series["few issues"]),
                 at_most=True),
            Goal("9: memory of a web worker, MB", 150, weight, at_most=True),
            Goal("9: start, seconds of processor", 2, started, at_most=True),
        ]  # fmt: skip
        tell("page", asked, series, goals, encoding=told.get("Content-Encoding", "none"))
        return series


def visit(browser: Browser, address: str) -> float:
    """Seconds until everything in view is drawn, with nothing kept from before."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    began = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.wait_for_selector("html[data-map-ready]")
    took = time.perf_counter() - began
    context.close()
    return took


if __name__ == "__main__":
    main(sys.argv[1:])
