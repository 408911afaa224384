from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.provider_info_kind import ProviderInfoKind, check_provider_info_kind

T = TypeVar("T", bound="ProviderInfo")


@_attrs_define
class ProviderInfo:
    """A way to log in, for a page that offers it.

    Attributes:
        name (str):
        kind (ProviderInfoKind):
        title (str):
        log_in (str): path: of `ldap` to POST login and password to, of the others where the browser goes
    """

    name: str
    kind: ProviderInfoKind
    title: str
    log_in: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        kind: str = self.kind

        title = self.title

        log_in = self.log_in

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "name": name,
                "kind": kind,
                "title": title,
                "log_in": log_in,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        name = d.pop("name")

        kind = check_provider_info_kind(d.pop("kind"))

        title = d.pop("title")

        log_in = d.pop("log_in")

        provider_info = cls(
            name=name,
            kind=kind,
            title=title,
            log_in=log_in,
        )

        provider_info.additional_properties = d
        return provider_info

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
