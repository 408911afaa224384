from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define

if TYPE_CHECKING:
    from ..models.assign import Assign
    from ..models.case_filter import CaseFilter
    from ..models.close import Close


T = TypeVar("T", bound="Bulk")


@_attrs_define
class Bulk:
    """One action for all live cases of a filter, in one transaction. `expected`: how many you saw; 409 where they are more
    or fewer.

        Attributes:
            filter_ (CaseFilter): Which live cases; what is left out is any.
            expected (int):
            action (Assign | Close):
    """

    filter_: CaseFilter
    expected: int
    action: Assign | Close

    def to_dict(self) -> dict[str, Any]:
        from ..models.assign import Assign  # noqa: PLC0415

        filter_ = self.filter_.to_dict()

        expected = self.expected

        action: dict[str, Any]
        if isinstance(self.action, Assign):
            action = self.action.to_dict()
        else:
            action = self.action.to_dict()

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "filter": filter_,
                "expected": expected,
                "action": action,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.assign import Assign  # noqa: PLC0415
        from ..models.case_filter import CaseFilter  # noqa: PLC0415
        from ..models.close import Close  # noqa: PLC0415

        d = dict(src_dict)
        filter_ = CaseFilter.from_dict(d.pop("filter"))

        expected = d.pop("expected")

        def _parse_action(data: object) -> Assign | Close:
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                action_type_0 = Assign.from_dict(data)

                return action_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            if not isinstance(data, dict):
                raise TypeError()
            action_type_1 = Close.from_dict(data)

            return action_type_1

        action = _parse_action(d.pop("action"))

        bulk = cls(
            filter_=filter_,
            expected=expected,
            action=action,
        )

        return bulk
