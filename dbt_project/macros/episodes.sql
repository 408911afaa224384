{#
  Occurrences, and events that nothing restores, with what ended them: as vee.event_episode, but who asks for a day reads that day. What follows on the same day is a window of it; only for
  what is left are the days after looked up (var restoration_lookahead), in event profiles. `families` narrows it to some.
#}
{% macro episodes(families=none) -%}
select e.discom_id, e.day, e.meter_id, e.family, e.event, e.log, e.severity, e.code, e.occurred_at, e.received_at,
       case when e.role = 'occurrence' then coalesce(e.next_at, l.occurred_at) end as ended_at,
       case when e.role = 'single' then 'single'
            when coalesce(e.next_role, l.role) = 'restoration' then 'restored'
            when coalesce(e.next_role, l.role) is null then 'open'
            else 'lost restoration' end as state,
       case when e.role = 'occurrence' and coalesce(e.next_role, l.role) = 'restoration' then extract(epoch from coalesce(e.next_at, l.occurred_at) - e.occurred_at)::bigint end as duration_s
from (
    select o.*, lead(o.role) over next as next_role, lead(o.occurred_at) over next as next_at
    from (
        -- A make may have two codes for one event.
        select v.discom_id, v.day, v.meter_id, v.family, v.event, v.log, v.severity, v.role, v.occurred_at, min(v.code) as code, min(v.received_at) as received_at
        from {{ ref('stg_raw__event') }} v
        {%- if families is not none %}
        where v.family in ('{{ families | join("', '") }}')
        {%- endif %}
        group by v.discom_id, v.day, v.meter_id, v.family, v.event, v.log, v.severity, v.role, v.occurred_at
    ) o
    window next as (partition by o.discom_id, o.day, o.meter_id, o.family order by o.occurred_at, o.role)
) e
left join lateral (
    select r.occurred_at, k.role
    from generate_series(1, {{ var('restoration_lookahead') | int }}) as n(days)
    cross join lateral (
        select r.occurred_at, r.code from {{ source('raw', 'event') }} r where r.discom_id = e.discom_id and r.day = e.day + n.days and r.meter_id = e.meter_id offset 0
    ) r
    join {{ ref('code_event') }} k on k.code = r.code and k.family = e.family
    where e.role = 'occurrence' and e.next_role is null
    order by r.occurred_at, k.role
    limit 1
) l on true
where e.role <> 'restoration'
{%- endmacro %}
