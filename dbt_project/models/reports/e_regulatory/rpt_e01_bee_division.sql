{#
  BEE form P3 (domain 4.5). A consumer counts in the division of the feeder that it is indexed to, as its energy does. Input is measured by feeder, so it, and what follows from
  it, stands in the sub-total alone, which is made from the same sums as its categories. Energy is as billed for months of which every day is built and bills are there, else
  as metered on the days that are built, so that input and billed energy are of the same days. Assessed supply counts by its share of built days.
#}
with division as (
    select t.discom_id, t.office_id, coalesce(max(a.office_id) filter (where a.level = 'division'), t.office_id) as division_id,
           max(a.code) filter (where a.level = 'circle') as circle_code
    from {{ ref('stg_registry__office_tree') }} t
    join {{ source('registry', 'office') }} a on a.discom_id = t.discom_id and a.office_id = t.ancestor_id
    group by t.discom_id, t.office_id
),

billed as (
    select b.discom_id, b.month, d.division_id, {{ bee_category('b.category', 'b.ht') }} as category,
           sum(b.billed_wh - b.assessed_wh) as metered_wh, sum(b.assessed_wh) as unread_wh, sum(b.unmetered_wh) as unmetered_wh, sum(b.amount_inr) as amount_inr,
           sum(b.payment_inr + b.subsidy_received_inr) as collected_inr, sum(b.arrears_inr) as arrears_inr, sum(b.bills) as bills
    from {{ ref('stg_billing__feeder_month') }} b
    join division d on d.discom_id = b.discom_id and d.office_id = b.office_id
    group by b.discom_id, b.month, d.division_id, 4
),

input as (
    select f.discom_id, date_trunc('month', f.day)::date as month, d.division_id, count(distinct f.day) as days,
           sum(f.input_wh) as input_wh, sum(f.rooftop_export_wh) as rooftop_wh, sum(f.consumers) as consumer_days, sum(f.consumers_complete) as consumer_days_complete
    from {{ ref('feeder_day') }} f
    join {{ source('registry', 'feeder') }} r on r.discom_id = f.discom_id and r.feeder_id = f.feeder_id
    join division d on d.discom_id = f.discom_id and d.office_id = f.office_id
    where r.feeds_substation_id is null
    group by f.discom_id, date_trunc('month', f.day), d.division_id
),

-- How many days of a month are built, and whether its bills are its energy.
month as (
    select i.discom_id, i.month, date_trunc('quarter', i.month)::date as quarter, max(i.days) as days,
           max(i.days) / extract(day from i.month + interval '1 month - 1 day') as share,
           max(i.days) >= extract(day from i.month + interval '1 month - 1 day')
           and exists (select 1 from billed b where b.discom_id = i.discom_id and b.month = i.month and b.bills > 0) as as_billed
    from input i
    group by i.discom_id, i.month
),

fact as (
    -- Sub-totals alone have input: its category is NULL. What rooftops put in is input where it is not taken off the bills.
    select i.discom_id, m.quarter, i.division_id, null::text as category,
           i.input_wh + case when m.as_billed and {{ var('bills_net_of_export') }} then 0 else i.rooftop_wh end as input_wh, 0::numeric as metered_wh, 0::numeric as unmetered_wh, null::numeric as amount_inr,
           null::numeric as collected_inr, null::numeric as arrears_inr, 0::bigint as connections_metered, 0::bigint as connections_unmetered, 0::bigint as load_metered_w,
           0::bigint as load_unmetered_w, i.consumer_days, i.consumer_days_complete
    from input i
    join month m on m.discom_id = i.discom_id and m.month = i.month

    union all
    select b.discom_id, m.quarter, b.division_id, b.category, null, case when m.as_billed then b.metered_wh else 0 end, case when m.as_billed then b.unread_wh else 0 end,
           b.amount_inr, b.collected_inr, b.arrears_inr, 0, 0, 0, 0, null, null
    from billed b
    join month m on m.discom_id = b.discom_id and m.month = b.month

    union all
    select m.discom_id, m.quarter, d.division_id, {{ bee_category('c.category', 'c.feeder_id is not null') }}, null, sum(c.import_wh), 0, null, null, null, 0, 0, 0, 0, null, null
    from (
        -- Added up by what the consumer is indexed to, before the planner can join with what has a few rows by the DISCOM alone.
        select f.discom_id, date_trunc('month', f.day)::date as month, x.dt_id, x.feeder_id, f.category, sum(f.import_day_wh * i.mf) as import_wh
        from {{ ref('day_total') }} f
        join {{ source('registry', 'installation') }} i on i.discom_id = f.discom_id and i.meter_id = f.meter_id and {{ valid_on('i', 'f.day') }}
        join {{ source('registry', 'consumer_index') }} x on x.discom_id = f.discom_id and x.service_point_id = i.service_point_id and {{ valid_on('x', 'f.day') }}
        where f.place = 'consumer'
        group by f.discom_id, date_trunc('month', f.day)::date, x.dt_id, x.feeder_id, f.category
    ) c
    join month m on m.discom_id = c.discom_id and m.month = c.month and not m.as_billed
    left join {{ source('registry', 'dt') }} t on t.discom_id = c.discom_id and t.dt_id = c.dt_id
    join {{ source('registry', 'feeder') }} r on r.discom_id = c.discom_id and r.feeder_id = coalesce(c.feeder_id, t.feeder_id)
    join division d on d.discom_id = r.discom_id and d.office_id = r.office_id
    group by m.discom_id, m.quarter, d.division_id, 4

    -- The assessment of a supply without a meter and the bills of it are the same energy: the larger counts.
    union all
    select u.discom_id, m.quarter, u.division_id, u.category, null, 0, greatest(sum(u.assessed_wh) * m.share, case when m.as_billed then sum(u.billed_wh) else 0 end),
           null, null, null, 0, 0, 0, 0, null, null
    from (
        select s.discom_id, s.month, d.division_id, {{ bee_category('s.category', 'false') }} as category, s.energy_wh as assessed_wh, 0 as billed_wh
        from {{ source('registry', 'assessed_supply') }} s
        join {{ source('registry', 'dt') }} t on t.discom_id = s.discom_id and t.dt_id = s.dt_id
        join {{ source('registry', 'feeder') }} r on r.discom_id = s.discom_id and r.feeder_id = t.feeder_id
        join division d on d.discom_id = r.discom_id and d.office_id = r.office_id
        union all
        select b.discom_id, b.month, b.division_id, b.category, 0, b.unmetered_wh from billed b
    ) u
    join month m on m.discom_id = u.discom_id and m.month = u.month
    group by u.discom_id, u.month, m.quarter, u.division_id, u.category, m.share, m.as_billed

    -- Connections at the end of the quarter; those without a meter are in the assessments of its last month too, which know better.
    union all
    select n.discom_id, n.quarter, d.division_id, {{ bee_category('n.category', 'n.feeder_id is not null') }}, null, 0, 0, null, null, null,
           sum(n.connections)::bigint, 0, sum(n.load_w)::bigint, 0, null, null
    from (
        select x.discom_id, q.quarter, x.dt_id, x.feeder_id, p.category, count(*) filter (where i.meter_id is not null) as connections,
               coalesce(sum(p.sanctioned_load_w) filter (where i.meter_id is not null), 0) as load_w
        from (select discom_id, quarter, (quarter + interval '3 months - 1 day')::date as last_day from month group by discom_id, quarter) q
        join {{ source('registry', 'consumer_index') }} x on x.discom_id = q.discom_id and {{ valid_on('x', 'q.last_day') }}
        join {{ source('registry', 'consumer') }} c on c.discom_id = x.discom_id and c.service_point_id = x.service_point_id and {{ valid_on('c', 'q.last_day') }}
        join {{ source('registry', 'service_point') }} p on p.discom_id = x.discom_id and p.service_point_id = x.service_point_id
        left join {{ source('registry', 'installation') }} i on i.discom_id = x.discom_id and i.service_point_id = x.service_point_id and {{ valid_on('i', 'q.last_day') }}
        group by x.discom_id, q.quarter, x.dt_id, x.feeder_id, p.category
    ) n
    left join {{ source('registry', 'dt') }} t on t.discom_id = n.discom_id and t.dt_id = n.dt_id
    join {{ source('registry', 'feeder') }} r on r.discom_id = n.discom_id and r.feeder_id = coalesce(n.feeder_id, t.feeder_id)
    join division d on d.discom_id = r.discom_id and d.office_id = r.office_id
    group by n.discom_id, n.quarter, d.division_id, 4

    union all
    select s.discom_id, q.quarter, d.division_id, {{ bee_category('s.category', 'false') }}, null, 0, 0, null, null, null, 0, sum(s.consumers), 0, coalesce(sum(s.connected_load_w), 0), null, null
    from (select discom_id, quarter, max(month) as month from month group by discom_id, quarter) q
    join {{ source('registry', 'assessed_supply') }} s on s.discom_id = q.discom_id and s.month = q.month
    join {{ source('registry', 'dt') }} t on t.discom_id = s.discom_id and t.dt_id = s.dt_id
    join {{ source('registry', 'feeder') }} r on r.discom_id = s.discom_id and r.feeder_id = t.feeder_id
    join division d on d.discom_id = r.discom_id and d.office_id = r.office_id
    group by s.discom_id, q.quarter, d.division_id, 4
),

form as (
    select f.discom_id, f.quarter, f.division_id, f.category, grouping(f.category) = 1 as is_total,
           {%- for sum in ['input_wh', 'metered_wh', 'unmetered_wh', 'amount_inr', 'collected_inr', 'arrears_inr', 'connections_metered', 'connections_unmetered', 'load_metered_w',
                           'load_unmetered_w', 'consumer_days', 'consumer_days_complete'] %}
           sum(f.{{ sum }}) as {{ sum }},
           {%- endfor %}
           sum(f.metered_wh + f.unmetered_wh) as billed_wh
    from fact f
    group by grouping sets ((f.discom_id, f.quarter, f.division_id, f.category), (f.discom_id, f.quarter, f.division_id))
)

select r.discom_id, {{ office_columns() }}, r.division_id, d.circle_code, 'quarter' as period, r.quarter as period_start,
       coalesce(r.category, 'Sub-total') as category,
       r.connections_metered::bigint, r.connections_unmetered::bigint, (r.connections_metered + r.connections_unmetered)::bigint as connections,
       {{ pct('r.connections_metered', '(r.connections_metered + r.connections_unmetered)') }} as connections_metered_pct,
       (r.load_metered_w / 1e6)::double precision as load_metered_mw, (r.load_unmetered_w / 1e6)::double precision as load_unmetered_mw,
       ((r.load_metered_w + r.load_unmetered_w) / 1e6)::double precision as load_mw,
       {{ pct('r.load_metered_w', '(r.load_metered_w + r.load_unmetered_w)') }} as load_metered_pct,
       case when r.is_total then (r.input_wh / 1e9)::double precision end as input_mu,
       (r.metered_wh / 1e9)::double precision as billed_metered_mu, (r.unmetered_wh / 1e9)::double precision as billed_unmetered_mu, (r.billed_wh / 1e9)::double precision as billed_mu,
       {{ pct('r.metered_wh', 'r.billed_wh') }} as billed_metered_pct,
       case when r.is_total then ((r.input_wh - r.billed_wh) / 1e9)::double precision end as td_loss_mu,
       case when r.is_total then {{ pct('(r.input_wh - r.billed_wh)', 'r.input_wh') }} end as td_loss_pct,
       (r.amount_inr / 1e7)::double precision as billed_cr, (r.collected_inr / 1e7)::double precision as collected_cr, (r.arrears_inr / 1e7)::double precision as arrears_cr,
       {{ pct('r.collected_inr', 'r.amount_inr') }} as collection_efficiency_pct,
       case when r.is_total then (100 * (1 - r.billed_wh / nullif(r.input_wh, 0) * (r.collected_inr / nullif(r.amount_inr, 0))))::double precision end as atc_loss_pct,
       {{ pct('s.consumer_days_complete', 's.consumer_days') }} as coverage_pct,
       a.data_as_of, now() as generated_at
from form r
join form s on s.discom_id = r.discom_id and s.quarter = r.quarter and s.division_id = r.division_id and s.is_total
left join division d on d.discom_id = r.discom_id and d.office_id = r.division_id
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = r.discom_id and o.office_id = r.division_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = r.discom_id
where r.is_total or r.category is not null
