{#
  Of each meter-day, how long after the day's end its last blocks (vee.measure's latest receipt) and its midnight register (the first receipt) came. Percentiles are values that occurred
  (percentile_disc). What came before the day's end counts as 0; what did not come has no latency, and coverage says how much that is.
#}
select s.discom_id, {{ no_office_columns() }}, s.day, h.code as hes, s.profile, s.meters, s.received,
       {%- for at, name in [('s.p[1]', 'p50_min'), ('s.p[2]', 'p90_min'), ('s.p[3]', 'p99_min'), ('s.last_at', 'longest_min')] %}
       case when s.received > 0 then (greatest(extract(epoch from {{ at }} - {{ end_of_day('s.day', 'd.timezone') }}), 0) / 60.0)::double precision end as {{ name }},
       {%- endfor %}
       {{ pct('s.received', 's.meters') }} as coverage_pct,
       a.data_as_of, now() as generated_at
from (
    -- Of one day the order of receipts is that of latencies: the day's end is taken off of the few that are left.
    select t.discom_id, t.day, r.hes_id, t.profile, count(t.received_at)::integer as received,
           -- Every installed meter has a row in vee.measure, and so in blocks.
           (max(count(*)) over (partition by t.discom_id, t.day, r.hes_id))::integer as meters,
           percentile_disc(array[0.5, 0.9, 0.99]) within group (order by t.received_at) as p, max(t.received_at) as last_at
    from (
        select m.discom_id, m.day, m.meter_id, 'block' as profile, m.received_at from {{ ref('measure') }} m
        union all
        select g.discom_id, g.day, g.meter_id, 'daily', min(g.received_at) from {{ source('raw', 'register_reading') }} g group by g.discom_id, g.day, g.meter_id
    ) t
    join {{ source('registry', 'meter') }} r on r.discom_id = t.discom_id and r.meter_id = t.meter_id
    group by t.discom_id, t.day, r.hes_id, t.profile
) s
join {{ source('registry', 'discom') }} d on d.discom_id = s.discom_id
join {{ source('registry', 'hes') }} h on h.discom_id = s.discom_id and h.hes_id = s.hes_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = s.discom_id
