{{ config(materialized='view', contract={'enforced': false}) }}
-- The estimates measured as the readings were, for the rules to judge them again.
select m.discom_id, m.day, m.meter_id, m.place, m.category, m.office_id, m.slots, m.interval_min,
       v.present_slots, m.slots - v.present_slots as missing_slots, m.fragments, m.duplicate_slots, m.conflict_slots,
       v.negative_slots, v.zero_slots, v.over_limit_slots, m.limit_wh, m.zero_days,
       v.sum_wh, e.export_day_wh as export_sum_wh, e.import_day_vah as import_sum_vah, v.min_wh, v.max_wh, v.third_max_wh,
       {{ spike_pct('v.max_wh', 'v.third_max_wh', 'm.interval_min') }} as spike_pct,
       m.register_lsb_wh, m.register_open_wh, m.register_close_wh, m.register_advance_wh,
       case when v.present_slots = m.slots then v.sum_wh - m.register_advance_wh end as sum_diff_wh,
       case when v.present_slots = m.slots then {{ sum_diff_pct('v.sum_wh', 'm.register_advance_wh', 'm.register_lsb_wh') }} end as sum_diff_pct,
       m.future_stamps, m.age_days
from {{ ref('estimated_day') }} e
join {{ ref('measure') }} m using (discom_id, day, meter_id)
cross join lateral (
    {{ import_figures('e.import_wh', 'm.limit_wh') }}
) v
