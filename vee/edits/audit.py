"""Whether the record of what people did is as it was written: the chain of hashes over edits, decisions and freezes, walked anew.

The database sets each hash when the row is inserted (trigger vee.chain); here it is computed again, outside of it. What the chain cannot
show alone is that it was cut off together with its head, or written anew from some row on: for that a head noted earlier is compared.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import psycopg

from vee.edits import repository


@dataclass(frozen=True)
class Verdict:
    """`fault` names the first row that is not as it was written, None = the chain holds."""

    entries: int
    head: str
    fault: str | None = None


def verify(conn: psycopg.Connection, discom_id: int, anchor: tuple[int, str] | None = None) -> Verdict:
    """Walk a DISCOM's chain. `anchor` = (entries, head) as a verdict said earlier; that row must still be the same."""
    repository.lock(conn, discom_id)  # else rows come between reading the head and walking
    entries, head = repository.head(conn, discom_id)
    previous, n, fault = b"", 0, None
    for link in repository.chain(conn, discom_id):
        n += 1
        fault = _fault(link, n, previous) if n <= entries else f"{_name(link)} was inserted: the chain ends at place {entries}"
        if fault is None and anchor and anchor[0] == n and anchor[1] != link.hash.hex():
            fault = f"{_name(link)} at place {n} is not the one that was noted ({anchor[1]}): the chain was written anew"
        if fault:
            return Verdict(n, head.hex(), fault)
        previous = link.hash
    if (n, previous) != (entries, head):
        fault = f"the row at place {n + 1} was removed, and all after it: the chain had {entries}"
        if n == entries:
            fault = f"the head was changed: it is not the hash of the row at place {n}"
    elif anchor and anchor[0] > n:
        fault = f"the chain has {n} rows, {anchor[0]} were noted earlier: it was cut off together with its head"
    return Verdict(n, head.hex(), fault)


def _fault(link: repository.Link, n: int, previous: bytes) -> str | None:
    name = _name(link)
    if link.chain_no > n:
        return f"the row at place {n} was removed: after it comes {name}"
    if link.chain_no < n:
        return f"{name} was inserted: place {link.chain_no} is taken twice"
    if link.prev_hash != previous:
        return f"{name} at place {n} was inserted or changed: it does not follow the row before it"
    if hashlib.sha256(link.prev_hash + link.line.encode()).digest() != link.hash:
        return f"{name} at place {n} was changed: its content is not what was hashed"
    if not link.decided:
        return f"{name} at place {n} was changed: its approval is not that of its decision"
    return None


def _name(link: repository.Link) -> str:
    return f"vee.{link.kind} {link.row_id}"
