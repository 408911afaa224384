"""A second REST style, as of MDAS software: flat rows with camelCase columns, Spring pages. The same readings as vendor `hpl` has.

`GET {base}/mdas/readings?profileType={blockLoad|dailyLoad}&fromTime={ISO}&toTime={ISO}&pageNo={n from 0}&pageSize={n}` answers
`{"content": [row, ...], "number": 0, "totalPages": 3}`. A row is one stamp of one meter, IST without zone, stamped at the interval's end.
The names say kWh, the values are Wh: the unit must come from the source's configuration.
"""

from __future__ import annotations

from typing import Any

PROFILES = {"blockLoad": "block", "dailyLoad": "daily"}

COLUMNS = {
    "1.0.1.29.0.255": ("blockEnergyKwhImport", 0),
    "1.0.2.29.0.255": ("blockEnergyKwhExport", 0),
    "1.0.9.29.0.255": ("blockEnergyKvahImport", 0),
    "1.0.12.27.0.255": ("averageVoltage", -2),
    "1.0.32.27.0.255": ("averageVoltage", -2),
    "1.0.31.27.0.255": ("averageCurrent", -2),
    "1.0.1.8.0.255": ("cumulativeEnergyKwhImport", 0),
    "1.0.2.8.0.255": ("cumulativeEnergyKwhExport", 0),
    "1.0.9.8.0.255": ("cumulativeEnergyKvahImport", 0),
}
"""Name, and the decimals that the value is shown with (a power of ten)."""


def rows(line: dict[str, Any], profile: str) -> list[dict[str, Any]]:
    """The rows on the wire for a line of the store (simulation.hpl)."""
    out = []
    for stamp, *raw in line["entries"]:
        row: dict[str, Any] = {"meterNumber": line["meterSerial"], "readingTime": stamp, "hesReceivedTime": line["receivedAt"]}
        for (obis, _, scalar, _), value in zip(line["columns"], raw, strict=True):
            name, decimals = COLUMNS[obis]
            if value is not None:
                row[name] = f"{value / 10**-decimals:.{-decimals}f}" if decimals else value * 10**scalar
        out.append(row)
    return out
