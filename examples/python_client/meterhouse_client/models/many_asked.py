from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.many_asked_formats_item import (
    ManyAskedFormatsItem,
    check_many_asked_formats_item,
)
from ..models.many_asked_period_type_0 import (
    ManyAskedPeriodType0,
    check_many_asked_period_type_0,
)
from ..types import UNSET, Unset

T = TypeVar("T", bound="ManyAsked")


@_attrs_define
class ManyAsked:
    """Several reports in one job; all say the same moment of the warehouse.

    Attributes:
        reports (list[str]):
        formats (list[ManyAskedFormatsItem]):
        first (datetime.date | None | Unset): first business day
        last (datetime.date | None | Unset): last business day, included
        period (ManyAskedPeriodType0 | None | Unset): length: with `start`, the period that holds that day; rows of this
            length alone
        start (datetime.date | None | Unset): a day of the period
        office (None | str | Unset): code: with the offices below it, as somebody who is limited to it sees it
    """

    reports: list[str]
    formats: list[ManyAskedFormatsItem]
    first: datetime.date | None | Unset = UNSET
    last: datetime.date | None | Unset = UNSET
    period: ManyAskedPeriodType0 | None | Unset = UNSET
    start: datetime.date | None | Unset = UNSET
    office: None | str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        reports = self.reports

        formats = []
        for formats_item_data in self.formats:
            formats_item: str = formats_item_data
            formats.append(formats_item)

        first: None | str | Unset
        if isinstance(self.first, Unset):
            first = UNSET
        elif isinstance(self.first, datetime.date):
            first = self.first.isoformat()
        else:
            first = self.first

        last: None | str | Unset
        if isinstance(self.last, Unset):
            last = UNSET
        elif isinstance(self.last, datetime.date):
            last = self.last.isoformat()
        else:
            last = self.last

        period: None | str | Unset
        if isinstance(self.period, Unset):
            period = UNSET
        elif isinstance(self.period, str):
            period = self.period
        else:
            period = self.period

        start: None | str | Unset
        if isinstance(self.start, Unset):
            start = UNSET
        elif isinstance(self.start, datetime.date):
            start = self.start.isoformat()
        else:
            start = self.start

        office: None | str | Unset
        if isinstance(self.office, Unset):
            office = UNSET
        else:
            office = self.office

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "reports": reports,
                "formats": formats,
            }
        )
        if first is not UNSET:
            field_dict["first"] = first
        if last is not UNSET:
            field_dict["last"] = last
        if period is not UNSET:
            field_dict["period"] = period
        if start is not UNSET:
            field_dict["start"] = start
        if office is not UNSET:
            field_dict["office"] = office

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        reports = cast(list[str], d.pop("reports"))

        formats = []
        _formats = d.pop("formats")
        for formats_item_data in _formats:
            formats_item = check_many_asked_formats_item(formats_item_data)

            formats.append(formats_item)

        def _parse_first(data: object) -> datetime.date | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                first_type_0 = datetime.date.fromisoformat(data)

                return first_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.date | None | Unset, data)

        first = _parse_first(d.pop("first", UNSET))

        def _parse_last(data: object) -> datetime.date | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                last_type_0 = datetime.date.fromisoformat(data)

                return last_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.date | None | Unset, data)

        last = _parse_last(d.pop("last", UNSET))

        def _parse_period(data: object) -> ManyAskedPeriodType0 | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                period_type_0 = check_many_asked_period_type_0(data)

                return period_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(ManyAskedPeriodType0 | None | Unset, data)

        period = _parse_period(d.pop("period", UNSET))

        def _parse_start(data: object) -> datetime.date | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                start_type_0 = datetime.date.fromisoformat(data)

                return start_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.date | None | Unset, data)

        start = _parse_start(d.pop("start", UNSET))

        def _parse_office(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        office = _parse_office(d.pop("office", UNSET))

        many_asked = cls(
            reports=reports,
            formats=formats,
            first=first,
            last=last,
            period=period,
            start=start,
            office=office,
        )

        return many_asked
