{{ config(key=['discom_id', 'day', 'meter_id']) }}
-- The estimates measured as the readings were, for the rules to judge them again.
with estimate as (
    select e.discom_id, e.day, e.meter_id, ops.sorted(e.import_wh) as import_wh, e.export_day_wh, e.import_day_vah
    from {{ built_rows(ref('estimated_day')) }} e
),

figures as (
    select m.*, e.export_day_wh, e.import_day_vah, {{ import_figures('e.import_wh', 'm.limit_wh') | replace(' as ', ' as estimated_') }}
    from estimate e
    cross join lateral (
        select * from {{ ref('measure') }} m where m.discom_id = e.discom_id and m.day = e.day and m.meter_id = e.meter_id offset 0
    ) m
)

select f.discom_id, f.day, f.meter_id, f.place, f.category, f.office_id, f.slots, f.interval_min,
       f.estimated_present_slots as present_slots, f.slots - f.estimated_present_slots as missing_slots, f.fragments, f.duplicate_slots, f.conflict_slots,
       f.estimated_negative_slots as negative_slots, f.estimated_zero_slots as zero_slots, f.estimated_over_limit_slots as over_limit_slots, f.limit_wh, f.zero_days,
       f.estimated_sum_wh as sum_wh, f.export_day_wh as export_sum_wh, f.import_day_vah as import_sum_vah,
       f.estimated_min_wh as min_wh, f.estimated_max_wh as max_wh, f.estimated_third_max_wh as third_max_wh,
       {{ spike_pct('f.estimated_max_wh', 'f.estimated_third_max_wh', 'f.interval_min') }} as spike_pct,
       f.register_lsb_wh, f.register_open_wh, f.register_close_wh, f.register_advance_wh,
       case when f.estimated_present_slots = f.slots then f.estimated_sum_wh - f.register_advance_wh end as sum_diff_wh,
       case when f.estimated_present_slots = f.slots then {{ sum_diff_pct('f.estimated_sum_wh', 'f.register_advance_wh', 'f.register_lsb_wh') }} end as sum_diff_pct,
       f.future_stamps, f.age_days
from figures f
