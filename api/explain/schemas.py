"""What comes in under /api/v1/vee/explain. What goes out is the model of vee.explain: the command line shows the same."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path

from api import instants
from api.commands.schemas import Serial

MAX_SLOTS = 1500
"""Intervals of a minute in a day of 25 hours."""

MeterSerial = Annotated[Serial, Path(description="serial of the meter")]
Day = Annotated[instants.Day, Path(description="business day", examples=["2026-10-02"])]
Slot = Annotated[int, Path(ge=0, lt=MAX_SLOTS, description="number of the interval, 0 = the first of the day")]
