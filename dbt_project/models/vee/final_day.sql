{{ config(materialized='view') }}
{#
  Raw, estimated and edited stand side by side; this is the last word on each slot. Estimates and edits are stored only where they differ, so a day that
  was measured and passed is read straight from vee.meter_day. An edit counts here once it is approved, in vee.day_total and what adds it up with the day's next build.
#}
select t.discom_id, t.day, t.meter_id, t.place, t.category, t.office_id, t.interval_min, t.slots,
       coalesce(d.import_wh, e.import_wh, m.import_wh) as import_wh,
       coalesce(d.export_wh, e.export_wh, m.export_wh) as export_wh,
       coalesce(d.import_vah, e.import_vah, m.import_vah) as import_vah,
       m.export_vah, m.import_varh, m.voltage_dv, m.current_ma,
       -- Per slot where it differs within the day, else NULL: day_quality holds for every slot.
       case when d.meter_id is not null then d.quality
            when e.meter_id is not null then e.quality
            when m.quality is not null or t.missing_slots > 0
            then (select array_agg((case when m.import_wh[s] is null then 9 else greatest(m.quality[s], t.day_quality) end)::smallint order by s)
                  from generate_series(1, t.slots) s)
       end as quality,
       coalesce(d.day_quality, t.day_quality) as day_quality,
       case when d.meter_id is not null then d.method else e.method end as method,
       {%- for total in ['import_day_wh', 'export_day_wh', 'import_day_vah'] %}
       case when d.meter_id is not null then d.{{ total }} else t.{{ total }} end as {{ total }},
       {%- endfor %}
       {%- for figure in ['estimated_slots', 'missing_slots', 'estimated_wh'] %}
       coalesce(d.{{ figure }}, t.{{ figure }}) as {{ figure }},
       {%- endfor %}
       coalesce(d.weakest_quality, t.weakest_quality) as weakest_quality,
       case when b.built_at is not null then b.rule_set_id end as rule_set_id
from {{ ref('day_total') }} t
join {{ ref('meter_day') }} m on m.discom_id = t.discom_id and m.day = t.day and m.meter_id = t.meter_id
left join {{ source('vee', 'estimated_day') }} e on e.discom_id = t.discom_id and e.day = t.day and e.meter_id = t.meter_id
left join {{ ref('edited_day') }} d on d.discom_id = t.discom_id and d.day = t.day and d.meter_id = t.meter_id
left join {{ source('ops', 'day_build') }} b on b.discom_id = t.discom_id and b.day = t.day
