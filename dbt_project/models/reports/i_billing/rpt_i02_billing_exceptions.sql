{#
  Consumers that cannot be billed for a month, or not without a person; of several reasons the first of: no meter, nothing came, a meter that is not in order, an exception that holds
  the values, intervals missing that no register bounds, too much of it estimated. The last register is that of the latest built day of the month.
#}
with usage as (
    select f.discom_id, f.month, f.meter_id, c.consumer_id, c.code as consumer, p.category, p.office_id,
           f.due_slots as due, f.due_slots - f.missing_slots as present, f.import_wh * i.mf as import_wh, f.estimated_wh * i.mf as estimated_wh,
           f.opening_day is not distinct from f.first_day as opens, f.closing_day is not distinct from f.last_day as closes
    from (
        select discom_id, month, meter_id, consumer_id, max(installed_from) as installed_from, sum(due_slots) as due_slots, sum(missing_slots) as missing_slots,
               sum(import_wh) as import_wh, sum(estimated_wh) as estimated_wh, min(first_day) as first_day, max(last_day) as last_day,
               min(opening_day) as opening_day, max(closing_day) as closing_day
        from {{ ref('meter_month') }}
        group by discom_id, month, meter_id, consumer_id
    ) f
    join {{ source('registry', 'installation') }} i on {{ installation_of('f') }}
    join {{ source('registry', 'consumer') }} c on c.discom_id = f.discom_id and c.consumer_id = f.consumer_id
    join {{ source('registry', 'service_point') }} p on p.discom_id = f.discom_id and p.service_point_id = i.service_point_id
),

held as (
    select e.discom_id, date_trunc('month', e.day)::date as month, e.meter_id, string_agg(distinct e.rule, ', ' order by e.rule) as rules
    from {{ source('vee', 'exception') }} e
    where e.state = 'open' and e.action = 'hold'
    group by e.discom_id, date_trunc('month', e.day), e.meter_id
),

month as (
    select discom_id, date_trunc('month', day)::date as month, max(day) as last_day
    from {{ source('ops', 'day_build') }}
    where built_at is not null
    group by discom_id, date_trunc('month', day)
),

found as (
    select u.discom_id, u.month, u.consumer_id, u.consumer, u.category, u.office_id, m.serial,
           case when u.present = 0 and not u.closes then 'NO_DATA'
                when m.state in ('FAULTY', 'UNDER_TEST', 'TAMPERED') then 'METER_' || m.state
                when h.rules is not null then 'HELD'
                when u.present < u.due and not (u.opens and u.closes) then 'MISSING'
                when u.estimated_wh * 100 > u.import_wh * {{ var('billing_estimated_pct') }} then 'ESTIMATED' end as reason,
           h.rules, u.import_wh, u.estimated_wh, u.due, u.present
    from usage u
    join {{ source('registry', 'meter') }} m on m.discom_id = u.discom_id and m.meter_id = u.meter_id
    left join held h on h.discom_id = u.discom_id and h.month = u.month and h.meter_id = u.meter_id
    union all
    select n.discom_id, n.month, c.consumer_id, c.code, p.category, p.office_id, null, 'NO_METER', null, null, null, null, null
    from month n
    join {{ source('registry', 'consumer') }} c on c.discom_id = n.discom_id and {{ valid_on('c', 'n.last_day') }}
    join {{ source('registry', 'service_point') }} p on p.discom_id = c.discom_id and p.service_point_id = c.service_point_id
    where not exists (
        select 1 from {{ source('registry', 'installation') }} i
        where i.discom_id = c.discom_id and i.service_point_id = c.service_point_id and i.valid_from <= n.last_day and (i.valid_to is null or i.valid_to > n.month)
    )
)

select r.discom_id, {{ office_columns() }}, 'month' as period, r.month as period_start, r.consumer_id, r.consumer, r.category, coalesce(r.serial, '') as serial,
       r.reason, r.rules as held_by, coalesce(r.estimated_wh > 0, false) as estimated,
       {{ kwh('r.import_wh') }} as import_kwh, {{ kwh('r.estimated_wh') }} as estimated_kwh, {{ pct('r.estimated_wh', 'r.import_wh') }} as estimated_pct,
       {{ pct('r.present', 'r.due') }} as coverage_pct,
       a.data_as_of, now() as generated_at
from found r
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = r.discom_id and o.office_id = r.office_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = r.discom_id
where r.reason is not null
