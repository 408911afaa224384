{{ config(materialized='replace_day', key=['discom_id', 'day', 'office_id']) }}
{#
  The first receipt of a midnight register counts. Meters and registers are put together by a union and not a join: a range of days reaches the partitions of both, and the registers of a
  meter-day must be brought together anyway.
#}
select s.discom_id, {{ office_columns() }}, s.office_id, s.day,
       s.meters as total_meters, s.not_commissioned, s.without_supply, s.due as due_meters,
       s.received_in_time, s.received_within_day, s.received - s.received_within_day as received_later, s.due - s.received as not_received,
       {{ pct('s.received_in_time', 's.due') }} as in_time_pct,
       {{ pct('s.received_within_day', 's.due') }} as within_day_pct,
       {{ pct('s.received', 's.due') }} as coverage_pct,
       a.data_as_of, now() as generated_at
from (
    select q.discom_id, q.office_id, q.day, count(*)::integer as meters,
           (count(*) filter (where q.standing = 1))::integer as not_commissioned,
           (count(*) filter (where q.standing = 2))::integer as without_supply,
           (count(*) filter (where q.standing = 0))::integer as due,
           (count(*) filter (where q.standing = 0 and q.after is not null))::integer as received,
           (count(*) filter (where q.standing = 0 and q.after <= interval '{{ var('late_after_hours') | int }} hours'))::integer as received_in_time,
           (count(*) filter (where q.standing = 0 and q.after <= interval '{{ var('daily_within_hours') | int }} hours'))::integer as received_within_day
    from (
        select u.discom_id, u.day, u.meter_id, max(u.office_id) as office_id, max(u.standing) as standing,
               min(u.received_at) - {{ end_of_day('u.day', 'max(d.timezone)') }} as after
        from (
            -- standing: 0 due, 1 not commissioned, 2 without supply
            select m.discom_id, m.day, m.meter_id, m.office_id, case when m.due then 0 when m.not_commissioned then 1 else 2 end as standing, null::timestamp with time zone as received_at
            from (
                {{ due_meters() }}
            ) m
            where {{ in_partition('m') }}
            union all
            select r.discom_id, r.day, r.meter_id, null, null, r.received_at from {{ source('raw', 'register_reading') }} r where {{ in_partition('r') }}
        ) u
        join {{ source('registry', 'discom') }} d on d.discom_id = u.discom_id
        group by u.discom_id, u.day, u.meter_id
    ) q
    -- What came of meters that are not installed is not due.
    where q.office_id is not null
    group by q.discom_id, q.office_id, q.day
) s
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = s.discom_id and o.office_id = s.office_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = s.discom_id
