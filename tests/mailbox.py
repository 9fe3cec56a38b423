"""A real mail server for tests: it keeps what it is given, or answers what a test tells it to."""

import email
import email.policy
import re
import socket
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

TAKEN = "250 Taken"


@dataclass
class Mailbox:
    """``answers`` says what DATA is answered, ``rcpt`` what an address is; ``before`` is called as each begins."""

    messages: list[EmailMessage] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    rcpt: dict[str, str] = field(default_factory=dict)
    peers: list[Any] = field(default_factory=list)
    before: Callable[[str], None] = lambda _: None
    url: str = ""
    lines: set[Any] = field(default_factory=set)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _: Any) -> str:  # noqa: N802
        self.before("RCPT")
        answer = self.rcpt.get(address, "250 OK")
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        answer = self.answers.pop(0) if self.answers else TAKEN
        if answer.startswith("2"):
            with self._changed:
                self.peers.append(session)
                self.messages.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
                self._changed.notify_all()
        return answer

    def hang_up(self) -> None:
        """Drop every connection with what it has sent and nobody has read."""
        for line in list(self.lines):
            line.abort()

    def wait_for(self, count: int, *, timeout: float = 60) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.ids()) >= count, timeout), f"{len(self.messages)} came"

    def ids(self) -> Counter[str]:
        """How often each Message-ID has come."""
        return Counter(message["Message-ID"] for message in self.messages)

    def text(self, nth: int = -1) -> str:
        return self.messages[nth].get_content()

    def link(self, what: str, nth: int = -1) -> str:
        """The path of a link in a mail."""
        return re.search(rf"https://issues\.example\.org(/issues/[^/\s]+/{what}/\S+)", self.text(nth))[1]


class _Listening(SMTP):
    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.event_handler.lines.add(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self.event_handler.lines.discard(self.transport)
        super().connection_lost(error)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        self.event_handler.before("DATA")
        await super().smtp_DATA(arg)


class _Controller(Controller):
    def factory(self) -> SMTP:
        return _Listening(self.handler, **self.SMTP_kwargs)


def serve(box: Mailbox, **options: Any) -> Controller:
    """Start the server on a free port; the caller stops it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = _Controller(box, hostname="127.0.0.1", port=port, **options)
    controller.start()
    box.url = f"127.0.0.1:{port}"
    return controller
