"""The map page as its visitors meet it: what is drawn, the list beside it, and what one can do there."""

from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from playwright.sync_api import expect

DESKTOP = {"viewport": {"width": 1440, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
PATIENCE_S = 20
expect.set_options(timeout=PATIENCE_S * 1000)

# Pixels of the canvas of a pane, [r, g, b, a] each; x and y are CSS pixels of the map, at one device pixel each.
PIXELS = """([pane, x, y, width, height]) => {
  const canvas = document.querySelector(`.leaflet-${pane}-pane canvas`);
  const box = canvas.getBoundingClientRect();
  const frame = document.querySelector(".folium-map").getBoundingClientRect();
  const left = Math.round(frame.left + x - box.left), top = Math.round(frame.top + y - box.top);
  const copy = new OffscreenCanvas(width, height).getContext("2d");
  copy.drawImage(canvas, left, top, width, height, 0, 0, width, height);
  const { data } = copy.getImageData(0, 0, width, height);
  return Array.from({ length: width * height }, (_, i) => [...data.subarray(4 * i, 4 * i + 4)]);
}"""
COLOURS = f"(where) => new Set(({PIXELS})(where).map(String)).size"
# A single issue that a finger can hit: nothing lies over it, no other is near.
FREE_ISSUE = """() => {
  const frame = document.querySelector(".folium-map");
  const { left, top } = frame.getBoundingClientRect();
  const all = GeoApp.visible();
  const alone = (one) => all.every((o) => o === one || Math.hypot(o.x - one.x, o.y - one.y) > 60);
  const bare = ([dx, dy], one) => {
    const hit = document.elementFromPoint(left + one.x + dx, top + one.y + dy);
    return frame.contains(hit) && !hit.closest(".leaflet-control");
  };
  const uncovered = (one) => [[0, 0], [30, 0], [-30, 0], [0, 30], [0, -30]].every((step) => bare(step, one));
  return all.find((one) => one.kind === "issue" && alone(one) && uncovered(one)) ?? null;
}"""


class MapPage:
    def __init__(self, page: Any, address: str, *, touch: bool = False) -> None:
        self.page, self.address, self.touch = page, address, touch

    def open(self, query: str = "") -> "MapPage":
        self.page.goto(f"{self.address}/?{query}")
        self.until(lambda: self.loads() > 0)
        self.settle()
        return self

    # --- waiting: the policy of our pages forbids waiting for a script given as text ---

    def eventually(self, read: Any, expected: Any) -> None:
        for _ in range(PATIENCE_S * 40):
            found = read()
            if found == expected:
                return
            self.page.wait_for_timeout(25)
        assert found == expected

    def until(self, holds: Any) -> None:
        self.eventually(lambda: bool(holds()), expected=True)

    def loads(self) -> int:
        return self.page.evaluate("window.GeoApp?.loads ?? 0")

    def settle(self) -> None:
        """Waits until neither map nor list nor address changes any more."""
        before = None
        while before != (before := self.moment()) or self.busy():
            self.page.wait_for_timeout(160)

    def moment(self) -> tuple[Any, ...]:
        places = self.page.evaluate("(window.GeoApp?.visible() ?? []).slice(0, 3).map(({ x, y }) => [x, y])")
        return self.loads(), self.page.url, places

    def busy(self) -> bool:
        """The list is not there yet; behind an open issue or a closed drawer too."""
        return self.page.locator("#issue-list[aria-busy]").count() > 0

    @contextmanager
    def redrawn(self) -> Any:
        before = self.loads()
        yield
        self.until(lambda: self.loads() > before)
        self.settle()

    # --- what is seen ---

    def visible(self) -> list[dict[str, Any]]:
        return self.page.evaluate("GeoApp.visible()")

    def drawn(self) -> int:
        return sum(item["n"] for item in self.visible())

    def shows(self, before: list[dict[str, Any]]) -> bool:
        """The same issues in the same place; five decimals of an address may round to the next pixel."""
        now = self.visible()
        places = [(one.pop("x"), one.pop("y")) for one in now], [(one["x"], one["y"]) for one in before]
        near = all(abs(a - c) <= 1.01 and abs(b - d) <= 1.01 for (a, b), (c, d) in zip(*places, strict=False))
        return near and now == [{key: one[key] for key in one if key not in {"x", "y"}} for one in before]

    def counts(self) -> tuple[int, int]:
        """What the list says: in view, and in all."""
        texts = [self.page.locator(f"#count-{name}").text_content() for name in ("view", "all")]
        view, every = (int(text.replace(",", "")) if text != "…" else -1 for text in texts)
        return view, every

    def place(self, item: dict[str, Any]) -> tuple[float, float]:
        """Where something on the map lies on the page."""
        box = self.page.locator(".folium-map").bounding_box()
        return box["x"] + item["x"], box["y"] + item["y"]

    def pixels(self, pane: str, x: float, y: float, width: int, height: int) -> list[list[int]]:
        return self.page.evaluate(PIXELS, [pane, x, y, width, height])

    def ink(self, pane: str) -> int:
        """How many different colours the middle of a pane shows; 1 when it is blank."""
        size = self.page.viewport_size
        box = self.page.locator(".folium-map").bounding_box()
        x, y = min(box["width"], size["width"]) / 2 - 100, box["height"] / 2 - 100
        return self.page.evaluate(COLOURS, [pane, x, y, 200, 200])

    def parameters(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.page.url).query))

    # --- what is done ---

    def press(self, item: dict[str, Any]) -> None:
        x, y = self.place(item)
        if self.touch:
            self.page.touchscreen.tap(x, y)
        else:
            self.page.mouse.click(x, y)

    def free_issue(self) -> dict[str, Any]:
        """A single issue that can be pressed; goes into circles until there is one."""
        for _ in range(6):
            found = self.page.evaluate(FREE_ISSUE)
            if found:
                return found
            middle = self.page.viewport_size["width"] * 0.62
            group = min(
                (one for one in self.visible() if one["kind"] == "group"),
                key=lambda one: abs(self.place(one)[0] - middle) + abs(one["y"] - 300),
            )
            with self.redrawn():
                self.press(group)
        raise AssertionError("no issue comes apart")
