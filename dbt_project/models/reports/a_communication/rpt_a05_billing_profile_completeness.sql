{#
  The first receipt of a billing row that closes the month counts, by hours from the midnight that ends it. Months are those that ended since data is built; each is counted by itself, so that who
  asks for one reads that one. Due is who was installed on the month's last day and commissioned.
#}
{%- set hours = var('billing_within_hours') %}
select p.discom_id, {{ office_columns() }}, s.office_id, 'month' as period, p.period_start,
       s.meters as total_meters, s.not_commissioned, s.due as due_meters,
       s.within_1 as within_first_limit, s.within_2 as within_second_limit, s.within_3 as within_third_limit,
       s.received - s.within_3 as received_later, s.due - s.received as pending,
       {{ pct('s.within_1', 's.due') }} as first_limit_pct,
       {{ pct('s.within_2', 's.due') }} as second_limit_pct,
       {{ pct('s.within_3', 's.due') }} as third_limit_pct,
       s.pending_meters,
       {{ pct('s.received', 's.due') }} as coverage_pct,
       a.data_as_of, now() as generated_at
from (
    select d.discom_id, d.timezone, g.month::date as period_start, (g.month + interval '1 month')::date - 1 as last_day
    from {{ source('registry', 'discom') }} d
    join (
        select discom_id, min(day) as first_day, max(day) as last_day from {{ source('ops', 'day_build') }} where built_at is not null group by discom_id
    ) b on b.discom_id = d.discom_id
    cross join lateral generate_series(date_trunc('month', (b.first_day - 1)::timestamp), date_trunc('month', (b.last_day + 1)::timestamp) - interval '1 month', interval '1 month') as g(month)
) p
cross join lateral (
    select c.office_id, count(*)::integer as meters, (count(*) filter (where not c.due))::integer as not_commissioned, (count(*) filter (where c.due))::integer as due,
           (count(*) filter (where c.due and c.received_at is not null))::integer as received,
           {%- for n in range(3) %}
           (count(*) filter (where c.due and c.received_at <= {{ end_of_day('p.last_day', 'p.timezone') }} + interval '{{ hours[n] | int }} hours'))::integer as within_{{ n + 1 }},
           {%- endfor %}
           array_to_string((array_agg(c.serial order by c.serial) filter (where c.due and c.received_at is null))[1:{{ var('listed_meters') | int }}], ', ') as pending_meters
    from (
        select {{ office_of() }} as office_id, r.serial, not {{ not_commissioned('r', 'p.last_day') }} as due, v.received_at
        from {{ source('registry', 'meter') }} r
        {{ join_place('r', 'p.last_day', 'join') }}
        left join (
            select v.meter_id, min(v.received_at) as received_at from {{ source('raw', 'meter_value') }} v
            where v.discom_id = p.discom_id and v.day = p.last_day and v.profile = 'billing' and v.zone = 0 and v.quantity in ('import_wh', 'usage_import_wh')
            group by v.meter_id
        ) v on v.meter_id = r.meter_id
        where r.discom_id = p.discom_id
    ) c
    group by c.office_id
    offset 0
) s
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = p.discom_id and o.office_id = s.office_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = p.discom_id
