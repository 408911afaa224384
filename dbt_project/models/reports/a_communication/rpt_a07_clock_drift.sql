{#
  Meter-days of which something is known of the clock: its drift as the head-end system reported it, or, from a stamp in the future, at least (vee.evidence, as V03 judges it), and how often it was
  set: event 151, and synchronisations that were carried out by command. A meter whose clock nobody spoke of has no row.
#}
select c.discom_id, {{ office_columns() }}, c.day, c.meter_id, r.serial, h.code as hes,
       v.meter_at, v.meter_at - make_interval(secs => c.drift_s) as reference_at,
       c.drift_s::integer as drift_s,
       c.sets as times_set, c.syncs as sync_commands,
       v.source as drift_source,
       {{ pct('m.present_slots', 'm.slots') }} as coverage_pct,
       a.data_as_of, now() as generated_at
from (
    select u.discom_id, u.day, u.meter_id, max(u.drift_s) as drift_s, sum(u.sets)::integer as sets, sum(u.syncs)::integer as syncs
    from (
        select e.discom_id, e.day, e.meter_id, e.clock_drift_s as drift_s, coalesce(e.clock_set_events, 0) as sets, 0 as syncs
        from {{ ref('evidence') }} e
        where e.clock_drift_s is not null or e.clock_set_events > 0
        union all
        select k.discom_id, (k.finished_at at time zone d.timezone)::date, k.meter_id, null, 0, 1
        from {{ source('ops', 'command') }} k
        join {{ source('registry', 'discom') }} d on d.discom_id = k.discom_id
        where k.kind = 'clock_sync' and k.state = 'done'
    ) u
    group by u.discom_id, u.day, u.meter_id
) c
join {{ source('registry', 'meter') }} r on r.discom_id = c.discom_id and r.meter_id = c.meter_id
join {{ source('registry', 'hes') }} h on h.discom_id = r.discom_id and h.hes_id = r.hes_id
left join lateral (
    -- The reading that the drift is of. Few rows, each looked up by an index.
    select q.meter_at, q.source
    from (
        select v.read_at as meter_at, 'reported' as source from {{ source('raw', 'meter_value') }} v
        where v.discom_id = c.discom_id and v.day = c.day and v.meter_id = c.meter_id and v.quantity = 'clock_drift_s' and v.value = c.drift_s
        union all
        select x.stamp, 'stamp in the future' from {{ source('raw', 'rejected') }} x
        where x.discom_id = c.discom_id and x.meter_id = c.meter_id and x.reason = 'FUTURE_STAMP' and ceil(extract(epoch from x.stamp - x.received_at)) = c.drift_s
          and x.received_at >= c.day and x.received_at < c.day + 3
    ) q
    order by q.meter_at desc, q.source limit 1
) v on true
left join lateral (
    select m.office_id, m.present_slots, m.slots from {{ ref('measure') }} m where m.discom_id = c.discom_id and m.day = c.day and m.meter_id = c.meter_id offset 0
) m on true
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = c.discom_id and o.office_id = m.office_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = c.discom_id
