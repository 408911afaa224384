from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.answer_column import AnswerColumn
    from ..models.plan_parameters import PlanParameters


T = TypeVar("T", bound="Plan")


@_attrs_define
class Plan:
    """What a query would be, without running it.

    Attributes:
        sql (str): values are %(name)s
        parameters (PlanParameters):
        cost (float):
        rows (float): as the server reckons
        max_cost (float):
        columns (list[AnswerColumn]):
    """

    sql: str
    parameters: PlanParameters
    cost: float
    rows: float
    max_cost: float
    columns: list[AnswerColumn]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        sql = self.sql

        parameters = self.parameters.to_dict()

        cost = self.cost

        rows = self.rows

        max_cost = self.max_cost

        columns = []
        for columns_item_data in self.columns:
            columns_item = columns_item_data.to_dict()
            columns.append(columns_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "sql": sql,
                "parameters": parameters,
                "cost": cost,
                "rows": rows,
                "max_cost": max_cost,
                "columns": columns,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.answer_column import AnswerColumn  # noqa: PLC0415
        from ..models.plan_parameters import PlanParameters  # noqa: PLC0415

        d = dict(src_dict)
        sql = d.pop("sql")

        parameters = PlanParameters.from_dict(d.pop("parameters"))

        cost = d.pop("cost")

        rows = d.pop("rows")

        max_cost = d.pop("max_cost")

        columns = []
        _columns = d.pop("columns")
        for columns_item_data in _columns:
            columns_item = AnswerColumn.from_dict(columns_item_data)

            columns.append(columns_item)

        plan = cls(
            sql=sql,
            parameters=parameters,
            cost=cost,
            rows=rows,
            max_cost=max_cost,
            columns=columns,
        )

        plan.additional_properties = d
        return plan

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
