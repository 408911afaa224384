"""What goes in and out of /api/v1/builder. Stamps go out in the DISCOM's time zone, figures in the unit that their column states."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StringConstraints, model_validator

from api.instants import Day
from api.reports.periods import NAMED

MAX_ROWS = 1_000_000
"""Rows that any export holds."""
MAX_COLUMNS, MAX_FILTERS, MAX_SORTS, MAX_VALUES = 60, 30, 10, 1_000


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("holds a character that cannot be printed")
    return text


Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=80)]
"""A column, or what the caller calls one."""
DatasetName = Annotated[str, StringConstraints(pattern=r"^[a-z]+\.[a-z][a-z0-9_]*$", max_length=80)]
Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120), AfterValidator(_printable)]
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000), AfterValidator(_printable)]
Text = Annotated[str, StringConstraints(max_length=500), AfterValidator(_printable)]
Value = StrictBool | StrictInt | StrictFloat | Text
"""Read as the type of its column: numbers as such (as text, to keep all digits), days as 2026-10-31, stamps as ISO 8601 with an offset."""

Op = Literal["=", "!=", "<", "<=", ">", ">=", "in", "not in", "between", "starts with", "is null", "is not null", "period"]
Period = Literal["hour", "hour_of_day", "day", "week", "month", "quarter", "financial_year"]
Format = Literal["csv", "xlsx", "json", "xml", "pdf", "parquet"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Calculated(_Strict):
    """The calendar period in which a day or a stamp lies, in the DISCOM's time zone: its first day (of an hour, its first instant), or with
    `hour_of_day` 0 to 23. A financial year begins in April."""

    column: Name
    period: Period
    name: Name | None = Field(None, description="what it is called in the answer; by itself <column>_<period>")


class Aggregate(_Strict):
    """A figure of all rows of a group.

    `count` without a column counts rows. An average of a ratio, as of percentages, must be asked for with `unweighted: true`: every row
    weighs the same in it. `ratio_of_sums` weighs rows as they should be: of a ratio column by what it is made of (see the dataset), or of
    what `of` and `to` name: `times` x sum(of) / sum(to), over rows in which all of them are known.
    """

    fn: Literal["sum", "avg", "min", "max", "count", "count_distinct", "ratio_of_sums"]
    column: Name | None = None
    of: list[Name] | None = Field(None, min_length=1, max_length=10)
    to: list[Name] | None = Field(None, min_length=1, max_length=10)
    times: float = Field(1, gt=0, le=1_000_000, allow_inf_nan=False, description="100 for a percentage")
    unweighted: bool = False
    name: Name | None = Field(None, description="what it is called in the answer; by itself <fn>_<column>, of a ratio the ratio column")


class Filter(_Strict):
    """Rows that hold it. All filters must hold.

    `in` and `not in` take a list, `between` two values, both included; `is null` and `is not null` none; `starts with` is of texts;
    `period` is of days, and takes a name such as last_month, which is reckoned when the report runs.
    """

    column: Name
    op: Op
    value: Value | Annotated[list[Value], Field(min_length=1, max_length=MAX_VALUES)] | None = None


class Sort(_Strict):
    by: Name = Field(description="a column of the answer, by its name there")
    descending: bool = False


class Chart(_Strict):
    """How to draw it: `y` over `x`, one line or bar for each value of `series`. All are columns of the answer, by their names there."""

    kind: Literal["bar", "line", "area", "pie", "scatter"]
    x: Name
    y: list[Name] = Field(min_length=1, max_length=10)
    series: Name | None = None
    title: Title | None = None


class Query(_Strict):
    """What a report holds. With aggregates, `columns` are the groups, each a row; without, the rows are those of the dataset."""

    dataset: DatasetName
    columns: list[Name | Calculated] = Field(default_factory=list, max_length=MAX_COLUMNS)
    aggregates: list[Aggregate] = Field(default_factory=list, max_length=MAX_COLUMNS)
    filters: list[Filter] = Field(default_factory=list, max_length=MAX_FILTERS)
    sort: list[Sort] = Field(default_factory=list, max_length=MAX_SORTS)
    limit: int | None = Field(None, ge=1, le=MAX_ROWS)
    chart: Chart | None = None

    @model_validator(mode="after")
    def _something(self) -> Query:
        if not self.columns and not self.aggregates:
            raise ValueError("choose at least one column or aggregate")
        return self


class Days(_Strict):
    """Business days that take the place of what the report's filters say of its dataset's days."""

    first: Day
    last: Day

    @model_validator(mode="after")
    def _in_order(self) -> Days:
        if self.last < self.first:
            raise ValueError(f"the period ends ({self.last}) before it begins ({self.first}): give the earlier day first")
        return self


class RatioOut(BaseModel):
    """times x sum(of) / sum(to)."""

    of: list[str]
    to: list[str]
    times: float


class ColumnOut(BaseModel):
    """A column of a dataset, and what may be done with it. Every column can be shown, grouped by and filtered."""

    name: str
    title: str
    type: str = Field(description="text, integer, decimal, real, boolean, date or stamp")
    data_type: str = Field(description="as PostgreSQL has it")
    unit: str | None
    description: str
    aggregates: list[str]
    periods: list[str]
    operators: list[str]
    ratio: RatioOut | None = Field(description="what `ratio_of_sums` of it is made of")


class DatasetLine(BaseModel):
    name: str
    title: str
    grain: str
    description: str
    report: str | None = Field(description="id of the report that it is")
    unfed: str | None = Field(description="why it is empty as yet")
    columns: int


class DatasetOut(DatasetLine):
    time_column: str | None = Field(description="a query must say which days of it it wants, at most `max_days`")
    max_days: int | None
    key: list[str] = Field(description="columns that name a row")
    overlap: list[str] = Field(
        description="of each, aggregates need a filter to one value, or a group: rows of two values count the same things"
    )
    fields: list[ColumnOut]


class AnswerColumn(BaseModel):
    name: str
    title: str
    type: str
    unit: str | None
    description: str


class Answer(BaseModel):
    """Rows in the order of `columns`. `first` to `last` are the business days that were asked for, of a dataset that has such."""

    dataset: str
    title: str
    columns: list[AnswerColumn]
    rows: list[list[Any]]
    truncated: bool = Field(description="there are more rows than were asked for or are given at once")
    first: date | None
    last: date | None
    time_zone: str
    chart: Chart | None
    cost: float = Field(description="what the server reckons the query costs, in its units")


class Plan(BaseModel):
    """What a query would be, without running it."""

    sql: str = Field(description="values are %(name)s")
    parameters: dict[str, Any]
    cost: float
    rows: float = Field(description="as the server reckons")
    max_cost: float
    columns: list[AnswerColumn]


class Saved(_Strict):
    """A report as it is saved. Shared, others run it, and clone it, under their own rights; with an office, those of it and below it."""

    name: Title
    description: Note = ""
    query: Query
    visibility: Literal["private", "shared"] = "private"
    office: Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(_printable)] | None = Field(
        None, description="code of the office that it is shared with; none = the whole DISCOM"
    )

    @model_validator(mode="after")
    def _shared(self) -> Saved:
        if self.office is not None and self.visibility != "shared":
            raise ValueError("office: a private report is shared with nobody: make it shared, or leave the office out")
        return self


class ConfigLine(BaseModel):
    id: int
    name: str
    description: str
    dataset: str
    visibility: Literal["private", "shared"]
    office: str | None
    owner: str
    own: bool = Field(description="whether it is the caller's own, to change and to delete")
    version: int
    cloned_from: int | None
    created_at: datetime
    updated_at: datetime


class Config(ConfigLine):
    query: Query


class ConfigPage(BaseModel):
    """By id. `next` is the cursor of the page that follows, None at the end."""

    items: list[ConfigLine]
    next: int | None


class VersionLine(BaseModel):
    version: int
    name: str
    saved_by: str
    saved_at: datetime
    restored_from: int | None


class Version(VersionLine):
    description: str
    query: Query


class CloneRequest(_Strict):
    name: Title | None = Field(None, description="by itself «Copy of …»")


PERIOD_NAMES = tuple(NAMED)
