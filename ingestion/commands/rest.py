"""Commands over a head-end system's REST interface, as `commands` in the vendor file describes it (docs/hes-formats.md, section 2.1).

What matters is what is known when something goes wrong: a connection that was never made sent nothing, an answer that never came may
mean anything.
"""

from __future__ import annotations

import hashlib
import json
import os
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import httpx

from ingestion.commands.driver import Command, Outcome, Verdict
from ingestion.commands.states import RELAY, Kind
from ingestion.readers import read
from ingestion.vendor import Vendor

CONNECT_TIMEOUT_S = 5.0

_TURNED_AWAY = {401, 403, 429, 503}
"""Answers of a head-end system that did nothing: it is busy, or the token is to be mended."""


class RestDriver:
    """ingestion.commands.driver.Driver for one head-end system. Safe for threads."""

    def __init__(self, vendor: Vendor, base_url: str) -> None:
        """`vendor` has a section commands. Raises ValueError where the environment has no token."""
        assert vendor.commands is not None
        self._vendor, self._api, self._base = vendor, vendor.commands, base_url.rstrip("/")
        self._fields: dict[str, str] = self._api["fields"]
        headers = {"Accept": "application/json"}
        if variable := vendor.transport.get("token_env"):
            if not (token := os.environ.get(variable)):
                raise ValueError(f"the environment variable {variable} is not set: put the head-end system's bearer token there")
            headers["Authorization"] = f"Bearer {token}"
        timeout = httpx.Timeout(float(vendor.transport.get("timeout_s", 30)), connect=CONNECT_TIMEOUT_S)
        self._client = httpx.Client(timeout=timeout, headers=headers)

    def close(self) -> None:
        self._client.close()

    def supports(self, kind: Kind) -> bool:
        return kind in self._api["names"]

    def submit(self, command: Command) -> Outcome:
        body = {
            self._fields["reference"]: command.reference,
            self._fields["serial"]: command.serial,
            self._fields["command"]: self._api["names"][command.kind],
            self._fields["parameters"]: command.parameters,
        }
        try:
            response = self._client.post(self._base + self._api["submit"], json=body)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as e:
            return Outcome(Verdict.NOT_SENT, f"no connection to the head-end system: {type(e).__name__}: {e}")
        except (httpx.UnsupportedProtocol, httpx.InvalidURL) as e:
            return Outcome(Verdict.REFUSED, f"{self._base} is no address of a head-end system: {e}")
        except httpx.HTTPError as e:
            return Outcome(Verdict.UNKNOWN, f"it went out, and no answer came: {type(e).__name__}: {e}")
        status = response.status_code
        if status == 409:
            return Outcome(Verdict.ACCEPTED, "the head-end system has this command already")
        if status in _TURNED_AWAY:
            return Outcome(Verdict.NOT_SENT, f"turned away with status {status}: {self._error(response)}")
        if 400 <= status < 500:
            return Outcome(Verdict.REFUSED, f"the head-end system refused it with status {status}: {self._error(response)}")
        if not response.is_success:
            return Outcome(Verdict.UNKNOWN, f"it went out, and the answer was status {status}")
        return self._outcome(command, response)

    def poll(self, command: Command) -> Outcome:
        path = self._api["state"].replace("{reference}", quote(command.reference, safe=""))
        try:
            response = self._client.get(self._base + path)
        except httpx.HTTPError as e:
            return Outcome(Verdict.UNKNOWN, f"the head-end system could not be asked: {type(e).__name__}: {e}")
        if response.status_code == 404:
            return Outcome(Verdict.UNHEARD, "the head-end system knows no such command")
        if not response.is_success:
            return Outcome(Verdict.UNKNOWN, f"the head-end system could not be asked: status {response.status_code}")
        return self._outcome(command, response)

    def relay_closed(self, command: Command) -> bool | None:
        if "relay" not in self._api:
            return None
        try:
            response = self._client.get(self._base + self._api["relay"].replace("{serial}", quote(command.serial, safe="")))
            return self._position(response.json()) if response.is_success else None
        except (httpx.HTTPError, ValueError):
            return None

    def _outcome(self, command: Command, response: httpx.Response) -> Outcome:
        """What an answer with a state says. Of a relay command `done` counts only with the relay in the position that was asked for."""
        try:
            body = response.json()
            stated = str(body[self._fields["state"]])
        except (ValueError, KeyError, TypeError):
            return Outcome(Verdict.UNKNOWN, f"an answer without {self._fields['state']!r}: {response.text[:200]!r}")
        meaning = self._api["states"].get(stated)
        reference = str(body.get(self._fields["reference"]) or command.reference)
        if meaning == "failed":
            return Outcome(Verdict.REFUSED, f"the head-end system says {stated}: {self._error(response)}", reference=reference)
        if meaning == "accepted":
            return Outcome(Verdict.ACCEPTED, f"the head-end system says {stated}", reference=reference)
        if meaning is None:
            return Outcome(Verdict.UNKNOWN, f"the state {stated!r} is not in commands.states of the vendor file", reference=reference)
        if command.kind in RELAY:
            closed = self._position(body)
            if closed is None:
                closed = self.relay_closed(command)
            if closed is None:
                return Outcome(Verdict.ACCEPTED, "the head-end system says done, the relay's position is not known", reference=reference)
            if closed != (command.kind == Kind.CONNECT):
                return Outcome(Verdict.REFUSED, "the head-end system says done, but the relay has not moved", reference=reference)
            return Outcome(Verdict.DONE, "the relay is in the position", reference=reference, detail={"relay_closed": closed})
        lists = {k: v for k, v in body.items() if isinstance(v, list)}
        if not any(lists.values()):
            return Outcome(Verdict.DONE, f"the head-end system says {stated}", reference=reference)
        delivery = read(self._vendor, str(response.url), response.content, datetime.now(UTC))
        # As for a pull: what stands beside the lists may differ from one answer to the next, what was read does not.
        delivery.content_sha256 = hashlib.sha256(json.dumps(lists, sort_keys=True, separators=(",", ":")).encode()).digest()
        return Outcome(Verdict.DONE, f"the head-end system says {stated}", delivery, reference)

    def _position(self, body: Any) -> bool | None:
        said = body.get(self._fields.get("relay", "")) if isinstance(body, dict) else None
        return {self._api.get("relay_closed", "closed"): True, self._api.get("relay_open", "open"): False}.get(said)

    def _error(self, response: httpx.Response) -> str:
        try:
            return str(response.json()[self._fields.get("error", "error")])[:300]
        except (ValueError, KeyError, TypeError):
            return response.text[:200]
