{{ config(materialized='view') }}
-- The last word on days that people edited. There are few of them, so their arrays are walked slot by slot (in functions: a subquery over an array would
-- keep every plan that reads this to one core, and so would a look-up by OFFSET 0).
with edit as (
    select distinct on (discom_id, day, meter_id, channel) discom_id, day, meter_id, channel, after
    from {{ source('vee', 'edit') }}
    where approved_at is not null
    order by discom_id, day, meter_id, channel, edit_id desc
),

edited as (
    select discom_id, day, meter_id,
           -- One edit a channel is left; max() of it is itself.
           max(after) filter (where channel = 'import_wh') as import_wh,
           max(after) filter (where channel = 'export_wh') as export_wh,
           max(after) filter (where channel = 'import_vah') as import_vah
    from edit
    group by discom_id, day, meter_id
),

doubted as (
    {{ doubted_days() }}
)

select d.discom_id, d.day, d.meter_id,
       v.import_wh, v.export_wh, v.import_vah,
       q.quality,
       b.base as day_quality,
       -- What was edited is no estimate any more.
       case when d.import_wh is null then e.method else array_replace(ops.of_quality(e.method::integer[], q.quality, 6), null, 0)::smallint[] end as method,
       case when d.import_wh is null then coalesce(e.estimated_slots, 0) else cardinality(q.quality) - cardinality(array_remove(q.quality, 6::smallint)) end as estimated_slots,
       case when d.import_wh is null then coalesce(e.estimated_wh, 0) else coalesce(ops.total(ops.of_quality(d.import_wh, q.quality, 6)), 0) end as estimated_wh,
       greatest(coalesce((sort_desc(q.quality::integer[]))[1], b.base), 2)::smallint as weakest_quality,
       cardinality(v.import_wh) - cardinality(array_remove(v.import_wh, null)) as missing_slots,
       ops.total(v.import_wh) as import_day_wh, ops.total(v.export_wh) as export_day_wh, ops.total(v.import_vah) as import_day_vah
from edited d
join {{ ref('meter_day') }} m on m.discom_id = d.discom_id and m.day = d.day and m.meter_id = d.meter_id
left join {{ source('vee', 'estimated_day') }} e on e.discom_id = d.discom_id and e.day = d.day and e.meter_id = d.meter_id
left join doubted p on p.discom_id = d.discom_id and p.day = d.day and p.meter_id = d.meter_id
cross join lateral (
    select coalesce(d.import_wh, e.import_wh, m.import_wh) as import_wh, coalesce(d.export_wh, e.export_wh, m.export_wh) as export_wh,
           coalesce(d.import_vah, e.import_vah, m.import_vah) as import_vah
) v
cross join lateral (select (case when p.meter_id is not null and e.meter_id is null then 5 else 0 end)::smallint as base) b
cross join lateral (
    select case when d.import_wh is null and e.quality is not null then e.quality
                when d.import_wh is not null or m.quality is not null or array_position(m.import_wh, null) is not null
                then ops.edited_quality(d.import_wh, e.import_wh, e.quality, m.import_wh, m.quality, b.base)
           end as quality
) q
