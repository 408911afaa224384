"""What may go wrong with a meter, by what the caller may do next. Every message says what was asked of whom and how to mend it."""

from __future__ import annotations


class DlmsError(RuntimeError):
    """Base of all."""


class DlmsRefused(DlmsError):
    """The meter says no, or cannot: the same request would be refused again until somebody changes something.

    `result`: the Data-Access-Result or Action-Result where it gave one.
    """

    def __init__(self, message: str, result: int | None = None) -> None:
        super().__init__(message)
        self.result = result


class DlmsTransient(DlmsError):
    """Nothing was done at the meter, or only read: it may be tried again."""


class DlmsUnknownOutcome(DlmsError):
    """Something that changes the meter was sent and no answer that can be believed came: it may be done or not. Never repeat it blindly,
    read the meter's state instead."""


class DlmsMalformed(DlmsRefused):
    """Octets that are no message or value of DLMS, or beyond the limits. What is wrong with a message on the line, `meter` turns into
    DlmsTransient or DlmsUnknownOutcome; a value that is delivered well and makes no sense will make none the next time."""


class DlmsNotAuthentic(DlmsMalformed):
    """A message that was not sealed with the keys of the meter it is said to come from."""


class DlmsNotDeciphered(DlmsRefused):
    """The meter could not decipher what we sent: other keys, or a counter that another association has overtaken."""
