{#
  Two ways beside each other, never mixed: `register` is what the meters' own zone registers advanced between the billing rows of two months, of the meters that have them;
  `interval` the load curve of the category cut by the zones of var tod_zones, for all consumers.
#}
with billing_row as (
    {{ billing_rows(totals=false) }}
),

by_register as (
    select r.discom_id, r.month, p.category, u.zone, sum(u.wh * i.mf) as wh, count(*) as meters
    from billing_row r
    left join billing_row b on b.discom_id = r.discom_id and b.meter_id = r.meter_id and b.month = (r.month - interval '1 month')::date
    join {{ source('registry', 'installation') }} i on i.discom_id = r.discom_id and i.meter_id = r.meter_id and {{ valid_on('i', 'r.day') }}
    join {{ source('registry', 'service_point') }} p on p.discom_id = r.discom_id and p.service_point_id = i.service_point_id
    cross join lateral (values {% for zone in range(1, 9) %}({{ zone }}, {{ billed_usage('z' ~ zone ~ '_wh') }}){{ ', ' if not loop.last }}{% endfor %}) as u(zone, wh)
    where u.wh is not null
    group by r.discom_id, r.month, p.category, u.zone
),

by_interval as (
    select l.discom_id, date_trunc('month', l.day::timestamp)::date as month, l.category, z.zone, sum(w.wh) as wh
    from {{ ref('load_curve') }} l
    cross join (values {% for z in var('tod_zones') %}({{ z[0] }}, {{ z[1] }}, {{ z[2] }}){{ ', ' if not loop.last }}{% endfor %}) as z(zone, from_min, to_min)
    cross join lateral (
        select sum(s.w) * l.interval_min / 60 as wh from unnest(l.power_w[z.from_min / l.interval_min + 1 : z.to_min / l.interval_min]) as s(w)
    ) w
    where l.kind = 'category'
    group by l.discom_id, date_trunc('month', l.day::timestamp)::date, l.category, z.zone
),

covered as (
    select l.discom_id, date_trunc('month', l.day::timestamp)::date as month, l.category, sum(l.present_slots) as present, sum(l.due_slots) as due
    from {{ ref('load_curve') }} l
    where l.kind = 'category'
    group by l.discom_id, date_trunc('month', l.day::timestamp)::date, l.category
),

installed as (
    select i.discom_id, p.category, count(*) as meters
    from {{ source('registry', 'installation') }} i
    join {{ source('registry', 'service_point') }} p on p.discom_id = i.discom_id and p.service_point_id = i.service_point_id
    where i.valid_to is null
    group by i.discom_id, p.category
)

select r.discom_id, null::text as zone, null::text as circle, null::text as division, null::text as subdivision, null::text as office,
       'month' as period, r.month as period_start, r.category, r.basis, r.tod_zone,
       {{ kwh('r.wh') }} as consumption_kwh,
       {{ pct('r.wh', '(sum(r.wh) over (partition by r.discom_id, r.month, r.category, r.basis))') }} as share_pct,
       r.coverage_pct,
       a.data_as_of, now() as generated_at
from (
    select b.discom_id, b.month, b.category, 'register' as basis, b.zone as tod_zone, b.wh, {{ pct('b.meters', 'n.meters') }} as coverage_pct
    from by_register b
    left join installed n on n.discom_id = b.discom_id and n.category = b.category
    union all
    select b.discom_id, b.month, b.category, 'interval', b.zone, b.wh, {{ pct('c.present', 'c.due') }}
    from by_interval b
    join covered c on c.discom_id = b.discom_id and c.month = b.month and c.category = b.category
) r
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = r.discom_id
