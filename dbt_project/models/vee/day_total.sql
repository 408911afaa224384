{{ config(materialized='view') }}
{#
  The figures of vee.final_day without its arrays, for whoever adds up days: balances, bills and most reports. A day that was measured and passed is
  read from vee.measure alone. One chain of joins, and not a union of edited and other days: of a union's columns the planner has no statistics, and
  takes whatever is joined with it for a 200th. Of tables alone: with the arrays of vee.edited_day in it, no core adds up before the others.
#}
with doubted as (
    {{ doubted_days() }}
)

select x.discom_id, x.day, x.meter_id, x.place, x.category, x.office_id, x.interval_min, x.slots,
       coalesce(d.missing_slots, e.missing_slots, x.missing_slots) as missing_slots,
       coalesce(d.estimated_slots, e.estimated_slots, 0) as estimated_slots,
       coalesce(d.estimated_wh, e.estimated_wh, 0) as estimated_wh,
       {%- for total, measured in [('import_day_wh', 'sum_wh'), ('export_day_wh', 'export_sum_wh'), ('import_day_vah', 'import_sum_vah')] %}
       case when d.meter_id is not null then d.{{ measured }} when e.meter_id is not null then e.{{ total }} else x.{{ measured }} end as {{ total }},
       {%- endfor %}
       case when d.meter_id is not null then d.max_wh
            when e.meter_id is not null then (sort_desc(array_remove(e.import_wh, null)))[1]
            else x.max_wh end as max_wh,
       x.register_open_wh, x.register_close_wh,
       coalesce(d.day_quality, case when p.meter_id is not null and e.meter_id is null then 5 else 0 end)::smallint as day_quality,
       case when d.meter_id is not null then d.weakest_quality
            when e.meter_id is not null then (sort_desc(e.quality::integer[]))[1]
            when x.missing_slots > 0 then 9
            else greatest(case when p.meter_id is not null then 5 else 0 end, x.source_quality) end::smallint as weakest_quality
from {{ ref('measure') }} x
left join {{ source('vee', 'estimated_day') }} e on e.discom_id = x.discom_id and e.day = x.day and e.meter_id = x.meter_id
left join doubted p on p.discom_id = x.discom_id and p.day = x.day and p.meter_id = x.meter_id
left join {{ ref('edited_measure') }} d on d.discom_id = x.discom_id and d.day = x.day and d.meter_id = x.meter_id
