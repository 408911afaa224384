{{ config(materialized='view') }}
-- What analysts read: one row a meter and interval, in kWh of the consumer (multiplying factor applied), with times as instants.
select f.discom_id, f.day, f.meter_id, p.serial, f.place, f.category, f.office_id, s.slot,
       (f.day::timestamp at time zone p.timezone) + make_interval(mins => s.slot * f.interval_min) as starts_at,
       (f.day::timestamp at time zone p.timezone) + make_interval(mins => (s.slot + 1) * f.interval_min) as ends_at,
       (f.import_wh[s.slot + 1] * p.mf / 1000)::numeric(18, 3) as import_kwh,
       (f.export_wh[s.slot + 1] * p.mf / 1000)::numeric(18, 3) as export_kwh,
       (f.import_vah[s.slot + 1] * p.mf / 1000)::numeric(18, 3) as import_kvah,
       (f.voltage_dv[s.slot + 1] / 10.0)::numeric(18, 3) as voltage_v,
       (f.current_ma[s.slot + 1] / 1000.0)::numeric(18, 3) as current_a,
       q.letter as quality,
       nullif(coalesce(f.method[s.slot + 1], 0), 0)::smallint as method
from {{ ref('final_day') }} f
join {{ ref('stg_registry__meter_place') }} p on p.discom_id = f.discom_id and p.meter_id = f.meter_id and {{ valid_on('p', 'f.day') }}
cross join lateral generate_series(0, f.slots - 1) as s(slot)
left join {{ ref('code_quality') }} q on q.quality = coalesce(f.quality[s.slot + 1], f.day_quality)
