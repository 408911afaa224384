from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define

from ..models.change_request_channel import (
    ChangeRequestChannel,
    check_change_request_channel,
)

if TYPE_CHECKING:
    from ..models.operation_request import OperationRequest


T = TypeVar("T", bound="ChangeRequest")


@_attrs_define
class ChangeRequest:
    """One channel of one meter's day. Several operations are done in their order.

    Attributes:
        meter (str): serial number
        day (datetime.date):
        channel (ChangeRequestChannel):
        version (str): of the day as you saw it: GET /api/v1/edits/day
        operations (list[OperationRequest]):
    """

    meter: str
    day: datetime.date
    channel: ChangeRequestChannel
    version: str
    operations: list[OperationRequest]

    def to_dict(self) -> dict[str, Any]:
        meter = self.meter

        day = self.day.isoformat()

        channel: str = self.channel

        version = self.version

        operations = []
        for operations_item_data in self.operations:
            operations_item = operations_item_data.to_dict()
            operations.append(operations_item)

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "meter": meter,
                "day": day,
                "channel": channel,
                "version": version,
                "operations": operations,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.operation_request import OperationRequest  # noqa: PLC0415

        d = dict(src_dict)
        meter = d.pop("meter")

        day = datetime.date.fromisoformat(d.pop("day"))

        channel = check_change_request_channel(d.pop("channel"))

        version = d.pop("version")

        operations = []
        _operations = d.pop("operations")
        for operations_item_data in _operations:
            operations_item = OperationRequest.from_dict(operations_item_data)

            operations.append(operations_item)

        change_request = cls(
            meter=meter,
            day=day,
            channel=channel,
            version=version,
            operations=operations,
        )

        return change_request
