"""A line between a browser and the app that a test can cut, also between a request and its answer."""

import socket
import threading
from contextlib import suppress
from urllib.parse import urlsplit


class Line:
    """Listens on a port of its own and passes everything on, while it is up."""

    def __init__(self, address: str) -> None:
        there = urlsplit(address)
        self.there = (there.hostname, there.port)
        self.up, self.swallow = True, False
        self.open: set[socket.socket] = set()
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self.listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Nothing gets through any more."""
        self.up = False
        for one in list(self.open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        self.up, self.swallow = True, False

    def close(self) -> None:
        self.cut()
        self.listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self.listening.accept()
                if not self.up:
                    near.close()
                    continue
                threading.Thread(target=self._join, args=(near,), daemon=True).start()

    def _join(self, near: socket.socket) -> None:
        with near, suppress(OSError), socket.create_connection(self.there) as far:
            self.open |= {near, far}
            back = threading.Thread(target=self._pass, args=(far, near, True), daemon=True)
            back.start()
            self._pass(near, far, False)  # noqa: FBT003
            back.join()
            self.open -= {near, far}

    def _pass(self, source: socket.socket, sink: socket.socket, is_answer: bool) -> None:  # noqa: FBT001
        with suppress(OSError):
            while said := source.recv(65536):
                if is_answer and self.swallow:
                    # The request was heard; its answer is lost, and with it the line.
                    self.cut()
                    break
                sink.sendall(said)
        for one in (source, sink):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
