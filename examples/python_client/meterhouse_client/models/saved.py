from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.saved_visibility import SavedVisibility, check_saved_visibility
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.query import Query


T = TypeVar("T", bound="Saved")


@_attrs_define
class Saved:
    """A report as it is saved. Shared, others run it, and clone it, under their own rights; with an office, those of it
    and below it.

        Attributes:
            name (str):
            query (Query): What a report holds. With aggregates, `columns` are the groups, each a row; without, the rows are
                those of the dataset.
            description (str | Unset):  Default: ''.
            visibility (SavedVisibility | Unset):  Default: 'private'.
            office (None | str | Unset): code of the office that it is shared with; none = the whole DISCOM
    """

    name: str
    query: Query
    description: str | Unset = ""
    visibility: SavedVisibility | Unset = "private"
    office: None | str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        query = self.query.to_dict()

        description = self.description

        visibility: str | Unset = UNSET
        if not isinstance(self.visibility, Unset):
            visibility = self.visibility

        office: None | str | Unset
        if isinstance(self.office, Unset):
            office = UNSET
        else:
            office = self.office

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "name": name,
                "query": query,
            }
        )
        if description is not UNSET:
            field_dict["description"] = description
        if visibility is not UNSET:
            field_dict["visibility"] = visibility
        if office is not UNSET:
            field_dict["office"] = office

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.query import Query  # noqa: PLC0415

        d = dict(src_dict)
        name = d.pop("name")

        query = Query.from_dict(d.pop("query"))

        description = d.pop("description", UNSET)

        _visibility = d.pop("visibility", UNSET)
        visibility: SavedVisibility | Unset
        if isinstance(_visibility, Unset):
            visibility = UNSET
        else:
            visibility = check_saved_visibility(_visibility)

        def _parse_office(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        office = _parse_office(d.pop("office", UNSET))

        saved = cls(
            name=name,
            query=query,
            description=description,
            visibility=visibility,
            office=office,
        )

        return saved
