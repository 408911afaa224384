from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.consumption_row_quality import (
    ConsumptionRowQuality,
    check_consumption_row_quality,
)
from ..types import UNSET, Unset

T = TypeVar("T", bound="ConsumptionRow")


@_attrs_define
class ConsumptionRow:
    """An interval, hour, day or month. Channels that were not asked for are left out.

    Attributes:
        start (datetime.datetime):
        end (datetime.datetime):
        quality (ConsumptionRowQuality): the weakest of what it sums; `qualities` has the words
        estimated_pct (float | None): estimated part of the energy, %; of the intervals where there is no energy
        methods (list[str]): of its estimates, such as EST_LIKE
        coverage_pct (float): share of its time for which there is a value, %
        import_kwh (float | None | Unset): kWh, 3 decimals; null where there is no value
        export_kwh (float | None | Unset): kWh, 3 decimals; null where there is no value
        kvah (float | None | Unset): apparent energy of the import, kVAh
        max_demand_kw (float | None | Unset): mean power of its highest interval
        power_factor (float | None | Unset): kWh / kVAh; null where there is no kVAh or it is incomplete
    """

    start: datetime.datetime
    end: datetime.datetime
    quality: ConsumptionRowQuality
    estimated_pct: float | None
    methods: list[str]
    coverage_pct: float
    import_kwh: float | None | Unset = UNSET
    export_kwh: float | None | Unset = UNSET
    kvah: float | None | Unset = UNSET
    max_demand_kw: float | None | Unset = UNSET
    power_factor: float | None | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        start = self.start.isoformat()

        end = self.end.isoformat()

        quality: str = self.quality

        estimated_pct: float | None
        estimated_pct = self.estimated_pct

        methods = self.methods

        coverage_pct = self.coverage_pct

        import_kwh: float | None | Unset
        if isinstance(self.import_kwh, Unset):
            import_kwh = UNSET
        else:
            import_kwh = self.import_kwh

        export_kwh: float | None | Unset
        if isinstance(self.export_kwh, Unset):
            export_kwh = UNSET
        else:
            export_kwh = self.export_kwh

        kvah: float | None | Unset
        if isinstance(self.kvah, Unset):
            kvah = UNSET
        else:
            kvah = self.kvah

        max_demand_kw: float | None | Unset
        if isinstance(self.max_demand_kw, Unset):
            max_demand_kw = UNSET
        else:
            max_demand_kw = self.max_demand_kw

        power_factor: float | None | Unset
        if isinstance(self.power_factor, Unset):
            power_factor = UNSET
        else:
            power_factor = self.power_factor

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "start": start,
                "end": end,
                "quality": quality,
                "estimated_pct": estimated_pct,
                "methods": methods,
                "coverage_pct": coverage_pct,
            }
        )
        if import_kwh is not UNSET:
            field_dict["import_kwh"] = import_kwh
        if export_kwh is not UNSET:
            field_dict["export_kwh"] = export_kwh
        if kvah is not UNSET:
            field_dict["kvah"] = kvah
        if max_demand_kw is not UNSET:
            field_dict["max_demand_kw"] = max_demand_kw
        if power_factor is not UNSET:
            field_dict["power_factor"] = power_factor

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        start = datetime.datetime.fromisoformat(d.pop("start"))

        end = datetime.datetime.fromisoformat(d.pop("end"))

        quality = check_consumption_row_quality(d.pop("quality"))

        def _parse_estimated_pct(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        estimated_pct = _parse_estimated_pct(d.pop("estimated_pct"))

        methods = cast(list[str], d.pop("methods"))

        coverage_pct = d.pop("coverage_pct")

        def _parse_import_kwh(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        import_kwh = _parse_import_kwh(d.pop("import_kwh", UNSET))

        def _parse_export_kwh(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        export_kwh = _parse_export_kwh(d.pop("export_kwh", UNSET))

        def _parse_kvah(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        kvah = _parse_kvah(d.pop("kvah", UNSET))

        def _parse_max_demand_kw(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        max_demand_kw = _parse_max_demand_kw(d.pop("max_demand_kw", UNSET))

        def _parse_power_factor(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        power_factor = _parse_power_factor(d.pop("power_factor", UNSET))

        consumption_row = cls(
            start=start,
            end=end,
            quality=quality,
            estimated_pct=estimated_pct,
            methods=methods,
            coverage_pct=coverage_pct,
            import_kwh=import_kwh,
            export_kwh=export_kwh,
            kvah=kvah,
            max_demand_kw=max_demand_kw,
            power_factor=power_factor,
        )

        return consumption_row
