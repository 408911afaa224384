select d.discom_id, {{ office_columns() }}, d.day, f.code as feeder, t.code as dt, t.capacity_kva,
       d.kva_max::numeric(12, 3) as max_kva, d.kva_avg::numeric(12, 3) as mean_kva,
       {{ slot_starts_at('d.day', 'd.kva_max_slot', 'd.slot_min') }} as max_at,
       d.loading_max_pct,
       d.hours_over_80 as over_80_h, d.hours_over_100 as over_100_h, d.hours_over_120 as over_120_h,
       d.load_factor,
       {{ pct('d.present_slots', 'd.slots') }} as coverage_pct,
       a.data_as_of, now() as generated_at
from {{ ref('dt_load_day') }} d
{{ dt_places() }}
join {{ source('registry', 'discom') }} z on z.discom_id = d.discom_id
