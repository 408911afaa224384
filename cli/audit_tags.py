"""meterhouse audit tags: which consumers hang at another DT than their tag says."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table

from cli.console import console, count
from cli.data import Discom
from cli.database import ensure_ready
from cli.run import discom_id_of
from warehouse import db


def tags(
    discom: Discom,
    month: Annotated[datetime, typer.Option(help="Which month, as 2026-10.", formats=["%Y-%m"])],
    show: Annotated[int, typer.Option(min=0, help="Rows to show.")] = 30,
) -> None:
    """Check the tags of a month's consumers by voltage, energy balance, outages and distance, and their neutral currents. What is found
    stands in energy.suspected_tag and energy.current_mismatch, for the reports D08 and H04; a month that was checked before is done anew.

    Example: meterhouse audit tags --discom D01 --month 2026-10
    """
    from audit import repository
    from audit.job import audit_month

    ensure_ready()
    discom_id = discom_id_of(discom)
    report = audit_month(discom_id, discom, month.date())
    console.print(
        f"{count(report.consumers)} consumers, {report.days} days, {report.seconds:.1f} s: {count(report.suspected)} tags suspected, "
        f"{count(report.possible)} possible; {count(report.mismatches)} meters with more in the neutral than in the phase."
    )
    with db.connect("meterhouse_dbt") as conn:
        found = repository.found_tags(conn, discom_id, month.date())
    table = Table(
        "consumer", "tag", "better", "phase", "state", "sure", *(["voltage", "energy", "outages", "distance"]), "m to tag", "m to better"
    )
    for tag in found[:show]:
        away = ("-" if d is None else f"{d:,.0f}" for d in tag.distance_m)
        evidence = (f"{e:+.1f}" for e in tag.evidence.values())
        table.add_row(tag.service_point, tag.tagged, tag.better, tag.phase or "", tag.state, f"{tag.confidence:.3f}", *evidence, *away)
    for column in table.columns[5:]:
        column.justify = "right"
    if found:
        console.print(table)
        console.print("[dim]Evidence: log-likelihood ratios; positive speaks for the better DT.[/dim]")
