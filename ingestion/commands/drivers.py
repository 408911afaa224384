"""Which way a command goes to its meter: by the vendor file of the meter's head-end system."""

from __future__ import annotations

import threading

from ingestion.commands.driver import Driver
from ingestion.commands.rest import RestDriver
from ingestion.commands.store import Job
from ingestion.vendor import VendorError, load_vendor


class NoDriver(RuntimeError):
    """No command can go to this meter; the message says why and how to mend it."""


_lock = threading.Lock()
_rest: dict[tuple[str, str], RestDriver] = {}


def driver_for(job: Job) -> Driver:
    """The driver for this command. Raises NoDriver."""
    hes = job.hes
    if hes.base_url is None:
        raise NoDriver(f"head-end system {hes.code} has no base_url: add it to hes.csv and import the master data again")
    with _lock:
        if (hes.vendor, hes.base_url) not in _rest:
            try:
                _rest[hes.vendor, hes.base_url] = RestDriver(load_vendor(hes.vendor), hes.base_url)
            except (VendorError, ValueError) as e:
                raise NoDriver(str(e)) from None
        return _rest[hes.vendor, hes.base_url]
