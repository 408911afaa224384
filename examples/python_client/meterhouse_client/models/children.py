from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.children_kind import ChildrenKind, check_children_kind

if TYPE_CHECKING:
    from ..models.child_row import ChildRow
    from ..models.head import Head


T = TypeVar("T", bound="Children")


@_attrs_define
class Children:
    """Most loss first, those without a balance last. `next`: give it as `after` for the page that follows; null at the
    end.

        Attributes:
            of (Head): A DT, feeder or office. What is not said of its kind is null.
            kind (ChildrenKind):
            first (datetime.date):
            last (datetime.date):
            items (list[ChildRow]):
            next_ (None | str):
    """

    of: Head
    kind: ChildrenKind
    first: datetime.date
    last: datetime.date
    items: list[ChildRow]
    next_: None | str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        of = self.of.to_dict()

        kind: str = self.kind

        first = self.first.isoformat()

        last = self.last.isoformat()

        items = []
        for items_item_data in self.items:
            items_item = items_item_data.to_dict()
            items.append(items_item)

        next_: None | str
        next_ = self.next_

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "of": of,
                "kind": kind,
                "first": first,
                "last": last,
                "items": items,
                "next": next_,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.child_row import ChildRow  # noqa: PLC0415
        from ..models.head import Head  # noqa: PLC0415

        d = dict(src_dict)
        of = Head.from_dict(d.pop("of"))

        kind = check_children_kind(d.pop("kind"))

        first = datetime.date.fromisoformat(d.pop("first"))

        last = datetime.date.fromisoformat(d.pop("last"))

        items = []
        _items = d.pop("items")
        for items_item_data in _items:
            items_item = ChildRow.from_dict(items_item_data)

            items.append(items_item)

        def _parse_next_(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        next_ = _parse_next_(d.pop("next"))

        children = cls(
            of=of,
            kind=kind,
            first=first,
            last=last,
            items=items,
            next_=next_,
        )

        children.additional_properties = d
        return children

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
