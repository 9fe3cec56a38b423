"""Pages as PDF: HTML in, a file for printing out. What stands on the page is made by the doors, as for the screen.

The page is set in a child process (``press``) with limits, a few at a time, so that somebody who prints sixty stops
neither fills the memory of the web server nor stops the others.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from threading import BoundedSemaphore

from geoapp.errors import Unavailable
from geoapp.services import press

__all__ = ["SCHEME", "pdf"]

SCHEME = press.SCHEME
AT_ONCE = 2
WAIT_S = 60
TIMEOUT_S = 240
_presses = BoundedSemaphore(AT_ONCE)


def pdf(html: str, *, files: Mapping[str, Path]) -> bytes:
    """Set a page; ``files`` are the style sheets and pictures that it names as ``geoapp:NAME``, and no others open.

    Raises Unavailable when too many are being set, or when it does not come to an end.
    """
    if not _presses.acquire(timeout=WAIT_S):
        raise Unavailable("too many pages are being printed")
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-P", "-m", press.__name__],
            input=json.dumps({"html": html, "files": {name: str(path) for name, path in files.items()}}).encode(),
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
            cwd=os.sep,
            env={"PATH": os.defpath, "OMP_NUM_THREADS": "1", "LANG": "C.UTF-8"},
        )
    except subprocess.TimeoutExpired:
        raise Unavailable("the page could not be printed in time") from None
    finally:
        _presses.release()
    if done.returncode != 0 or not done.stdout.startswith(b"%PDF"):
        raise Unavailable(f"the page could not be printed: {done.stderr[-300:].decode(errors='replace')}")
    return done.stdout
