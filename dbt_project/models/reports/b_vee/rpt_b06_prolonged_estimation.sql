{#
  Meters that were estimated on the last business day that was built, the longest run of days first to be seen to. Prolonged is what V32 finds by the rules that are in force for the DISCOM.
#}
select e.discom_id, {{ office_columns() }}, e.meter_id, r.serial, e.place, e.category, e.dt, l.last_day,
       (l.last_day - e.estimated_days + 1)::date as first_estimated_day, e.estimated_days,
       x.meter_id is not null as prolonged,
       d.estimated_slots as estimated_intervals, {{ kwh('d.estimated_wh') }} as estimated_kwh,
       {{ pct('(e.slots - d.estimated_slots - d.missing_slots)', 'e.slots') }} as coverage_pct,
       a.data_as_of, now() as generated_at
from {{ ref('estimated_measure') }} e
join {{ ref('stg_ops__last_day') }} l on l.discom_id = e.discom_id and l.last_day = e.day
join {{ source('vee', 'estimated_day') }} d on d.discom_id = e.discom_id and d.day = e.day and d.meter_id = e.meter_id
join {{ source('registry', 'meter') }} r on r.discom_id = e.discom_id and r.meter_id = e.meter_id
left join {{ source('vee', 'exception') }} x
  on x.discom_id = e.discom_id and x.day = e.day and x.meter_id = e.meter_id and x.rule = 'V32' and x.stage = 'estimate' and x.state <> 'cleared'
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = e.discom_id and o.office_id = e.office_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = e.discom_id
where e.estimated_days > 0 and e.day >= (select min(n.last_day) from {{ ref('stg_ops__last_day') }} n)
  -- Looked up as of one day: these bounds reach the partitions.
  and d.day >= (select min(n.last_day) from {{ ref('stg_ops__last_day') }} n)
