from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.proposal_request_overlay_type_1 import ProposalRequestOverlayType1
    from ..models.span import Span


T = TypeVar("T", bound="ProposalRequest")


@_attrs_define
class ProposalRequest:
    """A whole overlay: it takes the place of the present one.

    Attributes:
        overlay (ProposalRequestOverlayType1 | str): the text of the overlay's file, or the same as an object
        note (str): why
        preview (None | Span | Unset): days that are built: what would change on them is kept with the proposal
    """

    overlay: ProposalRequestOverlayType1 | str
    note: str
    preview: None | Span | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        from ..models.proposal_request_overlay_type_1 import ProposalRequestOverlayType1  # noqa: PLC0415
        from ..models.span import Span  # noqa: PLC0415

        overlay: dict[str, Any] | str
        if isinstance(self.overlay, ProposalRequestOverlayType1):
            overlay = self.overlay.to_dict()
        else:
            overlay = self.overlay

        note = self.note

        preview: dict[str, Any] | None | Unset
        if isinstance(self.preview, Unset):
            preview = UNSET
        elif isinstance(self.preview, Span):
            preview = self.preview.to_dict()
        else:
            preview = self.preview

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "overlay": overlay,
                "note": note,
            }
        )
        if preview is not UNSET:
            field_dict["preview"] = preview

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.proposal_request_overlay_type_1 import ProposalRequestOverlayType1  # noqa: PLC0415
        from ..models.span import Span  # noqa: PLC0415

        d = dict(src_dict)

        def _parse_overlay(data: object) -> ProposalRequestOverlayType1 | str:
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                overlay_type_1 = ProposalRequestOverlayType1.from_dict(data)

                return overlay_type_1
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(ProposalRequestOverlayType1 | str, data)

        overlay = _parse_overlay(d.pop("overlay"))

        note = d.pop("note")

        def _parse_preview(data: object) -> None | Span | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                preview_type_0 = Span.from_dict(data)

                return preview_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | Span | Unset, data)

        preview = _parse_preview(d.pop("preview", UNSET))

        proposal_request = cls(
            overlay=overlay,
            note=note,
            preview=preview,
        )

        return proposal_request
