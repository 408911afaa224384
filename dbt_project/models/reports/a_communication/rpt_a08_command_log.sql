{#
  Commands by the business day on which they were asked for. Success and the time that 90 % of them took are those of all commands of the kind on that day; commands that are still under way
  count in neither, and what was taken back is no failure.
#}
select c.discom_id, {{ office_columns() }}, c.day, c.command_id, c.kind, c.requested_by, r.serial, h.code as hes, c.state, c.reason,
       c.requested_at, c.sent_at, c.finished_at, c.attempts::integer as attempts,
       c.elapsed_s,
       k.success_pct as kind_success_pct, k.p90_s as kind_p90_s,
       {{ pct('k.finished', 'k.commands') }} as coverage_pct,
       a.data_as_of, now() as generated_at
from (
    select c.*, (c.requested_at at time zone d.timezone)::date as day, extract(epoch from c.finished_at - c.requested_at)::double precision as elapsed_s
    from {{ source('ops', 'command') }} c
    join {{ source('registry', 'discom') }} d on d.discom_id = c.discom_id
) c
join (
    select k.discom_id, (k.requested_at at time zone d.timezone)::date as day, k.kind, count(*) as commands, count(k.finished_at) as finished,
           {{ pct("count(*) filter (where k.state = 'done')", "count(*) filter (where k.state in ('done', 'failed', 'timed_out'))") }} as success_pct,
           percentile_disc(0.9) within group (order by extract(epoch from k.finished_at - k.requested_at)::double precision) filter (where k.state = 'done') as p90_s
    from {{ source('ops', 'command') }} k
    join {{ source('registry', 'discom') }} d on d.discom_id = k.discom_id
    group by k.discom_id, day, k.kind
) k on k.discom_id = c.discom_id and k.day = c.day and k.kind = c.kind
join {{ source('registry', 'meter') }} r on r.discom_id = c.discom_id and r.meter_id = c.meter_id
join {{ source('registry', 'hes') }} h on h.discom_id = c.discom_id and h.hes_id = c.hes_id
{{ join_place('c', 'c.day') }}
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = c.discom_id and o.office_id = {{ office_of() }}
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = c.discom_id
