"""meterhouse hes listen-dlms: takes what meters push. Reading them is `meterhouse land dlms`."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.console import console, fail
from cli.database import ensure_ready
from ingestion.dlms.security import KeyStore
from ingestion.transports.dlms_push import PushListener
from ingestion.vendor import load_vendor
from warehouse import db
from warehouse.registry import vendor_of


def listen(
    discom: Annotated[str, typer.Option("--discom", "-d", help="Code of the DISCOM.")],
    hes: Annotated[str, typer.Option("--hes", help="Code of the head-end system in the registry.")],
    host: Annotated[str, typer.Option(help="Address to listen at; 0.0.0.0 for all.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 = any free one.", min=0, max=65535)] = 4059,
    plain: Annotated[bool, typer.Option(help="Also take notifications that are not ciphered, from anybody.")] = False,
) -> None:
    """Take what meters push by DLMS over the TCP wrapper, and land it, until it is stopped. Keys: see METERHOUSE_DLMS_KEYS.

    Example: meterhouse hes listen-dlms -d D01 --hes DLMS --port 4059
    """
    ensure_ready()
    with db.connect() as conn:
        name = vendor_of(conn, discom, hes)
    if name is None:
        fail(f"DISCOM {discom} has no head-end system {hes!r} in the registry: check hes.csv and import it again")
    with PushListener(db.connect, discom, hes, load_vendor(name), KeyStore.load(), host, port, plain=plain) as listener:
        console.print(f"listening on {host}:{listener.port}", soft_wrap=True)
        listener.serve_forever()
