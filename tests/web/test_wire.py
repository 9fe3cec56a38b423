import gzip

import pytest

from tests.builders import a_category, a_place, an_issue, square, store
from tests.web.test_routes import browsers, place

__all__ = ["place"]


@pytest.mark.parametrize(
    "path", ["/", "/issues", "/static/css/base.css", "/static/js/report.js", "/api/openapi.json", "/sw.js"]
)
def test_texts_are_sent_smaller_to_whoever_can_read_them_so(client, path):
    with client.get(path) as plain, client.get(path, headers={"Accept-Encoding": "gzip"}) as small:
        long, short = plain.data, small.data

    assert "Content-Encoding" not in plain.headers
    assert small.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in small.headers["Vary"]
    assert int(small.headers["Content-Length"]) == len(short) < len(long) / 2
    assert len(gzip.decompress(short)) == pytest.approx(len(long), abs=200)


def test_a_tile_in_either_form_is_not_sent_again_while_it_is_the_same(client):
    a_category()
    a_place("C1", square(106.64, 29.02))
    store(*(an_issue(str(nth)) for nth in range(80)))
    path = "/tiles/issues/14/13045/6812.mvt"
    plain = client.get(path)
    small = client.get(path, headers={"Accept-Encoding": "gzip"})
    again = client.get(path, headers={"Accept-Encoding": "gzip", "If-None-Match": small.headers["ETag"]})

    assert gzip.decompress(small.data) == plain.data
    assert again.status_code == 304
    assert client.get(path, headers={"If-None-Match": plain.headers["ETag"]}).status_code == 304


def test_what_is_made_for_somebody_streams_and_pictures_are_left_as_they_are(place):
    client = browsers(place)["community"]
    asked = {"Accept-Encoding": "gzip"}

    assert "Content-Encoding" not in client.get("/desk", headers=asked).headers
    assert "Content-Encoding" not in place.test_client().get("/issues.csv", headers=asked).headers
    assert "Content-Encoding" not in place.test_client().get("/livez", headers=asked).headers
