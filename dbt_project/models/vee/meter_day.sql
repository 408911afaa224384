{{ config(materialized='view') }}
-- A day that came whole is read where it was landed; vee.measure knows in which fragment it was when the day was built.
select x.discom_id, x.day, x.meter_id, x.interval_min, x.slots, x.fragments, x.duplicate_slots, x.conflict_slots, x.late_slots, x.received_at,
       coalesce(f.import_wh, a.import_wh, array_fill(null::integer, array[x.slots])) as import_wh,
       {%- for c in channels()[1:] %}
       case when x.batch_id is null then a.{{ c }} else f.{{ c }} end as {{ c }}{{ ',' if not loop.last }}
       {%- endfor %}
from {{ ref('measure') }} x
left join {{ source('raw', 'profile_fragment') }} f
  on f.discom_id = x.discom_id and f.day = x.day and f.meter_id = x.meter_id and f.batch_id = x.batch_id and f.seq = x.seq
left join {{ ref('assembled_day') }} a on a.discom_id = x.discom_id and a.day = x.day and a.meter_id = x.meter_id and x.batch_id is null
