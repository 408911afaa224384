"""What goes in and out of /api/v1/reports. Days are business days of the DISCOM, stamps go out in its time zone, energies in kWh or MU as
the column says."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from api.instants import Day


def _no_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("holds a NUL character")
    return text


Length = Literal["day", "week", "month", "quarter", "financial_year"]
Group = Literal["A", "B", "C", "D", "E", "F", "G", "H", "I", "J"]
Format = Literal["csv", "xlsx", "pdf", "json", "xml", "parquet"]
Text = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(_no_nul)]
ReportId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][0-9]{2}$")]
IdempotencyKey = Annotated[str, StringConstraints(min_length=8, max_length=200), AfterValidator(_no_nul)]
Cursor = Annotated[str, StringConstraints(min_length=1, max_length=2000), AfterValidator(_no_nul)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ColumnInfo(BaseModel):
    name: str
    title: str = Field(description="in plain words, with the unit")
    type: Literal["text", "integer", "decimal", "real", "boolean", "date", "stamp"]
    unit: str | None
    description: str


class ReportInfo(BaseModel):
    id: str
    name: str
    group: Group
    group_name: str
    grain: str = Field(description="what one row is of")
    key: list[str] = Field(description="columns that tell rows apart, and order them")
    periods: list[Length] = Field(description="lengths of its rows' periods; nothing where it says how things stand now")
    formula: str
    requirement: str = Field(description="why the report exists")
    empty_because: str | None = Field(description="what would feed it, of a report that nothing feeds yet")
    columns: list[ColumnInfo]


class Catalogue(BaseModel):
    groups: dict[str, str]
    reports: list[ReportInfo]


class PeriodAsked(BaseModel):
    """Which days: `first` and `last`, or a `period` and a day in it (`start`).

    Of a report by period, `period` takes its rows of that length alone.
    """

    first: Day | None = Field(None, description="first business day", examples=["2026-10-01"])
    last: Day | None = Field(None, description="last business day, included", examples=["2026-10-31"])
    period: Length | None = Field(None, description="length: with `start`, the period that holds that day; rows of this length alone")
    start: Day | None = Field(None, description="a day of the period", examples=["2026-10-01"])
    office: Text | None = Field(None, description="code: with the offices below it, as somebody who is limited to it sees it")


class RowsAsked(PeriodAsked):
    after: Cursor | None = Field(None, description="`next` of the page before")
    size: int = Field(100, ge=1, le=1000, description="rows of a page")
    describe: bool = Field(False, description="say what each column means, too")


class ConsumptionAsked(RowsAsked):
    category: Text | None = Field(None, description="of consumers", examples=["domestic"])
    consumer: Text | None = Field(None, description="code of the consumer")
    meter: Text | None = Field(None, description="serial of the meter")


class LossesAsked(RowsAsked):
    level: Literal["dt", "feeder", "area", "atc"] = Field(
        "feeder", description="report D01 of DTs, D02 of feeders, D04 of offices and towns, D05 the AT&C statement"
    )
    method: Literal["CEA_2017_CAPPED", "MOP_2023"] | None = Field(None, description="of the AT&C statement, one method alone")


class ExportAsked(PeriodAsked):
    format: Format


class ManyAsked(_Strict, PeriodAsked):
    """Several reports in one job; all say the same moment of the warehouse."""

    reports: list[ReportId] = Field(min_length=1, max_length=100)
    formats: list[Format] = Field(min_length=1, max_length=6)


class PeriodSaid(BaseModel):
    first: date
    last: date
    of: Length | None = Field(description="rows of this length alone; null = of all")


class ReportRows(BaseModel):
    """A page of a report. Decimals keep their digits; what is missing is null."""

    report: str
    name: str
    discom: str
    office: str | None
    time_zone: str
    period: PeriodSaid
    columns: list[ColumnInfo] | None = Field(description="with describe")
    rows: list[dict[str, Any]]
    next: str | None = Field(description="`after` of the next page")


class ExportPart(BaseModel):
    name: str
    rows: int | None = None
    bytes: int | None = None
    sha256: str | None = None
    error: str | None = Field(None, description="why this one is not there")


class ExportJob(BaseModel):
    id: UUID
    source: str
    what: dict[str, Any]
    state: Literal["queued", "running", "done", "failed", "cancelled", "expired"]
    rows: int = Field(description="done so far")
    rows_estimated: int | None = Field(description="by the planner, who may be far off")
    attempts: int
    error: str | None
    requested_at: datetime
    finished_at: datetime | None
    expires_at: datetime | None = Field(description="when the file goes")
    bytes: int | None
    sha256: str | None
    contents: list[ExportPart]
    download: str | None = Field(description="path that opens the file without other credentials, until download_expires_at")
    download_expires_at: datetime | None


RowsQuery = Annotated[RowsAsked, Query()]
ConsumptionQuery = Annotated[ConsumptionAsked, Query()]
LossesQuery = Annotated[LossesAsked, Query()]
ExportQuery = Annotated[ExportAsked, Query()]
