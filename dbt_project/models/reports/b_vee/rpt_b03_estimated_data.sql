{#
  Meters with estimates, by month. Shares are of the month's energy of that meter, with the multiplying factor. Approved edits take the place of estimates, as in vee.day_total.
#}
select s.discom_id, {{ office_columns() }}, 'month' as period, s.period_start, s.meter_id, r.serial, s.place, s.category,
       s.estimated_days, s.estimated_slots as estimated_intervals, s.missing_slots as missing_intervals, e.methods,
       {{ kwh('s.estimated_wh') }} as estimated_kwh, {{ kwh('s.import_wh') }} as import_kwh,
       {{ pct('s.estimated_wh', 's.import_wh') }} as estimated_share_pct,
       {{ pct('(s.slots - s.missing_slots - s.estimated_slots)', 's.slots') }} as coverage_pct,
       a.data_as_of, now() as generated_at
from (
    -- Whole numbers are added up by factor, and few rows multiplied.
    select t.discom_id, t.period_start, t.meter_id, max(t.place) as place, max(t.category) as category, max(t.office_id) as office_id,
           sum(t.estimated_days)::integer as estimated_days, sum(t.estimated_slots)::integer as estimated_slots, sum(t.missing_slots)::integer as missing_slots,
           sum(t.slots)::integer as slots, sum(t.estimated_wh * t.mf) as estimated_wh, sum(t.import_wh * t.mf) as import_wh
    from (
        select f.discom_id, date_trunc('month', f.day::timestamp)::date as period_start, f.meter_id, i.mf, max(f.place) as place, max(f.category) as category, max(f.office_id) as office_id,
               count(*) filter (where f.estimated_slots > 0) as estimated_days, sum(f.estimated_slots) as estimated_slots,
               sum(f.missing_slots) as missing_slots, sum(f.slots) as slots, sum(f.estimated_wh) as estimated_wh, sum(f.import_day_wh) as import_wh
        from {{ ref('day_total') }} f
        join {{ source('registry', 'installation') }} i on i.discom_id = f.discom_id and i.meter_id = f.meter_id and {{ valid_on('i', 'f.day') }}
        -- Few meters have estimates: only their days are added up.
        where (f.discom_id, f.meter_id) in (select d.discom_id, d.meter_id from {{ source('vee', 'estimated_day') }} d where d.estimated_slots > 0)
        group by f.discom_id, period_start, f.meter_id, i.mf
    ) t
    group by t.discom_id, t.period_start, t.meter_id
    having sum(t.estimated_slots) > 0
) s
join {{ source('registry', 'meter') }} r on r.discom_id = s.discom_id and r.meter_id = s.meter_id
left join (
    select u.discom_id, u.period_start, u.meter_id, string_agg(k.name, ', ' order by u.method) as methods
    from (
        select distinct d.discom_id, date_trunc('month', d.day::timestamp)::date as period_start, d.meter_id, n.method
        from {{ source('vee', 'estimated_day') }} d
        cross join lateral unnest(uniq(sort(array_remove(d.method::integer[], null)))) as n(method)
        where d.estimated_slots > 0 and n.method > 0
    ) u
    join {{ ref('code_method') }} k on k.method = u.method
    group by u.discom_id, u.period_start, u.meter_id
) e on e.discom_id = s.discom_id and e.period_start = s.period_start and e.meter_id = s.meter_id
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = s.discom_id and o.office_id = s.office_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = s.discom_id
