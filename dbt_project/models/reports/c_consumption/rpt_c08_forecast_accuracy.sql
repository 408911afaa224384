-- Forecast against the feeder's load curve, slot by slot. A slot without load has no percentage, and counts in the energies alone.
select r.discom_id, {{ office_columns() }}, r.day, f.code as feeder, r.interval_min,
       r.slots, r.slots_compared,
       {{ kwh('r.forecast_w * r.interval_min / 60') }} as forecast_kwh,
       {{ kwh('r.actual_w * r.interval_min / 60') }} as actual_kwh,
       {{ kwh('r.forecast_max_w') }} as forecast_peak_kw, {{ kwh('r.actual_max_w') }} as actual_peak_kw,
       (100 * r.ape / nullif(r.slots_with_load, 0))::double precision as mape_pct,
       {{ pct('(r.forecast_w - r.actual_w)', 'r.actual_w') }} as bias_pct,
       {{ pct('r.slots_compared', 'r.slots') }} as coverage_pct,
       a.data_as_of, now() as generated_at
from (
    select l.discom_id, l.day, l.head_id as feeder_id, l.interval_min::integer as interval_min, l.slots,
           count(l.power_w[p.slot])::integer as slots_compared,
           sum(p.power_w) filter (where l.power_w[p.slot] is not null) as forecast_w, sum(l.power_w[p.slot]) as actual_w,
           max(p.power_w) as forecast_max_w, max(l.power_w[p.slot]) as actual_max_w,
           sum(abs(l.power_w[p.slot] - p.power_w)::numeric / l.power_w[p.slot]) filter (where l.power_w[p.slot] > 0) as ape,
           count(*) filter (where l.power_w[p.slot] > 0) as slots_with_load
    from {{ ref('load_curve') }} l
    join {{ source('registry', 'discom') }} d on d.discom_id = l.discom_id
    join (
        select n.discom_id, n.feeder_id, n.power_w, n.starts_at, (n.starts_at at time zone z.timezone)::date as day
        from {{ source('registry', 'load_forecast') }} n
        join {{ source('registry', 'discom') }} z on z.discom_id = n.discom_id
    ) q on q.discom_id = l.discom_id and q.feeder_id = l.head_id and q.day = l.day
    cross join lateral (
        select q.power_w, (extract(epoch from q.starts_at - (l.day::timestamp at time zone d.timezone)) / 60)::integer / l.interval_min + 1 as slot
    ) p
    where l.kind = 'feeder'
    group by l.discom_id, l.day, l.head_id, l.interval_min, l.slots
) r
join {{ source('registry', 'feeder') }} f on f.discom_id = r.discom_id and f.feeder_id = r.feeder_id
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = f.discom_id and o.office_id = f.office_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = r.discom_id
