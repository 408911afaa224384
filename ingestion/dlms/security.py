"""Keys of meters, where they come from, and the ciphering of suite 0 (AES-128-GCM). Keys are never logged: their repr hides them.

The file that METERHOUSE_DLMS_KEYS names is JSON by serial, and what an association does not need may be left out:
`{"SIM00000001": {"encryption_key": "32 hex digits", "authentication_key": "32 hex digits", "password": "LLS password",
"system_title": "16 hex digits", "ciphering": "service" | "general"}}`. Nobody but its owner may read it (mode 600).
"""

from __future__ import annotations

import json
import os
import stat
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from dlms_cosem.exceptions import DecryptionError
from dlms_cosem.security import SecurityControlField, decrypt, encrypt, gmac

from ingestion.dlms.errors import DlmsNotAuthentic, DlmsRefused

VARIABLE = "METERHOUSE_DLMS_KEYS"
TITLE_VARIABLE = "METERHOUSE_DLMS_TITLE"
DEFAULT_TITLE = b"MTH\x00\x00\x00\x00\x01"
CIPHERINGS = ("service", "general")
TAG_OCTETS = 12
SEALED = SecurityControlField(0, authenticated=True, encrypted=True)
AUTHENTICATED = SecurityControlField(0, authenticated=True)


class KeysError(RuntimeError):
    """The keys are not there, not readable or readable by others; the message says how to mend it and shows no key."""


@dataclass(frozen=True)
class Keys:
    """What one meter's associations need. `ciphering`: `service` = service-specific global ciphering, `general` = general-glo-ciphering."""

    encryption: bytes = field(default=b"", repr=False)
    authentication: bytes = field(default=b"", repr=False)
    password: bytes = field(default=b"", repr=False)
    system_title: bytes | None = None
    ciphering: str = "service"

    def seal(self, title: bytes, counter: int, plain: bytes) -> bytes:
        """Security control, counter, ciphertext and tag of a message from `title`."""
        sealed = encrypt(SEALED, title, counter, self.encryption, plain, self.authentication)
        return SEALED.to_bytes() + counter.to_bytes(4, "big") + sealed

    def open(self, title: bytes, sealed: bytes) -> tuple[int, bytes]:
        """(counter, plain message). Raises DlmsNotAuthentic where it was not both encrypted and authenticated with these keys."""
        if len(sealed) < 5 + TAG_OCTETS or sealed[:1] != SEALED.to_bytes():
            raise DlmsNotAuthentic("the message is not encrypted and authenticated by suite 0")
        if len(title) != 8 or len(self.encryption) != 16:
            raise DlmsNotAuthentic("no system title or no encryption key to open the message with")
        counter = int.from_bytes(sealed[1:5], "big")
        try:
            return counter, decrypt(SEALED, title, counter, self.encryption, sealed[5:], self.authentication)
        except DecryptionError:
            raise DlmsNotAuthentic("the message was not sealed with the keys of this meter") from None

    def proof(self, title: bytes, counter: int, challenge: bytes) -> bytes:
        """The answer to an HLS challenge: security control, counter and GMAC."""
        tag = gmac(AUTHENTICATED, title, counter, self.encryption, self.authentication, challenge)
        return AUTHENTICATED.to_bytes() + counter.to_bytes(4, "big") + tag


class KeyStore:
    """The keys of all meters, by serial and by system title."""

    def __init__(self, keys: dict[str, Keys]) -> None:
        self._by_serial = keys
        self.serial_by_title = {k.system_title: serial for serial, k in keys.items() if k.system_title}

    @classmethod
    def load(cls, path: str | Path | None = None) -> KeyStore:
        """From a file, by default what METERHOUSE_DLMS_KEYS names; without that there are no keys. Raises KeysError."""
        named = path or os.environ.get(VARIABLE)
        if not named:
            return cls({})
        file = Path(named)
        try:
            mode = file.stat().st_mode
            if mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise KeysError(f"{file} can be read by others (mode {mode & 0o777:o}): chmod 600 it")
            raw = json.loads(file.read_text(encoding="utf-8"))
        except OSError as e:
            raise KeysError(f"the keys of meters cannot be read: {e}: check {VARIABLE}") from None
        except ValueError:
            raise KeysError(f"{file} is not JSON of keys by serial: see docs/dlms.md") from None
        if not isinstance(raw, dict):
            raise KeysError(f"{file} is not an object of keys by serial: see docs/dlms.md")
        return cls({serial: _keys(file, serial, entry) for serial, entry in raw.items()})

    def of(self, serial: str) -> Keys:
        """Keys of a meter; empty ones where the file has none, which serve an association without security."""
        return self._by_serial.get(serial, Keys())


def _keys(file: Path, serial: str, entry: object) -> Keys:
    fields = {"encryption_key": 16, "authentication_key": 16, "system_title": 8}
    known = {*fields, "password", "ciphering"}
    if not isinstance(entry, dict) or not set(entry) <= known or not all(isinstance(v, str) for v in entry.values()):
        raise KeysError(f"{file}: {serial}: an object of texts {', '.join(sorted(known))} was expected")
    octets: dict[str, bytes] = {}
    for name, size in fields.items():
        try:
            octets[name] = bytes.fromhex(entry.get(name, ""))
        except ValueError:
            raise KeysError(f"{file}: {serial}: {name} is not hexadecimal") from None
        if octets[name] and len(octets[name]) != size:
            raise KeysError(f"{file}: {serial}: {name} has {len(octets[name])} octets, it must have {size}")
    if bool(octets["encryption_key"]) != bool(octets["authentication_key"]):
        raise KeysError(f"{file}: {serial}: encryption_key and authentication_key go together")
    ciphering = entry.get("ciphering", "service")
    if ciphering not in CIPHERINGS:
        raise KeysError(f"{file}: {serial}: ciphering is {' or '.join(CIPHERINGS)}")
    return Keys(
        encryption=octets["encryption_key"],
        authentication=octets["authentication_key"],
        password=entry.get("password", "").encode(),
        system_title=octets["system_title"] or None,
        ciphering=ciphering,
    )


def client_title() -> bytes:
    """Our system title, 16 hex digits in METERHOUSE_DLMS_TITLE. Each installation that talks to the same meters needs its own.

    Raises KeysError.
    """
    text = os.environ.get(TITLE_VARIABLE, DEFAULT_TITLE.hex())
    try:
        title = bytes.fromhex(text)
    except ValueError:
        title = b""
    if len(title) != 8:
        raise KeysError(f"{TITLE_VARIABLE} must be 16 hexadecimal digits")
    return title


COUNTER_EPOCH = 1577836800
"""1 January 2020: seconds since then are the least counter that an association begins with."""

_last_counters: dict[bytes, int] = {}
_counters_lock = threading.Lock()


def next_counter(key: bytes, at_least: int = 0) -> int:
    """An invocation counter that was never used with this key, nor will be again: more than `at_least` (what the meter saw last), than
    the last of this process and than the seconds since 2020. The clock is for messages of an earlier process that the meter never saw: a
    counter that is used twice would give the key stream away. 32 bits last until 2156. Raises DlmsRefused where they are used up.
    """
    with _counters_lock:
        counter = max(at_least + 1, _last_counters.get(key, 0) + 1, int(time.time()) - COUNTER_EPOCH)
        if counter >= 1 << 32:
            raise DlmsRefused("the invocation counters of this key are used up: give the meter new keys")
        _last_counters[key] = counter
    return counter
