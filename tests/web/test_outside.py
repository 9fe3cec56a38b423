"""The map outside of our own pages: embedded, on paper, and in a preview."""

import threading
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import expect

from geoapp.app import create_app
from geoapp.config import read
from geoapp.domain.values import IssueState, Name, Point, Privacy
from geoapp.errors import BadSetting
from tests.builders import a_category, a_place, an_issue, square, store
from tests.conftest import serving
from tests.web.mappage import DESKTOP

ENDED = datetime(2026, 10, 20, 4, 0, tzinfo=UTC)


@pytest.fixture
def place(app):
    a_category()
    a_place("C1", square(106.64, 29.02), name=Name("农场社区", "Nongchang Community"))
    a_place("C2", square(106.66, 29.02))
    store(
        an_issue("open", title="Broken kerb", state=IssueState.HANDLING),
        an_issue("closed", title="Lamp mended", state=IssueState.CLOSED, ended_at=ENDED, updated_at=ENDED),
        an_issue("private", title="Secret", privacy=Privacy.PRIVATE),
        an_issue("hidden", title="Not released", text_released=False),
        an_issue("elsewhere", title="Elsewhere", point=Point(106.67, 29.03)),
    )
    return app


def test_a_poster_tells_what_is_open_and_what_was_solved_in_its_month_and_nothing_hidden(place):
    client = place.test_client()
    october = client.get("/communities/C1/poster?month=2026-10&lang=en").get_data(as_text=True)
    november = client.get("/communities/C1/poster?month=2026-11&lang=zh").get_data(as_text=True)

    assert "Nongchang Community" in october
    assert "Broken kerb" in october
    assert "Lamp mended" in october
    assert october.count('class="pin pin-') == 3
    assert "data:image/svg+xml" in october
    assert "/?community=C1&amp;lang=en" in october
    assert not any(word in october for word in ("Secret", "Not released", "Elsewhere"))
    assert "农场社区" in november
    assert "Lamp mended" not in november


@pytest.mark.parametrize("month", ["2026-13", "October", "2026-1", "'"])
def test_a_month_that_is_none_is_refused(place, month):
    answer = place.test_client().get(f"/communities/C1/poster?month={month}", headers={"Accept": "application/json"})

    assert (answer.status_code, answer.get_json()["error"]["field"]) == (400, "month")


def test_a_community_that_is_not_there_has_no_poster(place):
    assert place.test_client().get("/communities/C9/poster").status_code == 404


def test_a_preview_is_a_picture_of_a_public_issue_and_there_is_none_of_a_private_one(place):
    client = place.test_client()
    numbers = {
        row["properties"]["title"]: row["properties"]["number"]
        for row in client.get("/api/issues").get_json()["features"]
    }
    answer = client.get(f"/issues/{numbers['Broken kerb']}/preview.png")
    again = client.get(
        f"/issues/{numbers['Broken kerb']}/preview.png", headers={"If-None-Match": answer.headers["ETag"]}
    )

    assert answer.mimetype == "image/png"
    assert answer.data.startswith(b"\x89PNG")
    assert again.status_code == 304
    for nth in range(1, 6):
        number = f"QJ-2026-{nth:06}"
        expected = 200 if number in numbers.values() else 404
        assert client.get(f"/issues/{number}/preview.png").status_code == expected


def test_a_link_to_an_issue_carries_its_title_and_its_picture_and_nothing_that_runs(place):
    store(an_issue("nasty", title='"><script>alert(1)</script>'))
    client = place.test_client()
    (number,) = (
        row["properties"]["number"] for row in client.get("/api/issues").get_json()["features"]
        if "script" in row["properties"]["title"]
    )  # fmt: skip
    page = client.get(f"/issues/{number}").get_data(as_text=True)

    assert f'property="og:image" content="http://localhost/issues/{number}/preview.png"' in page
    assert "&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert '"><script>alert(1)' not in page


class _Site(BaseHTTPRequestHandler):
    def do_GET(self):
        body = (
            f'<!doctype html><title>x</title><iframe src="{self.server.shown}" width=600 height=400></iframe>'.encode()
        )
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def site():
    """Another site: it listens on localhost, which is another origin than 127.0.0.1."""
    server = ThreadingHTTPServer(("localhost", 0), _Site)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.browser
@pytest.mark.parametrize("allowed", [True, False])
def test_only_a_site_that_the_settings_name_shows_the_map_in_a_frame(place, settings, site, new_context, allowed):  # noqa: ARG001
    address = f"http://localhost:{site.server_address[1]}"
    app = create_app(replace(settings, embed_ancestors=address if allowed else "https://example.org"))
    with serving(app) as ours:
        site.shown = f"{ours}/embed?community=C1&lang=en"
        page = new_context(**DESKTOP).new_page()
        page.goto(address)  # loaded when its frame is
        expect(page.frame_locator("iframe").locator("#whole-map")).to_have_count(int(allowed))
        assert page.frames[-1].url.startswith(ours) == allowed
        page.close()


def test_every_other_page_is_shown_in_no_frame(place, settings):  # noqa: ARG001
    client = create_app(replace(settings, embed_ancestors="*")).test_client()

    assert "frame-ancestors 'self' *" in client.get("/embed").headers["Content-Security-Policy"]
    for path in ("/", "/issues", "/report", "/sign-in", "/place"):
        assert "frame-ancestors 'none'" in client.get(path).headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "sites", ["example.org", "https://example.org/path", "javascript:alert(1)", "https://a.b; script-src *"]
)
def test_a_site_that_is_none_is_refused_by_the_setting_s_name(sites):
    with pytest.raises(BadSetting, match="EMBED_ANCESTORS"):
        read({"GEOAPP_EMBED_ANCESTORS": sites})
