{#
  What a prosumer took and put in, and what is carried forward within a year of net metering: carried(n) = max(0, carried(n - 1) + export - import), which is the running
  sum of export - import less its lowest point so far, but at most 0. No generation meter is in the registry, so generation is not known.
#}
with month as (
    select c.discom_id, c.period_start as month, c.consumer_id, max(c.consumer) as consumer, max(c.category) as category,
           max(c.zone) as zone, max(c.circle) as circle, max(c.division) as division, max(c.subdivision) as subdivision, max(c.office) as office,
           sum(c.import_kwh) as import_kwh, sum(coalesce(c.export_kwh, 0)) as export_kwh, min(c.coverage_pct) as coverage_pct, max(c.data_as_of) as data_as_of,
           (date_trunc('year', c.period_start - interval '{{ var('net_metering_year_month') - 1 }} months') + interval '{{ var('net_metering_year_month') - 1 }} months')::date as year_start
    from {{ ref('rpt_c01_consumption') }} c
    where c.period = 'month'
    group by c.discom_id, c.period_start, c.consumer_id
),

-- A prosumer is who ever put something in.
running as (
    select m.*, sum(m.export_kwh - coalesce(m.import_kwh, 0)) over year as surplus_kwh
    from month m
    where (m.discom_id, m.consumer_id) in (select p.discom_id, p.consumer_id from month p where p.export_kwh > 0)
    window year as (partition by m.discom_id, m.consumer_id, m.year_start order by m.month)
),

carried as (
    select r.*, r.surplus_kwh - least(min(r.surplus_kwh) over year, 0) as closing_kwh
    from running r
    window year as (partition by r.discom_id, r.consumer_id, r.year_start order by r.month)
),

statement as (
    select c.*, coalesce(lag(c.closing_kwh) over (partition by c.discom_id, c.consumer_id, c.year_start order by c.month), 0) as opening_kwh
    from carried c
)

select s.discom_id, s.zone, s.circle, s.division, s.subdivision, s.office, 'month' as period, s.month as period_start, s.consumer_id, s.consumer, s.category,
       s.import_kwh::numeric(18, 3), s.export_kwh::numeric(18, 3), null::numeric(18, 3) as generation_kwh,
       s.opening_kwh::numeric(18, 3) as carried_in_kwh,
       (s.import_kwh - s.export_kwh - s.opening_kwh)::numeric(18, 3) as net_kwh,
       greatest(s.import_kwh - s.export_kwh - s.opening_kwh, 0)::numeric(18, 3) as billed_kwh,
       s.closing_kwh::numeric(18, 3) as carried_forward_kwh,
       s.coverage_pct, s.data_as_of, now() as generated_at
from statement s
