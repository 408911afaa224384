-- Meters that used nothing or little in a month, or nothing on some of its days. A day that lacks values is none of zero.
with month as (
    select f.discom_id, f.month, f.meter_id, p.category, p.office_id, c.consumer_id, c.code as consumer, s.*
    from (
        select f.discom_id, f.month, f.meter_id, f.consumer_id, max(i.service_point_id) as service_point_id,
               sum(f.import_wh * i.mf) as import_wh, sum(f.days)::integer as days, sum(f.zero_days)::integer as zero_days,
               sum(f.due_slots) as due, sum(f.due_slots - f.missing_slots) as present
        from {{ ref('meter_month') }} f
        join {{ source('registry', 'installation') }} i on {{ installation_of('f') }}
        group by f.discom_id, f.month, f.meter_id, f.consumer_id
    ) f
    cross join lateral (select f.import_wh, f.days, f.zero_days, f.due, f.present) s
    join {{ source('registry', 'consumer') }} c on c.discom_id = f.discom_id and c.consumer_id = f.consumer_id
    join {{ source('registry', 'service_point') }} p on p.discom_id = f.discom_id and p.service_point_id = f.service_point_id
),

compared as (
    select m.*, m.import_wh * m.due / nullif(m.present * m.days, 0) as daily_wh, b.daily_wh as before_daily_wh
    from month m
    left join (
        -- Each month that is over counts in the three that follow it.
        select u.discom_id, u.meter_id, (date_trunc('month', u.day) + n.months * interval '1 month')::date as month, avg(u.daily_wh * i.mf) as daily_wh
        from {{ ref('usage_month') }} u
        join {{ source('registry', 'installation') }} i on i.discom_id = u.discom_id and i.meter_id = u.meter_id and {{ valid_on('i', 'u.day') }}
        cross join generate_series(1, 3) as n(months)
        group by u.discom_id, u.meter_id, 3
    ) b on b.discom_id = m.discom_id and b.meter_id = m.meter_id and b.month = m.month
)

select r.discom_id, {{ office_columns() }}, 'month' as period, r.month as period_start, r.consumer_id, r.consumer, r.category, m.serial,
       r.status, {{ kwh('r.import_wh') }} as import_kwh, r.days, r.zero_days,
       {{ kwh('r.daily_wh') }} as daily_kwh, {{ kwh('r.before_daily_wh') }} as before_daily_kwh,
       {{ pct('r.daily_wh', 'r.before_daily_wh') }} as of_before_pct,
       {{ pct('r.present', 'r.due') }} as coverage_pct,
       a.data_as_of, now() as generated_at
from (
    select c.*, case when c.import_wh = 0 then 'zero'
                     when c.daily_wh < {{ var('low_usage_wh') }} or c.daily_wh * 100 < c.before_daily_wh * {{ var('low_usage_pct') }} then 'low'
                     when c.zero_days > 0 then 'zero days' end as status
    from compared c
    where c.present > 0
) r
join {{ source('registry', 'meter') }} m on m.discom_id = r.discom_id and m.meter_id = r.meter_id
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = r.discom_id and o.office_id = r.office_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = r.discom_id
where r.status is not null
