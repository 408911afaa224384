from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.kind import Kind, check_kind

if TYPE_CHECKING:
    from ..models.commands_refusal import CommandsRefusal
    from ..models.group_states import GroupStates


T = TypeVar("T", bound="Group")


@_attrs_define
class Group:
    """A group and where its commands stand.

    Attributes:
        id (int):
        kind (Kind): What a command asks of a meter.
        requested_by (str):
        requested_at (datetime.datetime):
        states (GroupStates):
        not_before (datetime.datetime | None): when the first that is queued may go out
        refused (list[CommandsRefusal]):
    """

    id: int
    kind: Kind
    requested_by: str
    requested_at: datetime.datetime
    states: GroupStates
    not_before: datetime.datetime | None
    refused: list[CommandsRefusal]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        kind: str = self.kind

        requested_by = self.requested_by

        requested_at = self.requested_at.isoformat()

        states = self.states.to_dict()

        not_before: None | str
        if isinstance(self.not_before, datetime.datetime):
            not_before = self.not_before.isoformat()
        else:
            not_before = self.not_before

        refused = []
        for refused_item_data in self.refused:
            refused_item = refused_item_data.to_dict()
            refused.append(refused_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "kind": kind,
                "requested_by": requested_by,
                "requested_at": requested_at,
                "states": states,
                "not_before": not_before,
                "refused": refused,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.commands_refusal import CommandsRefusal  # noqa: PLC0415
        from ..models.group_states import GroupStates  # noqa: PLC0415

        d = dict(src_dict)
        id = d.pop("id")

        kind = check_kind(d.pop("kind"))

        requested_by = d.pop("requested_by")

        requested_at = datetime.datetime.fromisoformat(d.pop("requested_at"))

        states = GroupStates.from_dict(d.pop("states"))

        def _parse_not_before(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                not_before_type_0 = datetime.datetime.fromisoformat(data)

                return not_before_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        not_before = _parse_not_before(d.pop("not_before"))

        refused = []
        _refused = d.pop("refused")
        for refused_item_data in _refused:
            refused_item = CommandsRefusal.from_dict(refused_item_data)

            refused.append(refused_item)

        group = cls(
            id=id,
            kind=kind,
            requested_by=requested_by,
            requested_at=requested_at,
            states=states,
            not_before=not_before,
            refused=refused,
        )

        group.additional_properties = d
        return group

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
