from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.export_job_state import ExportJobState, check_export_job_state

if TYPE_CHECKING:
    from ..models.export_job_what import ExportJobWhat
    from ..models.export_part import ExportPart


T = TypeVar("T", bound="ExportJob")


@_attrs_define
class ExportJob:
    """
    Attributes:
        id (UUID):
        source (str):
        what (ExportJobWhat):
        state (ExportJobState):
        rows (int): done so far
        rows_estimated (int | None): by the planner, who may be far off
        attempts (int):
        error (None | str):
        requested_at (datetime.datetime):
        finished_at (datetime.datetime | None):
        expires_at (datetime.datetime | None): when the file goes
        bytes_ (int | None):
        sha256 (None | str):
        contents (list[ExportPart]):
        download (None | str): path that opens the file without other credentials, until download_expires_at
        download_expires_at (datetime.datetime | None):
    """

    id: UUID
    source: str
    what: ExportJobWhat
    state: ExportJobState
    rows: int
    rows_estimated: int | None
    attempts: int
    error: None | str
    requested_at: datetime.datetime
    finished_at: datetime.datetime | None
    expires_at: datetime.datetime | None
    bytes_: int | None
    sha256: None | str
    contents: list[ExportPart]
    download: None | str
    download_expires_at: datetime.datetime | None
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = str(self.id)

        source = self.source

        what = self.what.to_dict()

        state: str = self.state

        rows = self.rows

        rows_estimated: int | None
        rows_estimated = self.rows_estimated

        attempts = self.attempts

        error: None | str
        error = self.error

        requested_at = self.requested_at.isoformat()

        finished_at: None | str
        if isinstance(self.finished_at, datetime.datetime):
            finished_at = self.finished_at.isoformat()
        else:
            finished_at = self.finished_at

        expires_at: None | str
        if isinstance(self.expires_at, datetime.datetime):
            expires_at = self.expires_at.isoformat()
        else:
            expires_at = self.expires_at

        bytes_: int | None
        bytes_ = self.bytes_

        sha256: None | str
        sha256 = self.sha256

        contents = []
        for contents_item_data in self.contents:
            contents_item = contents_item_data.to_dict()
            contents.append(contents_item)

        download: None | str
        download = self.download

        download_expires_at: None | str
        if isinstance(self.download_expires_at, datetime.datetime):
            download_expires_at = self.download_expires_at.isoformat()
        else:
            download_expires_at = self.download_expires_at

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "source": source,
                "what": what,
                "state": state,
                "rows": rows,
                "rows_estimated": rows_estimated,
                "attempts": attempts,
                "error": error,
                "requested_at": requested_at,
                "finished_at": finished_at,
                "expires_at": expires_at,
                "bytes": bytes_,
                "sha256": sha256,
                "contents": contents,
                "download": download,
                "download_expires_at": download_expires_at,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.export_job_what import ExportJobWhat  # noqa: PLC0415
        from ..models.export_part import ExportPart  # noqa: PLC0415

        d = dict(src_dict)
        id = UUID(d.pop("id"))

        source = d.pop("source")

        what = ExportJobWhat.from_dict(d.pop("what"))

        state = check_export_job_state(d.pop("state"))

        rows = d.pop("rows")

        def _parse_rows_estimated(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        rows_estimated = _parse_rows_estimated(d.pop("rows_estimated"))

        attempts = d.pop("attempts")

        def _parse_error(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        error = _parse_error(d.pop("error"))

        requested_at = datetime.datetime.fromisoformat(d.pop("requested_at"))

        def _parse_finished_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                finished_at_type_0 = datetime.datetime.fromisoformat(data)

                return finished_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        finished_at = _parse_finished_at(d.pop("finished_at"))

        def _parse_expires_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                expires_at_type_0 = datetime.datetime.fromisoformat(data)

                return expires_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        expires_at = _parse_expires_at(d.pop("expires_at"))

        def _parse_bytes_(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        bytes_ = _parse_bytes_(d.pop("bytes"))

        def _parse_sha256(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        sha256 = _parse_sha256(d.pop("sha256"))

        contents = []
        _contents = d.pop("contents")
        for contents_item_data in _contents:
            contents_item = ExportPart.from_dict(contents_item_data)

            contents.append(contents_item)

        def _parse_download(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        download = _parse_download(d.pop("download"))

        def _parse_download_expires_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                download_expires_at_type_0 = datetime.datetime.fromisoformat(data)

                return download_expires_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        download_expires_at = _parse_download_expires_at(d.pop("download_expires_at"))

        export_job = cls(
            id=id,
            source=source,
            what=what,
            state=state,
            rows=rows,
            rows_estimated=rows_estimated,
            attempts=attempts,
            error=error,
            requested_at=requested_at,
            finished_at=finished_at,
            expires_at=expires_at,
            bytes_=bytes_,
            sha256=sha256,
            contents=contents,
            download=download,
            download_expires_at=download_expires_at,
        )

        export_job.additional_properties = d
        return export_job

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
