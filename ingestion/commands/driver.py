"""What the dispatcher needs of a way to a meter: a command, an outcome, and the Protocol between them. No database, no wire."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from ingestion.canonical import Delivery
from ingestion.commands.states import Kind


@dataclass(frozen=True)
class Command:
    """A command as a driver gets it. `parameters` are checked by who accepted them: api/commands/schemas.py says what is in them."""

    discom_id: int
    command_id: int
    serial: str
    kind: Kind
    parameters: dict[str, Any]
    reference: str
    """Ours until the head-end system gives one of its own. The same at every send of this command."""
    attempts: int = 0
    looks: int = 0
    expires_at: datetime | None = None
    sent_at: datetime | None = None


class Verdict(StrEnum):
    """What became of a command, as far as the driver can tell."""

    ACCEPTED = "accepted"
    """Taken on; the outcome comes later."""
    DONE = "done"
    """Carried out; of a relay command: the relay was seen in the position that was asked for."""
    REFUSED = "refused"
    """Not carried out, and asking again would not help."""
    NOT_SENT = "not_sent"
    """Nothing reached the meter, or it was turned away for now: may be sent again."""
    UNKNOWN = "unknown"
    """It went out, and nobody can say what became of it."""
    UNHEARD = "unheard"
    """Asked later: the head-end system knows no such command."""


@dataclass(frozen=True)
class Outcome:
    """What a driver reports. `why` is for people; `delivery` is what the meter said, to be landed; `detail` goes into the result."""

    verdict: Verdict
    why: str
    delivery: Delivery | None = None
    reference: str | None = None
    detail: dict[str, Any] = field(default_factory=dict)


class Driver(Protocol):
    """One way to the meters of a head-end system. Every call has a time limit; none of them raises for what the other side does."""

    def supports(self, kind: Kind) -> bool:
        """Whether this way can carry such a command at all."""

    def submit(self, command: Command) -> Outcome:
        """Send it. Never tries twice by itself."""

    def poll(self, command: Command) -> Outcome:
        """What became of it: ACCEPTED = not finished yet, UNKNOWN = could not be asked."""

    def relay_closed(self, command: Command) -> bool | None:
        """The position of the meter's relay now, None where it cannot be told. Switches nothing."""
