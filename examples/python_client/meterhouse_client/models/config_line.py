from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.config_line_visibility import (
    ConfigLineVisibility,
    check_config_line_visibility,
)

T = TypeVar("T", bound="ConfigLine")


@_attrs_define
class ConfigLine:
    """
    Attributes:
        id (int):
        name (str):
        description (str):
        dataset (str):
        visibility (ConfigLineVisibility):
        office (None | str):
        owner (str):
        own (bool): whether it is the caller's own, to change and to delete
        version (int):
        cloned_from (int | None):
        created_at (datetime.datetime):
        updated_at (datetime.datetime):
    """

    id: int
    name: str
    description: str
    dataset: str
    visibility: ConfigLineVisibility
    office: None | str
    owner: str
    own: bool
    version: int
    cloned_from: int | None
    created_at: datetime.datetime
    updated_at: datetime.datetime
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        name = self.name

        description = self.description

        dataset = self.dataset

        visibility: str = self.visibility

        office: None | str
        office = self.office

        owner = self.owner

        own = self.own

        version = self.version

        cloned_from: int | None
        cloned_from = self.cloned_from

        created_at = self.created_at.isoformat()

        updated_at = self.updated_at.isoformat()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "name": name,
                "description": description,
                "dataset": dataset,
                "visibility": visibility,
                "office": office,
                "owner": owner,
                "own": own,
                "version": version,
                "cloned_from": cloned_from,
                "created_at": created_at,
                "updated_at": updated_at,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        id = d.pop("id")

        name = d.pop("name")

        description = d.pop("description")

        dataset = d.pop("dataset")

        visibility = check_config_line_visibility(d.pop("visibility"))

        def _parse_office(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        office = _parse_office(d.pop("office"))

        owner = d.pop("owner")

        own = d.pop("own")

        version = d.pop("version")

        def _parse_cloned_from(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        cloned_from = _parse_cloned_from(d.pop("cloned_from"))

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        updated_at = datetime.datetime.fromisoformat(d.pop("updated_at"))

        config_line = cls(
            id=id,
            name=name,
            description=description,
            dataset=dataset,
            visibility=visibility,
            office=office,
            owner=owner,
            own=own,
            version=version,
            cloned_from=cloned_from,
            created_at=created_at,
            updated_at=updated_at,
        )

        config_line.additional_properties = d
        return config_line

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
