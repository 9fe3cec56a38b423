"""The map at first sight on a cheap phone on a bad line, against an empty page: ``./run bench first_view [ISSUES]``.

The phone is Chromium at 390×844 with its processor slowed down 4 times, 1.6 Mbit/s and 150 ms.
"""

import os
import subprocess
import sys
import time
from collections import Counter
from urllib.request import urlopen

from playwright.sync_api import Page, sync_playwright

from tests.bench._place import fill, place

PORT = 8988
ADDRESS = f"http://127.0.0.1:{PORT}"
DOWN, UP, LATENCY_MS, SLOWER = 1.6e6 / 8, 0.75e6 / 8, 150, 4
WANTED = {"first": (3.5, 700), "second": (3.5, 100)}


def main(count: int) -> None:
    with place() as (settings, url):
        fill(count)
        env = os.environ | {
            "GEOAPP_DATABASE_URL": url,
            "GEOAPP_DATA_DIR": str(settings.data_dir),
            "GEOAPP_PORT": str(PORT),
        }
        server = subprocess.Popen([sys.executable, "-m", "geoapp", "serve"], env=env, stdout=subprocess.DEVNULL)
        try:
            wait()
            # Others have been here before: each worker has made the page once.
            for _ in range(8):
                urlopen(f"{ADDRESS}/?lang=zh").close()  # noqa: S310 - our own server
            print(f"{count:,} issues; 390×844, {SLOWER}× slower, 1.6 Mbit/s, {LATENCY_MS} ms")  # noqa: T201
            with sync_playwright() as player:
                browser = player.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
                context = browser.new_context(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
                empty, _ = visit(context.new_page(), "/livez", ready="body")
                for name in ("first", "second"):
                    took, sizes = visit(context.new_page(), "/?lang=zh")
                    seconds, kilobytes = WANTED[name]
                    total = sum(sizes.values()) / 1000
                    parts = ", ".join(f"{kind} {size / 1000:.0f}" for kind, size in sizes.most_common())
                    print(  # noqa: T201
                        f"{name:6} visit: usable after {took:.1f} s (wanted {seconds}), "
                        f"{took / empty:.1f} × an empty page; "
                        f"{total:.0f} kB (wanted {kilobytes}): {parts}"
                    )
                browser.close()
        finally:
            server.terminate()
            server.wait(20)


def visit(page: Page, path: str, *, ready: str = "html[data-map-ready]") -> tuple[float, Counter[str]]:
    """Seconds until the map is drawn, and bytes over the wire by kind."""
    wire = page.context.new_cdp_session(page)
    wire.send("Network.enable")
    wire.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": LATENCY_MS, "downloadThroughput": DOWN, "uploadThroughput": UP},
    )
    wire.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    kinds: dict[str, str] = {}
    sizes: Counter[str] = Counter()
    wire.on("Network.responseReceived", lambda told: kinds.update({told["requestId"]: told["type"]}))
    wire.on(
        "Network.loadingFinished",
        lambda told: sizes.update({kinds.get(told["requestId"], "Other"): int(told["encodedDataLength"])}),
    )
    began = time.perf_counter()
    page.goto(f"{ADDRESS}{path}", wait_until="commit")
    page.wait_for_selector(ready)
    took = time.perf_counter() - began
    page.wait_for_timeout(1000)
    page.close()
    return took, sizes


def wait() -> None:
    for _ in range(100):
        try:
            with urlopen(f"{ADDRESS}/readyz"):  # noqa: S310 - our own server
                return
        except OSError:
            time.sleep(0.2)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
