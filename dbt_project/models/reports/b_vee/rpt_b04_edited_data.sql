{#
  Every edit, with what became of it; dated by the business day that was edited. Values are the meter's own count, by slot of the day; of an edit of a day's import or export in Wh, of kVAh in VAh.
#}
select x.discom_id, {{ office_columns() }}, x.day, x.edit_id, x.meter_id, r.serial, x.channel, x.editor, x.edited_at, x.reason, x.note,
       coalesce(x.decision, 'waits') as decision, x.decided_by, x.decided_at, x.decision_note,
       x.changed_intervals, {{ kwh('x.before_wh') }} as old_kwh, {{ kwh('x.after_wh') }} as new_kwh, {{ kwh('(x.after_wh - coalesce(x.before_wh, 0))') }} as difference_kwh,
       x.old_values, x.new_values,
       {{ pct('x.valued', 'x.slots') }} as coverage_pct,
       a.data_as_of, now() as generated_at
from (
    select e.discom_id, e.day, e.edit_id, e.meter_id, e.channel, e.editor, e.edited_at, e.reason, e.note, c.decision, c.decided_by, c.decided_at, c.note as decision_note,
           ops.total(e.before) as before_wh, ops.total(e.after) as after_wh, e.before::text as old_values, e.after::text as new_values,
           cardinality(e.after) as slots, cardinality(array_remove(e.after, null)) as valued,
           (select count(*) from unnest(e.before, e.after) as u(b, a) where u.b is distinct from u.a)::integer as changed_intervals
    from {{ source('vee', 'edit') }} e
    left join {{ source('vee', 'edit_decision') }} c on c.discom_id = e.discom_id and c.edit_id = e.edit_id
) x
join {{ source('registry', 'meter') }} r on r.discom_id = x.discom_id and r.meter_id = x.meter_id
{{ join_place('x', 'x.day') }}
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = x.discom_id and o.office_id = {{ office_of() }}
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = x.discom_id
