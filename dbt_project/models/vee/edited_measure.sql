{{ config(key=['discom_id', 'day', 'meter_id'], looks_up=true) }}
-- Edited days measured as the readings were, for the rules to judge them again. There are few: each is looked up.
with edited as (
    select e.discom_id, e.day, e.meter_id, ops.sorted(d.import_wh) as import_wh, d.import_day_wh as sum_wh, d.export_day_wh as export_sum_wh, d.import_day_vah as import_sum_vah,
           d.estimated_slots, d.estimated_wh, d.day_quality, d.weakest_quality
    from (
        select distinct e.discom_id, e.day, e.meter_id from {{ source('vee', 'edit') }} e where {{ in_build('e') }} and e.approved_at is not null
    ) e
    cross join lateral (
        select * from {{ ref('edited_day') }} d where d.discom_id = e.discom_id and d.day = e.day and d.meter_id = e.meter_id offset 0
    ) d
),

figures as (
    select m.discom_id, m.day, m.meter_id, m.place, m.category, m.tariff, m.phases, m.dt, m.meter_category, m.office_id, m.slots, m.interval_min, m.limit_wh, m.register_lsb_wh, m.register_advance_wh,
           e.sum_wh, e.export_sum_wh, e.import_sum_vah, e.estimated_slots, e.estimated_wh, e.day_quality, e.weakest_quality, {{ import_figures('e.import_wh') }},
           {{ over_limit_slots('e.import_wh', 'e.import_wh[cardinality(e.import_wh)]', 'm.limit_wh') }}
    from edited e
    cross join lateral (
        select * from {{ ref('measure') }} m where m.discom_id = e.discom_id and m.day = e.day and m.meter_id = e.meter_id offset 0
    ) m
)

select f.discom_id, f.day, f.meter_id, f.place, f.category, f.tariff, f.phases, f.dt, f.meter_category, f.office_id, f.slots, f.interval_min,
       f.present_slots, f.slots - f.present_slots as missing_slots, f.negative_slots, f.over_limit_slots, f.limit_wh,
       f.sum_wh, f.min_wh, f.max_wh, f.third_max_wh,
       {{ spike_pct('f.max_wh', 'f.third_max_wh', 'f.interval_min') }} as spike_pct,
       f.register_lsb_wh, f.register_advance_wh,
       case when f.present_slots = f.slots then f.sum_wh - f.register_advance_wh end as sum_diff_wh,
       case when f.present_slots = f.slots then ops.sum_diff_pct(f.sum_wh, f.register_advance_wh, f.register_lsb_wh) end as sum_diff_pct,
       f.export_sum_wh, f.import_sum_vah, f.estimated_slots, f.estimated_wh, f.day_quality, f.weakest_quality
from figures f
