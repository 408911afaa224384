from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.aggregate_fn import AggregateFn, check_aggregate_fn
from ..types import UNSET, Unset

T = TypeVar("T", bound="Aggregate")


@_attrs_define
class Aggregate:
    """A figure of all rows of a group.

    `count` without a column counts rows. An average of a ratio, as of percentages, must be asked for with `unweighted:
    true`: every row
    weighs the same in it. `ratio_of_sums` weighs rows as they should be: of a ratio column by what it is made of (see
    the dataset), or of
    what `of` and `to` name: `times` x sum(of) / sum(to), over rows in which all of them are known.

        Attributes:
            fn (AggregateFn):
            column (None | str | Unset):
            of (list[str] | None | Unset):
            to (list[str] | None | Unset):
            times (float | Unset): 100 for a percentage Default: 1.0.
            unweighted (bool | Unset):  Default: False.
            name (None | str | Unset): what it is called in the answer; by itself <fn>_<column>, of a ratio the ratio column
    """

    fn: AggregateFn
    column: None | str | Unset = UNSET
    of: list[str] | None | Unset = UNSET
    to: list[str] | None | Unset = UNSET
    times: float | Unset = 1.0
    unweighted: bool | Unset = False
    name: None | str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        fn: str = self.fn

        column: None | str | Unset
        if isinstance(self.column, Unset):
            column = UNSET
        else:
            column = self.column

        of: list[str] | None | Unset
        if isinstance(self.of, Unset):
            of = UNSET
        elif isinstance(self.of, list):
            of = self.of

        else:
            of = self.of

        to: list[str] | None | Unset
        if isinstance(self.to, Unset):
            to = UNSET
        elif isinstance(self.to, list):
            to = self.to

        else:
            to = self.to

        times = self.times

        unweighted = self.unweighted

        name: None | str | Unset
        if isinstance(self.name, Unset):
            name = UNSET
        else:
            name = self.name

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "fn": fn,
            }
        )
        if column is not UNSET:
            field_dict["column"] = column
        if of is not UNSET:
            field_dict["of"] = of
        if to is not UNSET:
            field_dict["to"] = to
        if times is not UNSET:
            field_dict["times"] = times
        if unweighted is not UNSET:
            field_dict["unweighted"] = unweighted
        if name is not UNSET:
            field_dict["name"] = name

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        fn = check_aggregate_fn(d.pop("fn"))

        def _parse_column(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        column = _parse_column(d.pop("column", UNSET))

        def _parse_of(data: object) -> list[str] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                of_type_0 = cast(list[str], data)

                return of_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[str] | None | Unset, data)

        of = _parse_of(d.pop("of", UNSET))

        def _parse_to(data: object) -> list[str] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                to_type_0 = cast(list[str], data)

                return to_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[str] | None | Unset, data)

        to = _parse_to(d.pop("to", UNSET))

        times = d.pop("times", UNSET)

        unweighted = d.pop("unweighted", UNSET)

        def _parse_name(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        name = _parse_name(d.pop("name", UNSET))

        aggregate = cls(
            fn=fn,
            column=column,
            of=of,
            to=to,
            times=times,
            unweighted=unweighted,
            name=name,
        )

        return aggregate
