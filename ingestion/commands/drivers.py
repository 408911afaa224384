"""Which way a command goes to its meter: by the vendor file of the meter's head-end system."""

from __future__ import annotations

import os
import threading
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path

from ingestion.commands.dlms import DlmsDriver
from ingestion.commands.driver import Driver
from ingestion.commands.rest import RestDriver
from ingestion.commands.states import Kind
from ingestion.commands.store import Job
from ingestion.dlms.meter import Endpoint
from ingestion.dlms.security import VARIABLE, KeysError, KeyStore
from ingestion.vendor import Vendor, VendorError, load_vendor


class NoDriver(RuntimeError):
    """No command can go to this meter; the message says why and how to mend it."""


_lock = threading.Lock()
_rest: dict[tuple[str, str], RestDriver] = {}


def driver_for(job: Job) -> Driver:
    """The driver for this command. Raises NoDriver."""
    with _lock:
        try:
            vendor = _vendor(job.hes.vendor)
            return _dlms(job, vendor) if vendor.transport["kind"] == "dlms" else _of_rest(job, vendor)
        except (VendorError, KeysError, ValueError) as e:
            raise NoDriver(str(e)) from None


def why_not(vendor_name: str, kind: Kind) -> str | None:
    """Why no command of this kind can go to meters of a vendor, by its vendor file alone; None where it can."""
    try:
        vendor = _vendor(vendor_name)
    except VendorError as e:
        return str(e)
    if vendor.transport["kind"] == "dlms":
        return None
    if vendor.transport["kind"] != "rest" or vendor.commands is None:
        return _NO_COMMANDS.format(vendor=vendor)
    return None if kind in vendor.commands["names"] else f"vendor {vendor.name} carries no {kind}: see commands.names in {vendor.path.name}"


_NO_COMMANDS = "vendor {vendor.name} takes no commands: they need transport.kind rest and a section commands in its vendor file"


def _of_rest(job: Job, vendor: Vendor) -> RestDriver:
    hes = job.hes
    if vendor.transport["kind"] != "rest" or vendor.commands is None:
        raise NoDriver(_NO_COMMANDS.format(vendor=vendor))
    if hes.base_url is None:
        raise NoDriver(f"head-end system {hes.code} has no base_url: add it to hes.csv and import the master data again")
    if (hes.vendor, hes.base_url) not in _rest:
        _rest[hes.vendor, hes.base_url] = RestDriver(vendor, hes.base_url)
    return _rest[hes.vendor, hes.base_url]


def _dlms(job: Job, vendor: Vendor) -> DlmsDriver:
    serial = job.command.serial
    if job.endpoint is None:
        raise NoDriver(f"there is no endpoint of meter {serial}: add it to meter_endpoint.csv and import the master data again")
    return DlmsDriver(vendor, Endpoint(serial, **asdict(job.endpoint)), _keys().of(serial))


@lru_cache(maxsize=32)
def _vendor(name: str) -> Vendor:
    return load_vendor(name)


def _keys() -> KeyStore:
    """The keys of meters, read again when their file has changed."""
    path = os.environ.get(VARIABLE)
    try:
        changed = Path(path).stat().st_mtime_ns if path else 0
    except OSError:
        changed = 0
    return _keys_as_of(path, changed)


@lru_cache(maxsize=1)
def _keys_as_of(path: str | None, changed: int) -> KeyStore:
    return KeyStore.load(path)
