"""The locked-down child that sets pages as PDF; ``prints`` is its parent.

Run as ``python -m geoapp.services.press``: a job as JSON on standard input, the PDF on standard output. WeasyPrint
opens whatever a page names; so this process has no network, little memory and time, and a fetcher that knows nothing
but the files of the job. Being a process, it also takes WeasyPrint's memory with it when it ends.
"""

import json
import sys
from typing import Any

from geoapp import sandbox

SCHEME = "geoapp:"
"""What our own files are called within a page: ``geoapp:css/sheet.css``."""
MEMORY_BYTES = 2 << 30
OUTPUT_BYTES = 64 << 20
CPU_SECONDS = 90
MIME = {"css": "text/css", "jpg": "image/jpeg", "svg": "image/svg+xml", "png": "image/png"}


def main() -> None:
    sandbox.lock(memory_bytes=MEMORY_BYTES, output_bytes=OUTPUT_BYTES, cpu_seconds=CPU_SECONDS)
    job: dict[str, Any] = json.load(sys.stdin)
    sys.stdout.buffer.write(pdf(job["html"], job["files"]))


def pdf(html: str, files: dict[str, str]) -> bytes:
    """The page as a tagged PDF; ``files`` says where each file that it may use lies."""
    import weasyprint  # noqa: PLC0415 - heavy, and only this process needs it

    return bytes(
        weasyprint.HTML(string=html, base_url=SCHEME, url_fetcher=fetcher(files)).write_pdf(
            pdf_tags=True, optimize_images=True, dpi=200
        )
    )


def fetcher(files: dict[str, str]) -> Any:
    """Opens the files of a job and refuses every other address, redirects included."""
    from weasyprint.urls import URLFetcher, URLFetcherResponse  # noqa: PLC0415

    class Ours(URLFetcher):  # type: ignore[misc]
        def fetch(self, url: str, headers: Any = None) -> Any:  # noqa: ARG002 - the library's signature
            path = files.get(url.removeprefix(SCHEME)) if url.startswith(SCHEME) else None
            if path is None:
                raise ValueError(f"{url[:80]} is no file of this page")
            kind = MIME[path.rpartition(".")[2]]
            with open(path, "rb") as file:  # noqa: PTH123
                return URLFetcherResponse(url, file.read(), {"Content-Type": kind})

    return Ours(allowed_protocols=("geoapp",), allow_redirects=False)


if __name__ == "__main__":
    main()
