{#
  Exceptions that need a person: all but notes, and what a rebuild no longer finds or an estimate mended. Age counts in business days up to the last that was built, so it does not change while the
  data stands still; of a closed one up to the day on which it was closed.
#}
select x.discom_id, {{ office_columns() }}, x.day, x.meter_id, r.serial, x.rule, k.title as rule_title, x.stage, x.severity, x.action, x.state, x.case_id, x.case_state, x.owner,
       x.opened_at, x.closed_at, x.age_days,
       case when x.age_days <= 1 then '0-1' when x.age_days <= 3 then '2-3' when x.age_days <= 7 then '4-7' when x.age_days <= 15 then '8-15' when x.age_days <= 30 then '16-30' else '> 30' end as band,
       x.message,
       {{ pct('m.present_slots', 'm.slots') }} as coverage_pct,
       a.data_as_of, now() as generated_at
from (
    select e.discom_id, e.day, e.meter_id, e.rule, e.stage, e.severity, e.action, e.state, e.message, e.opened_at, e.case_id, c.state as case_state,
           coalesce(c.assignee, c.closed_by) as owner, case when e.state = 'closed' then e.updated_at end as closed_at,
           greatest(case when e.state = 'closed' then (e.updated_at at time zone d.timezone)::date else l.last_day end - e.day, 0) as age_days
    from {{ source('vee', 'exception') }} e
    join {{ source('registry', 'discom') }} d on d.discom_id = e.discom_id
    join {{ ref('stg_ops__last_day') }} l on l.discom_id = e.discom_id
    left join {{ source('vee', 'case') }} c on c.discom_id = e.discom_id and c.case_id = e.case_id
    where e.state in ('open', 'closed') and e.action <> 'note'
) x
join {{ source('registry', 'meter') }} r on r.discom_id = x.discom_id and r.meter_id = x.meter_id
left join {{ ref('code_rule') }} k on k.rule = x.rule
-- Few meter-days of many are looked up.
left join lateral (
    select q.office_id, q.present_slots, q.slots from {{ ref('measure') }} q where q.discom_id = x.discom_id and q.day = x.day and q.meter_id = x.meter_id offset 0
) m on true
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = x.discom_id and o.office_id = m.office_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = x.discom_id
