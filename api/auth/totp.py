"""Codes of an authenticator app (TOTP, RFC 6238: SHA-1, six digits, 30 s), and how their secrets are kept: sealed with a key of the API."""

from __future__ import annotations

import hmac
import os
import secrets
from pathlib import Path

import pyotp
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from api.auth import tokens

STEP_S = 30
DRIFT = 1
"""Steps that a clock may be off."""

_NONCE = 12


class SealError(RuntimeError):
    """A secret was sealed with a key that is not there any more."""


def new_secret() -> str:
    """160 bits, in base 32."""
    return pyotp.random_base32()


def uri(secret: str, login: str) -> str:
    """What an authenticator app reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name="Meterhouse")


def step_of(secret: str, code: str, now: float, used: int | None) -> int | None:
    """The time step of a code; None where it is wrong, or of a step that is not after `used`."""
    code = code.strip().replace(" ", "")
    if not (code.isascii() and code.isdigit()):
        return None
    at, totp, found = int(now) // STEP_S, pyotp.TOTP(secret), None
    for step in range(at - DRIFT, at + DRIFT + 1):
        if hmac.compare_digest(totp.generate_otp(step), code) and (used is None or step > used):
            found = step
    return found


def seal(secret: str, account_id: int) -> bytes:
    """The secret as it is kept: AES-256-GCM, bound to its account."""
    nonce = secrets.token_bytes(_NONCE)
    return nonce + AESGCM(_keys()[0]).encrypt(nonce, secret.encode(), _bound(account_id))


def opened(sealed: bytes, account_id: int) -> tuple[str, bool]:
    """(the secret, whether the first key sealed it). Raises SealError."""
    for n, key in enumerate(_keys()):
        try:
            return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], _bound(account_id)).decode(), n == 0
        except InvalidTag:
            continue
    raise SealError(
        "the second factor was sealed with a key that is not in METERHOUSE_SECRETS_KEY_FILE or the file of the token key any more: "
        "put the key back, or remove the second factor with `meterhouse users reset-password --remove-totp`"
    )


def _bound(account_id: int) -> bytes:
    return f"meterhouse account {account_id}".encode()


def _keys() -> list[bytes]:
    """The first seals, all open. Of the lines of METERHOUSE_SECRETS_KEY_FILE, else of the keys that sign tokens."""
    if file := os.environ.get("METERHOUSE_SECRETS_KEY_FILE"):
        given = [line.strip() for line in Path(file).read_bytes().splitlines() if line.strip()]
        if not given or any(len(line) < 32 for line in given):
            raise ValueError(f"{file}: each line must be a key of at least 32 characters: make one with `openssl rand -base64 32`")
    else:
        given = [key.private_bytes_raw() for key in tokens.signing_keys()]
    return [HKDF(SHA256(), 32, None, b"meterhouse second factor").derive(key) for key in given]
