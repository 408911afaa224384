select d.discom_id, {{ office_columns() }}, d.day, f.code as feeder, t.code as dt,
       d.v_min_v::numeric(8, 1) as min_v, d.v_avg_v::numeric(8, 1) as mean_v, d.v_max_v::numeric(8, 1) as max_v,
       d.hours_v_low as low_h, d.hours_v_high as high_h, d.hours_v_out as out_of_limits_h,
       {{ pct('d.hours_v_out * 60', '(d.voltage_slots * d.slot_min)') }} as out_of_limits_pct,
       {{ pct('d.voltage_slots', 'd.slots') }} as coverage_pct,
       a.data_as_of, now() as generated_at
from {{ ref('dt_load_day') }} d
{{ dt_places() }}
