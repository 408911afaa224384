{{ config(materialized='replace_day', key=['discom_id', 'day', 'office_id', 'rule']) }}
with tested as (
    select m.discom_id, m.day, m.office_id, count(*)::integer as meters, sum(m.present_slots)::bigint as present, sum(m.slots)::bigint as due
    from {{ ref('measure') }} m
    where {{ in_partition('m') }}
    group by m.discom_id, m.day, m.office_id
),

failed as (
    select m.day, m.office_id, e.rule,
           count(distinct e.meter_id)::integer as failed,
           count(distinct e.meter_id) filter (where e.state = 'estimated')::integer as auto_estimated,
           count(distinct e.meter_id) filter (where e.state = 'open' and e.action <> 'note')::integer as pending
    from {{ source('vee', 'exception') }} e
    join {{ ref('measure') }} m using (discom_id, day, meter_id)
    where {{ in_partition('e') }} and {{ in_partition('m') }} and e.stage = 'initial' and e.state <> 'cleared'
    group by m.day, m.office_id, e.rule
)

select t.discom_id, {{ office_columns() }}, t.office_id, t.day, r.rule, r.title, r.severity, r.action,
       t.meters as tested,
       coalesce(f.failed, 0) as failed,
       {{ pct('coalesce(f.failed, 0)', 't.meters') }} as failed_pct,
       coalesce(f.auto_estimated, 0) as auto_estimated,
       coalesce(f.pending, 0) as pending,
       {{ pct('t.present', 't.due') }} as coverage_pct,
       a.data_as_of, now() as generated_at
from tested t
cross join {{ ref('code_rule') }} r
left join failed f on f.day = t.day and f.office_id = t.office_id and f.rule = r.rule
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = t.discom_id and o.office_id = t.office_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = t.discom_id
