{{ config(materialized='view') }}
{#
  Interruptions with their end: what was still going on when its day was built is looked up among what head meters said since, for so long as a failure's other end is looked
  for (var outage_lookback).
#}
select s.discom_id, s.day, s.head, s.head_id, s.feeder_id, s.dt_id, s.started_at, e.ended_at,
       (extract(epoch from e.ended_at - s.started_at) / 60)::double precision as minutes,
       s.cause, s.consumers, s.source
from {{ ref('interruption_day') }} s
left join lateral (
    select min(r.occurred_at) as restored_at
    from {{ source('registry', 'installation') }} i
    join {{ source('raw', 'event') }} r on r.discom_id = i.discom_id and r.meter_id = i.meter_id and r.code = 102
    where s.ended_at is null and i.discom_id = s.discom_id and i.service_point_id is null
      and (i.dt_id = s.dt_id or s.dt_id is null and i.feeder_id = s.feeder_id) and {{ valid_on('i', 's.day') }}
      and r.day between s.day and s.day + {{ var('outage_lookback') | int }} and r.occurred_at > s.started_at
) l on true
cross join lateral (select coalesce(s.ended_at, l.restored_at) as ended_at) e
