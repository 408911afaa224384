"""Suite 0 of the simulated meters: AES-128-GCM of messages, GMAC of challenges. Source: IEC 62056-5-3, 5.3."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

AUTHENTICATED_AND_ENCRYPTED = 0x30
AUTHENTICATED = 0x10
TAG_OCTETS = 12


class Undecipherable(Exception):
    """What came was not sealed with this meter's keys, or was sent before."""


@dataclass(frozen=True)
class MeterKeys:
    """Global unicast encryption key, authentication key (16 octets each) and the password of LLS."""

    encryption: bytes
    authentication: bytes
    password: bytes

    def _gcm(self, title: bytes, counter: int, tag: bytes | None = None) -> Cipher[modes.GCM]:
        return Cipher(algorithms.AES(self.encryption), modes.GCM(title + counter.to_bytes(4, "big"), tag, min_tag_length=TAG_OCTETS))

    def seal(self, title: bytes, counter: int, plain: bytes) -> bytes:
        """Security control, counter, ciphertext and tag of a message from `title`."""
        encryptor = self._gcm(title, counter).encryptor()
        encryptor.authenticate_additional_data(bytes([AUTHENTICATED_AND_ENCRYPTED]) + self.authentication)
        sealed = encryptor.update(plain) + encryptor.finalize()
        return bytes([AUTHENTICATED_AND_ENCRYPTED]) + counter.to_bytes(4, "big") + sealed + encryptor.tag[:TAG_OCTETS]

    def open(self, title: bytes, sealed: bytes) -> tuple[int, bytes]:
        """(counter, plain message). Raises Undecipherable."""
        if len(sealed) < 5 + TAG_OCTETS or sealed[0] != AUTHENTICATED_AND_ENCRYPTED or len(title) != 8:
            raise Undecipherable
        counter = int.from_bytes(sealed[1:5], "big")
        decryptor = self._gcm(title, counter, sealed[-TAG_OCTETS:]).decryptor()
        decryptor.authenticate_additional_data(sealed[:1] + self.authentication)
        try:
            return counter, decryptor.update(sealed[5:-TAG_OCTETS]) + decryptor.finalize()
        except InvalidTag:
            raise Undecipherable from None

    def gmac(self, title: bytes, counter: int, challenge: bytes) -> bytes:
        """The 12 octets that prove knowledge of the keys."""
        encryptor = self._gcm(title, counter).encryptor()
        encryptor.authenticate_additional_data(bytes([AUTHENTICATED]) + self.authentication + challenge)
        encryptor.finalize()
        return encryptor.tag[:TAG_OCTETS]
