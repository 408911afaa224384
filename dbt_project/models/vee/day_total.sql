{{ config(materialized='view') }}
{#
  The figures of vee.final_day without its arrays, for whoever adds up days: balances, bills and most reports. A day that was measured and passed is
  read from vee.measure alone.
#}
with doubted as (
    {{ doubted_days() }}
)

select x.discom_id, x.day, x.meter_id, x.place, x.category, x.office_id, x.interval_min, x.slots,
       coalesce(e.missing_slots, x.missing_slots) as missing_slots,
       coalesce(e.estimated_slots, 0) as estimated_slots,
       coalesce(e.estimated_wh, 0) as estimated_wh,
       case when e.meter_id is null then x.sum_wh else e.import_day_wh end as import_day_wh,
       case when e.meter_id is null then x.export_sum_wh else e.export_day_wh end as export_day_wh,
       case when e.meter_id is null then x.import_sum_vah else e.import_day_vah end as import_day_vah,
       case when e.meter_id is null then x.max_wh else (sort_desc(array_remove(e.import_wh, null)))[1] end as max_wh,
       x.register_open_wh, x.register_close_wh,
       (case when p.meter_id is not null and e.meter_id is null then 5 else 0 end)::smallint as day_quality,
       case when e.meter_id is not null then (sort_desc(e.quality::integer[]))[1]
            when x.missing_slots > 0 then 9
            else greatest(case when p.meter_id is not null then 5 else 0 end, x.source_quality) end::smallint as weakest_quality
from {{ ref('measure') }} x
left join {{ ref('estimated_day') }} e on e.discom_id = x.discom_id and e.day = x.day and e.meter_id = x.meter_id
left join doubted p on p.discom_id = x.discom_id and p.day = x.day and p.meter_id = x.meter_id
where not exists (
    select 1 from {{ source('vee', 'edit') }} d
    where d.discom_id = x.discom_id and d.day = x.day and d.meter_id = x.meter_id and d.approved_at is not null
)
union all
select x.discom_id, x.day, x.meter_id, x.place, x.category, x.office_id, x.interval_min, x.slots,
       x.slots - cardinality(array_remove(d.import_wh, null)), d.estimated_slots, d.estimated_wh,
       ops.total(d.import_wh), ops.total(d.export_wh), ops.total(d.import_vah), (sort_desc(array_remove(d.import_wh, null)))[1],
       x.register_open_wh, x.register_close_wh, d.day_quality, d.weakest_quality
from {{ ref('edited_day') }} d
join {{ ref('measure') }} x on x.discom_id = d.discom_id and x.day = d.day and x.meter_id = d.meter_id
