{#
  Connects and disconnects with the meter's own event: 302 for a connect, 301 for a disconnect, the first from the sending (less var same_event_s, as the clocks of meters are) to
  the next such command of the meter. elapsed_s is from sending to the confirmation: the event, else the end of the command. Day: the business day of the request.
#}
select c.discom_id, {{ office_columns() }}, (c.requested_at at time zone d.timezone)::date as day, c.command_id, m.serial, n.code as consumer, h.code as hes,
       c.kind, c.requested_by, c.requested_at, c.sent_at, c.finished_at, c.state, c.reason, c.attempts::integer as attempts,
       e.code as event_code, e.occurred_at as event_at, e.received_at as event_received_at,
       e.code is not null as event_seen,
       extract(epoch from c.finished_at - c.requested_at)::double precision as total_s,
       extract(epoch from case when c.state = 'done' then least(coalesce(e.received_at, c.finished_at), c.finished_at) end - c.sent_at)::double precision as elapsed_s,
       case when c.finished_at is not null then 100 else 0 end::double precision as coverage_pct,
       a.data_as_of, now() as generated_at
from (
    select k.*, lead(k.sent_at) over (partition by k.discom_id, k.meter_id order by k.command_id) as next_sent_at
    from {{ source('ops', 'command') }} k
    where k.kind in ('connect', 'disconnect')
) c
join {{ source('registry', 'discom') }} d on d.discom_id = c.discom_id
join {{ source('registry', 'meter') }} m on m.discom_id = c.discom_id and m.meter_id = c.meter_id
join {{ source('registry', 'hes') }} h on h.discom_id = c.discom_id and h.hes_id = c.hes_id
left join {{ source('registry', 'installation') }} i
  on i.discom_id = c.discom_id and i.meter_id = c.meter_id and {{ valid_on('i', '(c.requested_at at time zone d.timezone)::date') }}
left join {{ source('registry', 'service_point') }} p on p.discom_id = i.discom_id and p.service_point_id = i.service_point_id
left join {{ source('registry', 'consumer') }} n
  on n.discom_id = i.discom_id and n.service_point_id = i.service_point_id and {{ valid_on('n', '(c.requested_at at time zone d.timezone)::date') }}
left join lateral (
    select v.code, v.occurred_at, min(v.received_at) as received_at
    from {{ source('raw', 'event') }} v
    where v.discom_id = c.discom_id and v.meter_id = c.meter_id and v.code = case c.kind when 'connect' then 302 else 301 end and v.code in (301, 302)
      and v.occurred_at >= c.sent_at - interval '{{ var('same_event_s') }} seconds' and v.occurred_at < coalesce(c.next_sent_at, 'infinity')
    group by v.code, v.occurred_at
    order by v.occurred_at
    limit 1
) e on true
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = c.discom_id and o.office_id = p.office_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = c.discom_id
