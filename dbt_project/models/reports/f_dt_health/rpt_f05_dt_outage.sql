select d.discom_id, {{ office_columns() }}, 'month' as period, d.period_start, f.code as feeder, t.code as dt,
       d.interruptions, d.of_feeder, d.planned, d.momentary, d.lasting,
       d.minutes::numeric(12, 1) as duration_min, d.longest::numeric(12, 1) as longest_min,
       {{ pct('d.present_slots', 'd.slots') }} as coverage_pct,
       a.data_as_of, now() as generated_at
from (
    select p.discom_id, p.period_start, n.dt_id, coalesce(x.interruptions, 0) as interruptions, coalesce(x.of_feeder, 0) as of_feeder, coalesce(x.planned, 0) as planned,
           coalesce(x.momentary, 0) as momentary, coalesce(x.lasting, 0) as lasting, coalesce(x.minutes, 0) as minutes, x.longest, l.present_slots, l.slots
    from {{ built_periods(['month']) }} p
    join {{ source('registry', 'dt') }} n on n.discom_id = p.discom_id and ops.sees_office(n.office_id)
    -- Its own, and those of its whole feeder.
    left join lateral (
        select u.dt_id,
               (count(*) filter (where u.counts))::integer as interruptions,
               (count(*) filter (where u.counts and u.head = 'feeder'))::integer as of_feeder,
               (count(*) filter (where u.counts and u.cause <> 'forced'))::integer as planned,
               (count(*) filter (where not u.counts))::integer as momentary,
               (count(*) filter (where u.minutes is null))::integer as lasting,
               sum(u.minutes) filter (where u.counts) as minutes,
               max(u.minutes) filter (where u.counts) as longest
        from (
            select i.dt_id, i.head, i.cause, i.minutes, coalesce(i.minutes > {{ var('momentary_min') }}, true) as counts
            from {{ ref('interruption') }} i
            where {{ in_period('i') }} and i.head = 'dt'
            union all
            select w.dt_id, i.head, i.cause, i.minutes, coalesce(i.minutes > {{ var('momentary_min') }}, true)
            from {{ ref('interruption') }} i
            join {{ source('registry', 'dt') }} w on w.discom_id = i.discom_id and w.feeder_id = i.feeder_id
            where {{ in_period('i') }} and i.head = 'feeder'
        ) u
        group by u.dt_id
    ) x on x.dt_id = n.dt_id
    left join lateral (
        select l.dt_id, sum(l.present_slots) as present_slots, sum(l.slots) as slots from {{ ref('dt_load_day') }} l where {{ in_period('l') }} group by l.dt_id
    ) l on l.dt_id = n.dt_id
) d
{{ dt_places() }}
