"""What goes over the wire: answers of text are made smaller for whoever can read them so."""

import gzip
from functools import lru_cache

from flask import Response, request

from geoapp.web import gate

TEXTS = {
    "text/html", "text/css", "text/javascript", "application/javascript", "application/json", "application/geo+json",
    "application/manifest+json", "application/atom+xml", "image/svg+xml",
}  # fmt: skip
SMALLEST = 1000
LEVEL, KEPT = 6, 200


def squeeze(response: Response) -> Response:
    """Compress an answer; not streams and parts of files, nor what is made for somebody who has signed in.

    For the latter the size of an answer could tell what stands in it to whoever can make a browser ask (BREACH).
    """
    if (
        response.mimetype not in TEXTS
        or response.status_code != 200  # noqa: PLR2004
        or (response.is_streamed and not response.direct_passthrough)
        or "Content-Encoding" in response.headers
    ):
        return response
    response.vary.add("Accept-Encoding")
    if not request.accept_encodings["gzip"] or gate.token():
        return response
    is_file = response.direct_passthrough
    response.direct_passthrough = False
    plain = response.get_data()
    if len(plain) < SMALLEST:
        return response
    response.set_data(_kept(plain) if is_file else gzip.compress(plain, LEVEL, mtime=0))
    response.headers["Content-Encoding"] = "gzip"
    if tag := response.get_etag()[0]:
        # Another form of the same: what it was named for still tells whether it has changed.
        response.set_etag(tag, weak=True)
    return response


@lru_cache(maxsize=KEPT)
def _kept(plain: bytes) -> bytes:
    """Our own files are few and stay the same."""
    return gzip.compress(plain, 9, mtime=0)
