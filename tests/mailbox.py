"""A mail server for the tests, on loopback: it takes mails, or answers as it is told to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from tests.brokers import free_port


class Mailbox:
    """Takes mails, or answers as it is told to."""

    def __init__(self) -> None:
        self.got: list[tuple[list[str], EmailMessage]] = []
        self.answers: list[str] = []
        self.refuse: set[str] = set()

    async def handle_RCPT(self, _server: object, _session: object, envelope: Any, address: str, _options: object) -> str:
        if address in self.refuse:
            return "550 nobody here"
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:
        answer = self.answers.pop(0) if self.answers else "250 taken"
        if answer.startswith("250"):
            mail = message_from_bytes(envelope.content, policy=policy.default)
            assert isinstance(mail, EmailMessage)
            self.got.append((envelope.rcpt_tos, mail))
        return answer


@contextmanager
def mail_server() -> Iterator[Mailbox]:
    """One that METERHOUSE_SMTP_URL names as long as it runs."""
    box, port = Mailbox(), free_port()
    server = Controller(box, hostname="127.0.0.1", port=port, data_size_limit=100_000_000)
    server.start()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("METERHOUSE_SMTP_URL", f"smtp://127.0.0.1:{port}")
            patch.setenv("METERHOUSE_MAIL_FROM", "meterhouse@acme.example")
            yield box
    finally:
        server.stop()
