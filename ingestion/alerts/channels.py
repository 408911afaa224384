"""The ways to tell somebody of an alert: webhook, e-mail, MQTT. Each sends one message or raises; whether and when is `dispatch`'s matter.

METERHOUSE_WEBHOOK_SECRET  signs every webhook: header X-Meterhouse-Signature = "sha256=" + HMAC-SHA256 of the body in hex
METERHOUSE_WEBHOOK_NETWORKS  networks that a webhook may go to beside the internet, as "10.20.0.0/16, 127.0.0.1/32" (default: none)
METERHOUSE_SMTP_URL        smtp://user:password@host:port, or smtps:// for TLS from the start (default: smtp://127.0.0.1:25)
METERHOUSE_MAIL_FROM       sender of mails (default: meterhouse@localhost)
METERHOUSE_ALERT_MQTT_URL  mqtt://user:password@host:port, or mqtts:// for TLS (default: mqtt://127.0.0.1:1883)

A receiver may get a message twice, where we were killed after sending: its delivery key is the same both times (header Idempotency-Key,
Message-ID of a mail, field delivery_key of the body).
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import os
import smtplib
import socket
import ssl
from email.message import EmailMessage
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
import orjson
import paho.mqtt.client as mqtt

TIMEOUT_S = 10


class SendError(RuntimeError):
    """A message was not taken; the text says by whom and why. `permanent` = it never will be."""

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        super().__init__(message)
        self.permanent = permanent


def send_webhook(url: str, message: dict[str, Any]) -> None:
    """POST the message as JSON. Any 2xx is taken. Raises SendError; a 4xx other than 408, 425 and 429 is permanent."""
    body = orjson.dumps(message)
    headers = {"Content-Type": "application/json", "Idempotency-Key": message["delivery_key"]}
    if secret := os.environ.get("METERHOUSE_WEBHOOK_SECRET"):
        headers["X-Meterhouse-Signature"] = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    try:
        target = httpx.URL(url)
        address = _allowed_address(target)
        # To the address that was looked at: asked again, the name might say another.
        there = target.copy_with(host=address)
        headers["Host"] = target.netloc.decode()
        with httpx.Client(timeout=TIMEOUT_S, follow_redirects=False) as client:
            answer = client.post(there, content=body, headers=headers, extensions={"sni_hostname": target.host})
    except (httpx.HTTPError, httpx.InvalidURL) as e:
        raise SendError(f"{urlsplit(url).netloc} does not answer: {e or type(e).__name__}") from None
    if not answer.is_success:
        permanent = answer.is_redirect or (answer.is_client_error and answer.status_code not in (408, 425, 429))
        raise SendError(f"{urlsplit(url).netloc} answers {answer.status_code}", permanent=permanent)


def _allowed_address(url: httpx.URL) -> str:
    """An address of the URL's host. Raises SendError where it is not one of the internet, nor in METERHOUSE_WEBHOOK_NETWORKS."""
    if url.scheme not in ("http", "https") or not url.host:
        raise SendError(f"{str(url)[:200]!r} is no address of a webhook: write http://… or https://…", permanent=True)
    try:
        networks = [ipaddress.ip_network(n.strip()) for n in os.environ.get("METERHOUSE_WEBHOOK_NETWORKS", "").split(",") if n.strip()]
    except ValueError as e:
        raise SendError(f"METERHOUSE_WEBHOOK_NETWORKS: {e}: write networks as 10.20.0.0/16, with commas between") from None
    try:
        found = socket.getaddrinfo(url.host, url.port or (443 if url.scheme == "https" else 80), type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as e:
        raise SendError(f"{url.host} is not found: {e}") from None
    addresses = [ipaddress.ip_address(str(a[4][0]).partition("%")[0]) for a in found]
    for address in addresses:
        if not _is_public(address) and not any(address in n for n in networks):
            detail = "a webhook goes to the internet, or to the networks of METERHOUSE_WEBHOOK_NETWORKS"
            raise SendError(f"{url.host} is {address}, which is not of the internet: {detail}", permanent=True)
    return str(addresses[0])


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        inner = (
            address.ipv4_mapped or address.sixtofour or (ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None)
        )
        if inner is not None:
            return _is_public(inner)
    return address.is_global and not address.is_multicast


_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def send_email(address: str, message: dict[str, Any]) -> None:
    """One mail. Raises SendError; a 5xx of the mail server is permanent."""
    mail = new_mail(address, subject(message), message["delivery_key"])
    mail.set_content("\n".join(f"{name}: {value}" for name, value in message.items() if value is not None) + "\n")
    post(mail)


def new_mail(address: str, about: str, key: str) -> EmailMessage:
    """A mail without content, from METERHOUSE_MAIL_FROM. `key` makes its Message-ID: what is sent twice is known by it."""
    sender = os.environ.get("METERHOUSE_MAIL_FROM", "meterhouse@localhost")
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, address, about
    mail["Message-ID"] = f"<{key}@{sender.rsplit('@', 1)[-1]}>"
    return mail


def post(mail: EmailMessage, timeout_s: float = TIMEOUT_S) -> None:
    """Hand a mail to the mail server of METERHOUSE_SMTP_URL. Raises SendError; a 5xx is permanent.

    Where only some of its receivers are refused the mail is gone to the others, and the error names those.
    """
    server = urlsplit(os.environ.get("METERHOUSE_SMTP_URL", "smtp://127.0.0.1:25"))
    host, port = server.hostname or "127.0.0.1", server.port or (465 if server.scheme == "smtps" else 25)
    try:
        with (
            smtplib.SMTP_SSL(host, port, timeout=timeout_s)
            if server.scheme == "smtps"
            else smtplib.SMTP(host, port, timeout=timeout_s) as smtp
        ):
            smtp.ehlo_or_helo_if_needed()  # only then is it known what the server can
            if server.scheme == "smtp" and smtp.has_extn("starttls"):
                smtp.starttls(context=ssl.create_default_context())
            if server.username:
                smtp.login(unquote(server.username), unquote(server.password or ""))
            refused = smtp.send_message(mail)
    except (smtplib.SMTPException, OSError) as e:
        permanent = isinstance(e, (smtplib.SMTPRecipientsRefused, smtplib.SMTPResponseException)) and 500 <= _smtp_code(e) < 600
        raise SendError(f"mail server {host}:{port}: {e}", permanent=permanent) from None
    if refused:
        raise SendError(f"mail server {host}:{port} took it, but not for {', '.join(sorted(refused))}", permanent=True)


def _smtp_code(error: smtplib.SMTPException) -> int:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return max(code for code, _ in error.recipients.values())
    return error.smtp_code if isinstance(error, smtplib.SMTPResponseException) else 0


def subject(message: dict[str, Any]) -> str:
    """One line that tells a person what happened."""
    return f"[{message['severity']}] {message['discom']} {message['meter']}: {message['event'].replace('_', ' ')} ({message['rule']})"


def send_mqtt(topic: str, message: dict[str, Any]) -> None:
    """Publish with QoS 1 and wait for the broker's word. Raises SendError."""
    broker = urlsplit(os.environ.get("METERHOUSE_ALERT_MQTT_URL", "mqtt://127.0.0.1:1883"))
    host, port = broker.hostname or "127.0.0.1", broker.port or (8883 if broker.scheme == "mqtts" else 1883)
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311)
    client.connect_timeout = TIMEOUT_S
    if broker.username:
        client.username_pw_set(unquote(broker.username), unquote(broker.password or ""))
    if broker.scheme == "mqtts":
        client.tls_set()
    refused: list[str] = []
    client.on_connect = lambda _c, _u, _f, reason, _p: refused.append(str(reason)) if reason.is_failure else None
    try:
        client.connect(host, port, keepalive=60)
        client.loop_start()
        published = client.publish(topic, orjson.dumps(message), qos=1)
        published.wait_for_publish(TIMEOUT_S)
        if not published.is_published():
            raise SendError(f"MQTT broker {host}:{port} did not acknowledge within {TIMEOUT_S} s{': ' + refused[0] if refused else ''}")
        client.disconnect()
    except (OSError, ValueError, RuntimeError) as e:
        if isinstance(e, SendError):
            raise
        raise SendError(f"MQTT broker {host}:{port}: {e}") from None
    finally:
        client.loop_stop()
