select d.discom_id, {{ office_columns() }}, d.day, f.code as feeder, t.code as dt, t.capacity_kva,
       {%- for p in ['r', 'y', 'b', 'n'] %}
       d.i_{{ p }}_a::numeric(12, 2) as mean_{{ p }}_a, d.i_{{ p }}_max_a::numeric(12, 2) as max_{{ p }}_a,
       {%- endfor %}
       d.unbalance_avg_pct as unbalance_mean_pct, d.unbalance_max_pct,
       d.hours_unbalanced as unbalanced_h,
       {{ pct('d.current_slots', 'd.slots') }} as coverage_pct,
       a.data_as_of, now() as generated_at
from {{ ref('dt_load_day') }} d
{{ dt_places() }}
