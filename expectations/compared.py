"""A rule that judges a figure against another of the same row, as an expectation of Great Expectations. Importing it makes it known there.

It is an expectation of one column that knows a second one, not of a pair of columns: so it is judged in the same aggregated query as the
others, and its failing rows come in the same form.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from great_expectations.execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations.expectation import ColumnMapExpectation
from great_expectations.expectations.metrics.map_metric_provider import ColumnMapMetricProvider, column_condition_partial


class ColumnComparedBetween(ColumnMapMetricProvider):
    """The condition in SQL. A row without one of the figures, or with a divisor of 0, has nothing to judge and passes."""

    condition_metric_name = "column_values.compared_between"
    condition_value_keys = ("per", "minus", "min_value", "max_value")

    @column_condition_partial(engine=SqlAlchemyExecutionEngine)
    def _sqlalchemy(
        cls,
        column: sa.ColumnElement[Any],
        per: str | None = None,
        minus: str | None = None,
        min_value: float | None = None,
        max_value: float | None = None,
        **_: Any,
    ) -> sa.ColumnElement[bool]:
        figure = sa.cast(column, sa.Double)
        outcome = figure / sa.func.nullif(sa.column(per), sa.literal(0)) if per else figure - sa.column(minus)  # type: ignore[arg-type]
        limits = ([outcome >= sa.literal(min_value)] if min_value is not None else []) + (
            [outcome <= sa.literal(max_value)] if max_value is not None else []
        )
        return sa.or_(outcome.is_(None), sa.and_(*limits))


class ExpectColumnComparedToBeBetween(ColumnMapExpectation):
    """`column` divided by `per`, or less `minus`, is between min_value and max_value."""

    map_metric = "column_values.compared_between"
    success_keys = ("per", "minus", "min_value", "max_value", "mostly")
    args_keys = ("column", "per", "minus", "min_value", "max_value")

    per: str | None = None
    minus: str | None = None
    min_value: float | None = None
    max_value: float | None = None
