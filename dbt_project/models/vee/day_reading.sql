{{ config(materialized='view', contract={'enforced': false}) }}
{#
  What a build measures: fragments that are a whole day where they lie in raw, and the days that were put together. Only for vee.measure, right
  after vee.assembled_day: everyone else reads vee.meter_day.
#}
select f.discom_id, f.day, f.meter_id, f.interval_min, cardinality(f.import_wh) as slots, 1 as fragments, 0 as duplicate_slots, 0 as conflict_slots,
       null::integer as late_slots, f.received_at, f.batch_id, f.seq, f.import_wh, f.export_wh, f.import_vah, f.import_varh, f.voltage_dv, f.quality,
       f.q1_varh, f.q4_varh
from {{ ref('stg_raw__profile_fragment') }} f
where not exists (
    select 1 from {{ ref('assembled_day') }} a where a.discom_id = f.discom_id and a.day = f.day and a.meter_id = f.meter_id
)
union all
select discom_id, day, meter_id, interval_min, slots, fragments, duplicate_slots, conflict_slots, late_slots, received_at,
       null, null, import_wh, export_wh, import_vah, import_varh, voltage_dv, quality, null, null
from {{ ref('assembled_day') }}
