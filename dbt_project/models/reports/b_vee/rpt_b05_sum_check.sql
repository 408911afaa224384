{#
  What was measured, before estimates and edits, as the meter counts it. What agrees is what V19 passes by the rules that are in force for the DISCOM: one register step and its limit are allowed.
  V19 also judges a whole month on its last day, which is another matter.
#}
select m.discom_id, {{ office_columns() }}, m.day, m.meter_id, r.serial, m.place,
       m.present_slots as received_intervals, m.slots as due_intervals,
       {{ kwh('m.sum_wh') }} as intervals_kwh, {{ kwh('m.register_advance_wh') }} as register_kwh, {{ kwh('m.sum_diff_wh') }} as difference_kwh,
       m.sum_diff_pct as difference_beyond_step_pct,
       case when m.sum_diff_wh is null then 'not comparable' when e.meter_id is not null then 'differs' else 'agrees' end as result,
       {{ pct('m.present_slots', 'm.slots') }} as coverage_pct,
       a.data_as_of, now() as generated_at
from {{ ref('measure') }} m
join {{ source('registry', 'meter') }} r on r.discom_id = m.discom_id and r.meter_id = m.meter_id
left join {{ source('vee', 'exception') }} e
  on e.discom_id = m.discom_id and e.day = m.day and e.meter_id = m.meter_id and e.rule = 'V19' and e.stage = 'initial' and e.state <> 'cleared'
 and e.check_key is distinct from 'V19.month'
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = m.discom_id and o.office_id = m.office_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = m.discom_id
