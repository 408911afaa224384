{#
  How long after an event its first report came, by the day on which it occurred and its name. Percentiles are values that occurred; what a meter's clock ahead of time stamped later than its receipt
  counts as 0. Met is what SLA-08 asks: 90 % within the limit (var event_delivery_limit_min).
#}
{%- set limit_s = var('event_delivery_limit_min') | int * 60 %}
select s.discom_id, {{ no_office_columns() }}, s.day, s.event, s.log, s.severity, s.events, s.first_occurred_at, s.last_received_at,
       s.p[1]::integer as p50_s, s.p[2]::integer as p90_s, s.longest::integer as longest_s,
       s.within as within_limit, {{ pct('s.within', 's.events') }} as within_limit_pct,
       s.p[2] <= {{ limit_s }} as met,
       100::double precision as coverage_pct,
       a.data_as_of, now() as generated_at
from (
    select e.discom_id, e.day, e.event, min(e.log) as log, min(e.severity) as severity, count(*)::integer as events,
           min(e.occurred_at) as first_occurred_at, max(e.received_at) as last_received_at,
           percentile_disc(array[0.5, 0.9]) within group (order by e.delay_s) as p, max(e.delay_s) as longest,
           (count(*) filter (where e.delay_s <= {{ limit_s }}))::integer as within
    from (
        select v.discom_id, v.day, v.event, v.log, v.severity, v.occurred_at, v.received_at,
               greatest(ceil(extract(epoch from v.received_at - v.occurred_at)), 0)::integer as delay_s
        from {{ ref('stg_raw__event') }} v
    ) e
    group by e.discom_id, e.day, e.event
) s
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = s.discom_id
