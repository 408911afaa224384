select d.discom_id, {{ office_columns() }}, d.day, f.code as feeder, t.code as dt, t.capacity_kva,
       {{ kwh('d.import_wh') }} as import_kwh, {{ kwh('d.import_vah') }} as import_kvah,
       d.pf_avg as power_factor,
       d.hours_pf_low as low_h,
       {{ pct('d.present_slots', 'd.slots') }} as coverage_pct,
       a.data_as_of, now() as generated_at
from {{ ref('dt_load_day') }} d
{{ dt_places() }}
