{#
  Meters whose cover was opened or that a magnet was held to (var priority_families), over the business days up to the last that was built (var priority_lookback): event profiles alone, which
  tell both. What became of field work no system tells the warehouse yet, so its status is NULL; that it was asked for is known (ops.work_order_request).
#}
with family_code as (
    select distinct code from {{ ref('code_event') }} where family in ('{{ var('priority_families') | join("', '") }}')
),

event as (
    select e.discom_id, e.meter_id, n.family, e.occurred_at
    from (
        select e.discom_id, e.meter_id, e.code, e.occurred_at
        from {{ source('raw', 'event') }} e
        join {{ ref('stg_ops__last_day') }} l on l.discom_id = e.discom_id
        where e.code in (select code from family_code) and e.day > l.last_day - {{ var('priority_lookback') | int }}
          -- That bound by DISCOM comes too late for partitions; this one reaches them.
          and e.day > (select min(n.last_day) - {{ var('priority_lookback') | int }} from {{ ref('stg_ops__last_day') }} n)
        group by e.discom_id, e.meter_id, e.code, e.occurred_at
    ) e
    join {{ source('registry', 'meter') }} r on r.discom_id = e.discom_id and r.meter_id = e.meter_id
    cross join lateral (
        select k.family, k.role from {{ ref('code_event') }} k
        where k.code = e.code and lower(coalesce(r.make, '')) like k.make and lower(coalesce(r.firmware, '')) like k.firmware
        order by k.rank limit 1
    ) n
    where n.role <> 'restoration' and n.family in ('{{ var('priority_families') | join("', '") }}')
),

listed as (
    select e.discom_id, e.meter_id, count(*)::integer as events,
           (count(*) filter (where e.family = 'meter_cover_opened'))::integer as cover_openings,
           (count(*) filter (where e.family = 'magnetic_influence'))::integer as magnet_events,
           min(e.occurred_at) as first_at, max(e.occurred_at) as last_at
    from event e
    group by e.discom_id, e.meter_id
)

select s.discom_id, {{ office_columns() }}, s.meter_id, r.serial, c.code as consumer, v.category, t.code as dt,
       -- Both come before an opened cover, that before a magnet; then what happened more often and more lately.
       (rank() over (partition by s.discom_id order by (s.cover_openings > 0 and s.magnet_events > 0) desc, s.cover_openings > 0 desc, s.events desc, s.last_at desc, s.meter_id))::integer as priority,
       s.cover_openings, s.magnet_events, s.events, s.first_at, s.last_at,
       w.kind as work_order_kind, w.requested_at as work_order_requested_at, null::text as work_order_status,
       {{ pct('m.present_slots', 'm.slots') }} as coverage_pct,
       a.data_as_of, now() as generated_at
from listed s
join {{ ref('stg_ops__last_day') }} l on l.discom_id = s.discom_id
join {{ source('registry', 'meter') }} r on r.discom_id = s.discom_id and r.meter_id = s.meter_id
left join lateral (
    select q.kind, q.requested_at from {{ source('ops', 'work_order_request') }} q
    where q.discom_id = s.discom_id and q.meter_id = s.meter_id and q.via = 'visit' and q.requested_at >= s.first_at
    order by q.requested_at desc, q.request_id desc limit 1
) w on true
left join lateral (
    select m.present_slots, m.slots from {{ ref('measure') }} m where m.discom_id = s.discom_id and m.day = l.last_day and m.meter_id = s.meter_id offset 0
) m on true
{{ join_place('s', 'l.last_day') }}
left join {{ source('registry', 'service_point') }} v on v.discom_id = s.discom_id and v.service_point_id = i.service_point_id
left join {{ source('registry', 'consumer') }} c on c.discom_id = s.discom_id and c.service_point_id = i.service_point_id and {{ valid_on('c', 'l.last_day') }}
left join {{ source('registry', 'consumer_index') }} x on x.discom_id = s.discom_id and x.service_point_id = i.service_point_id and {{ valid_on('x', 'l.last_day') }}
left join {{ source('registry', 'dt') }} t on t.discom_id = s.discom_id and t.dt_id = coalesce(i.dt_id, x.dt_id)
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = s.discom_id and o.office_id = {{ office_of() }}
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = s.discom_id
