"""The worker beside a web server: started with it, started again when it dies, and ended with it, however that ends."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

AGAIN_S = 5
"""So long at least lies between two starts: a worker that cannot begin must not keep the machine busy."""
END_S = 8


class Beside:
    """One worker at a time. It reads from a pipe that only we hold open, and leaves when that ends, also by our death.

    Why a process of its own? A web worker answers, and must neither wait for a mail server nor be killed for it.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._not_before = 0.0
        self._leaving = False

    def keep(self) -> None:
        """See to it that there is one; called again and again."""
        if self._leaving or (self._process is not None and self._process.poll() is None):
            return
        if time.monotonic() < self._not_before:
            return
        self._let_go()
        self._not_before = time.monotonic() + AGAIN_S
        # A session of its own: Ctrl-C is for us, and we tell the worker.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "geoapp", "work", "--beside"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

    def leave(self) -> None:
        """Ask it to finish what it has in hand, and start no other."""
        self._leaving = True
        self._let_go()

    def forget(self) -> None:
        """In a process forked from ours: it must not hold the pipe open."""
        self._let_go()

    def end(self) -> None:
        self.leave()
        if self._process is None:
            return
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _let_go(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()


@contextmanager
def beside() -> Iterator[Beside]:
    worker = Beside()
    try:
        yield worker
    finally:
        worker.end()
