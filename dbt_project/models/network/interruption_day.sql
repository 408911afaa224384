{{ config(key=['discom_id', 'day', 'head', 'head_id', 'started_at']) }}
{#
  Interruptions of DTs and feeders that began on the day, as they were known when it was built: network.interruption knows of later restorations.

  A head meter's power failure (101) to its restoration (102). A failure that another failure followed proves nothing, for its restoration was lost. Where no head meter said
  it, a share of the consumers that lost supply together says it (vars inferred_outage_pct, outage_together_s). Of a DT only the time counts in which its feeder had supply.
#}
{%- set discom = var('discom_id') | int -%}
{%- set lookback = var('outage_lookback') | int -%}
{%- set together = "interval '" ~ var('outage_together_s') | int ~ " seconds'" -%}
with day as (
    select d.day, d.timezone from {{ partition_days() }} d
),

head as (
    select i.meter_id, i.dt_id, i.feeder_id, i.valid_from, i.valid_to
    from {{ source('registry', 'installation') }} i
    where i.discom_id = {{ discom }} and i.service_point_id is null
),

-- Status words say the same as the event profile: bit 82 supply failed, 81 supply is back (as get_bit counts; vee.evidence).
word as (
    select w.meter_id, w.day, w.occurred_at, w.word, lag(w.word) over (partition by w.meter_id order by w.occurred_at) as before
    from {{ source('raw', 'event_status') }} w
    where w.discom_id = {{ discom }} and w.day between '{{ var('from_day') }}'::date - {{ lookback }} and '{{ var('to_day') }}'::date + {{ lookback }}
      and w.meter_id in (select meter_id from head)
),

said as (
    select e.meter_id, e.day, e.occurred_at, e.code
    from {{ source('raw', 'event') }} e
    where e.discom_id = {{ discom }} and e.code in (101, 102) and e.meter_id in (select meter_id from head)
      and e.day between '{{ var('from_day') }}'::date - {{ lookback }} and '{{ var('to_day') }}'::date + {{ lookback }}
    union
    select w.meter_id, w.day, w.occurred_at, b.code
    from word w
    cross join (values (82, 101), (81, 102)) as b(at, code)
    where get_bit(w.word, b.at) = 1 and coalesce(get_bit(w.before, b.at), 0) = 0
),

-- What came as an event and as a status word, seconds apart, is one.
supply as (
    select s.*
    from (
        select s.*, lag(s.code) over before as before_code, lag(s.occurred_at) over before as before_at
        from said s
        window before as (partition by s.meter_id order by s.occurred_at, s.code)
    ) s
    where not coalesce(s.code = s.before_code and s.occurred_at - s.before_at <= interval '{{ var('same_event_s') }} seconds', false)
),

head_failure as (
    select h.dt_id, h.feeder_id, tstzrange(f.occurred_at, coalesce(f.next_at, 'infinity'), '[]') as span
    from (
        select s.*, lead(s.code) over next as next_code, lead(s.occurred_at) over next as next_at
        from supply s
        window next as (partition by s.meter_id order by s.occurred_at, s.code)
    ) f
    join head h on h.meter_id = f.meter_id and {{ valid_on('h', 'f.day') }}
    where f.code = 101 and f.next_code is distinct from 101 and f.day <= '{{ var('to_day') }}'
),

-- --- what consumers say where no head meter does ---

indexed as (
    select d.day, x.dt_id, coalesce(x.feeder_id, t.feeder_id) as feeder_id, count(*)::integer as consumers
    from day d
    join {{ source('registry', 'consumer_index') }} x on x.discom_id = {{ discom }} and {{ valid_in_partition('x', 'd.day') }}
    left join {{ source('registry', 'dt') }} t on t.discom_id = x.discom_id and t.dt_id = x.dt_id
    group by d.day, x.dt_id, coalesce(x.feeder_id, t.feeder_id)
),

affected as (
    select day, 'dt' as head, dt_id as head_id, sum(consumers)::integer as consumers from indexed where dt_id is not null group by day, dt_id
    union all
    select day, 'feeder', feeder_id, sum(consumers)::integer from indexed group by day, feeder_id
),

consumer_failure as (
    select f.day, f.meter_id, x.dt_id, coalesce(x.feeder_id, t.feeder_id) as feeder_id, f.occurred_at as started_at, f.next_at as ended_at
    from (
        select e.meter_id, e.day, e.occurred_at, e.code, lead(e.code) over next as next_code, lead(e.occurred_at) over next as next_at
        from {{ source('raw', 'event') }} e
        where e.discom_id = {{ discom }} and e.code in (101, 102) and e.day between '{{ var('from_day') }}' and '{{ var('to_day') }}'::date + 1
        window next as (partition by e.meter_id order by e.occurred_at, e.code)
    ) f
    join {{ source('registry', 'installation') }} i on i.discom_id = {{ discom }} and i.meter_id = f.meter_id and {{ valid_in_partition('i', 'f.day') }}
    join {{ source('registry', 'consumer_index') }} x on x.discom_id = {{ discom }} and x.service_point_id = i.service_point_id and {{ valid_in_partition('x', 'f.day') }}
    left join {{ source('registry', 'dt') }} t on t.discom_id = x.discom_id and t.dt_id = x.dt_id
    where f.code = 101 and f.next_code is distinct from 101 and {{ days_of_partition('f.day') }}
),

-- Those that follow each other within the time are one.
inferred as (
    {%- for head in ['dt', 'feeder'] %}
    select '{{ head }}' as head, c.{{ head }}_id as head_id,
           tstzrange(min(c.started_at), coalesce(percentile_disc(0.5) within group (order by c.ended_at), 'infinity'), '[]') as span
    from (
        select g.*, count(*) filter (where g.apart) over (partition by g.{{ head }}_id order by g.started_at, g.meter_id) as run
        from (
            select f.*, coalesce(f.started_at - lag(f.started_at) over (partition by f.{{ head }}_id order by f.started_at, f.meter_id) > {{ together }}, true) as apart
            from consumer_failure f
            where f.{{ head }}_id is not null
        ) g
    ) c
    join affected a on a.day = c.day and a.head = '{{ head }}' and a.head_id = c.{{ head }}_id
    group by c.{{ head }}_id, c.run
    having count(distinct c.meter_id) >= greatest({{ var('inferred_outage_meters') | int }}, {{ var('inferred_outage_pct') }} / 100.0 * max(a.consumers))
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

-- --- one row an interruption ---

found as (
    select 'event' as source, 'dt' as head, f.dt_id as head_id, t.feeder_id, s.span
    from (select dt_id, range_agg(span) as spans from head_failure where dt_id is not null group by dt_id) f
    cross join lateral unnest(f.spans) as s(span)
    join {{ source('registry', 'dt') }} t on t.discom_id = {{ discom }} and t.dt_id = f.dt_id
    union all
    select 'event', 'feeder', f.feeder_id, f.feeder_id, s.span
    from (select feeder_id, range_agg(span) as spans from head_failure where feeder_id is not null group by feeder_id) f
    cross join lateral unnest(f.spans) as s(span)
    union all
    select 'meters', i.head, i.head_id, coalesce(t.feeder_id, i.head_id), i.span
    from inferred i
    left join {{ source('registry', 'dt') }} t on i.head = 'dt' and t.discom_id = {{ discom }} and t.dt_id = i.head_id
    where not exists (
        select 1 from head_failure h
        where i.head_id = case when i.head = 'dt' then h.dt_id else h.feeder_id end
          and h.span && tstzrange(lower(i.span) - {{ together }}, upper(i.span) + {{ together }})
    )
    union all
    -- Of a feeder that no meter watches, what was planned.
    select 'planned', 'feeder', p.feeder_id, p.feeder_id, tstzrange(p.starts_at, p.ends_at, '[]')
    from {{ source('registry', 'planned_outage') }} p
    where p.discom_id = {{ discom }}
      and p.starts_at >= '{{ var('from_day') }}'::date - 1 and p.starts_at < '{{ var('to_day') }}'::date + 2
      and not exists (select 1 from head h where h.feeder_id = p.feeder_id and {{ valid_on('h', "'" ~ var('from_day') ~ "'::date") }})
      and not exists (select 1 from inferred i where i.head = 'feeder' and i.head_id = p.feeder_id and i.span && tstzrange(p.starts_at, p.ends_at))
),

dark_feeder as (
    select head_id as feeder_id, range_agg(span) as spans
    from found
    where head = 'feeder'
    group by head_id
),

-- Clocks differ: what is left of a DT's interruption beside its feeder's must be longer than that.
interruption as (
    select f.source, f.head, f.head_id, f.feeder_id, p.span
    from found f
    left join dark_feeder k on f.head = 'dt' and k.feeder_id = f.feeder_id
    cross join lateral unnest(case when k.spans is null then tstzmultirange(f.span) else tstzmultirange(f.span) - k.spans end) as p(span)
    where p.span = f.span or upper(p.span) - lower(p.span) > {{ together }}
)

select {{ discom }}::smallint as discom_id, d.day, i.head, i.head_id, i.feeder_id,
       case when i.head = 'dt' then i.head_id end as dt_id,
       lower(i.span) as started_at,
       nullif(upper(i.span), 'infinity') as ended_at,
       coalesce(p.kind, 'forced') as cause,
       coalesce(a.consumers, 0) as consumers,
       i.source
from (
    select distinct on (head, head_id, lower(span)) * from interruption order by head, head_id, lower(span), source
) i
join day d on d.day = (lower(i.span) at time zone d.timezone)::date
left join affected a on a.day = d.day and a.head = i.head and a.head_id = i.head_id
left join lateral (
    select o.kind
    from {{ source('registry', 'planned_outage') }} o
    where o.discom_id = {{ discom }} and o.feeder_id = i.feeder_id
      and lower(i.span) between o.starts_at - interval '{{ var('planned_tolerance_min') | int }} minutes' and o.ends_at
    order by o.starts_at
    limit 1
) p on true
