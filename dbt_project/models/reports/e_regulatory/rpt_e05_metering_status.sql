{#
  As it was on the last business day of the month that was built; each month is counted by itself. Figures are those of the office itself, without the offices below it, so they can be added up.
  A consumer without a service point's meter is not metered; those whose supply is assessed as unmetered are counted on top of the accounts.
#}
{%- set items = ['feeder', 'dt', 'consumer'] %}
select p.discom_id, {{ office_columns() }}, s.office_id, 'month' as period, p.period_start, p.last_day as as_of_day,
       {%- for item in items %}
       s.{{ item }}s_total, s.{{ item }}s_metered, s.{{ item }}s_smart, s.{{ item }}s_communicating,
       {{ pct('s.' ~ item ~ 's_metered', 's.' ~ item ~ 's_total') }} as {{ item }}s_metered_pct,
       {{ pct('s.' ~ item ~ 's_communicating', 's.' ~ item ~ 's_smart') }} as {{ item }}s_communicating_pct,
       {%- endfor %}
       s.consumers_unmetered,
       {{ pct('s.came', 's.metered') }} as coverage_pct,
       a.data_as_of, now() as generated_at
from (
    select b.discom_id, date_trunc('month', b.day)::date as period_start, max(b.day) as last_day
    from {{ source('ops', 'day_build') }} b where b.built_at is not null
    group by b.discom_id, period_start
) p
cross join lateral (
    with point as (
        select i.feeder_id, i.dt_id, i.service_point_id, bool_or(r.category in ('{{ var('smart_categories') | join("', '") }}')) as smart,
               coalesce(bool_or(m.present_slots > 0 or m.register_close_wh is not null), false) as came
        from {{ source('registry', 'installation') }} i
        join {{ source('registry', 'meter') }} r on r.discom_id = i.discom_id and r.meter_id = i.meter_id
        left join {{ ref('measure') }} m on m.discom_id = p.discom_id and m.day = p.last_day and m.meter_id = i.meter_id
        where i.discom_id = p.discom_id and {{ valid_on('i', 'p.last_day') }}
        group by i.feeder_id, i.dt_id, i.service_point_id
    )
    select c.office_id,
           {%- for item in items %}
           (coalesce(sum(c.n) filter (where c.item = '{{ item }}'), 0))::integer as {{ item }}s_total,
           {%- for what, column in [('metered', 'metered'), ('smart', 'smart'), ('communicating', 'smart and c.came')] %}
           (count(*) filter (where c.item = '{{ item }}' and c.{{ column }}))::integer as {{ item }}s_{{ what }},
           {%- endfor %}
           {%- endfor %}
           (coalesce(sum(c.n) filter (where c.unmetered), 0))::integer as consumers_unmetered,
           count(*) filter (where c.metered) as metered, count(*) filter (where c.came) as came
    from (
        select f.office_id, 'feeder' as item, 1 as n, q.feeder_id is not null as metered, q.smart, q.came, false as unmetered
        from {{ source('registry', 'feeder') }} f
        left join point q on q.feeder_id = f.feeder_id
        where f.discom_id = p.discom_id
        union all
        select t.office_id, 'dt', 1, q.dt_id is not null, q.smart, q.came, false
        from {{ source('registry', 'dt') }} t
        left join point q on q.dt_id = t.dt_id
        where t.discom_id = p.discom_id and (t.commissioned_on is null or t.commissioned_on <= p.last_day)
        union all
        select v.office_id, 'consumer', 1, q.service_point_id is not null, q.smart, q.came, false
        from {{ source('registry', 'consumer') }} u
        join {{ source('registry', 'service_point') }} v on v.discom_id = u.discom_id and v.service_point_id = u.service_point_id
        left join point q on q.service_point_id = u.service_point_id
        where u.discom_id = p.discom_id and {{ valid_on('u', 'p.last_day') }}
        union all
        select t.office_id, 'consumer', y.consumers, false, false, false, true
        from {{ source('registry', 'assessed_supply') }} y
        join {{ source('registry', 'dt') }} t on t.discom_id = y.discom_id and t.dt_id = y.dt_id
        where y.discom_id = p.discom_id and y.month = p.period_start and y.kind = 'unmetered'
    ) c
    -- Everybody knows all of the network.
    where ops.sees_office(c.office_id)
    group by c.office_id
    offset 0
) s
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = p.discom_id and o.office_id = s.office_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = p.discom_id
