"""A push, from bytes to a landed batch."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache

from api.auth import Caller, Identity
from api.database import Database
from api.errors import Problem
from ingestion.canonical import Rejection
from ingestion.contexts import Contexts
from ingestion.landing import LandingResult, counts_of_batch, land
from ingestion.readers import read
from ingestion.readers.native import read_native
from ingestion.vendor import Vendor, VendorError, load_vendor

NATIVE = "application/vnd.meterhouse+json"
"""Media type of Meterhouse's own JSON; a body of any other is read by the vendor file of the caller's head-end system."""

_vendor = lru_cache(maxsize=64)(load_vendor)


def take(
    pools: Database, contexts: Contexts, caller: Caller, path: str, media_type: str, body: bytes
) -> tuple[LandingResult, list[Rejection]]:
    """Land a body. It is committed when this returns. The rejections are those that the body itself gave cause for.

    Of a duplicate the counts are those of its earlier landing.
    """
    source = f"push:{caller.subject}{path}"
    received_at, identity = datetime.now(UTC), caller.identity
    delivery = read_native(source, body, received_at) if media_type == NATIVE else read(_vendor_of(identity), source, body, received_at)
    rejections = list(delivery.rejections)
    with pools.loader() as conn:
        context = contexts.get(conn, caller.discom)
        assert identity.hes_id is not None  # a key of a head-end system has one: a CHECK of ops.api_key
        result = land(conn, context, identity.hes_id, delivery)
        if result.duplicate:
            received, accepted, rejected = counts_of_batch(conn, context, result.batch_id)
            result = replace(result, received=received, accepted=accepted, rejected=rejected)
    return result, rejections


def _vendor_of(identity: Identity) -> Vendor:
    try:
        return _vendor(str(identity.vendor))
    except VendorError as e:
        detail = f"the body is not {NATIVE}, and the head-end system {identity.hes} has no usable vendor file: {e}"
        raise Problem(415, "NO_VENDOR_FILE", "The body cannot be read", detail) from None
