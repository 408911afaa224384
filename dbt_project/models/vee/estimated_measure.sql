{{ config(key=['discom_id', 'day', 'meter_id']) }}
-- The estimates measured as the readings were, for the rules to judge them again.
with estimate as (
    select e.discom_id, e.day, e.meter_id, ops.sorted(e.import_wh) as vals, ops.total(e.import_wh) as sum_wh, e.export_day_wh, e.import_day_vah,
           -- V32. Days in a row with estimates, this one included; the first day without ends the count.
           case when e.estimated_slots > 0 then coalesce((
               select b.days from generate_series(1, {{ var('estimate_lookback') | int }}) as b(days)
               where not exists (
                   select 1 from {{ source('vee', 'estimated_day') }} o
                   where o.discom_id = e.discom_id and o.day = e.day - b.days and o.meter_id = e.meter_id and o.estimated_slots > 0
               )
               order by b.days limit 1
           ), {{ var('estimate_lookback') | int }} + 1) else 0 end as estimated_days
    from {{ built_rows(source('vee', 'estimated_day')) }} e
),

figures as (
    select m.discom_id, m.day, m.meter_id, m.place, m.category, m.tariff, m.phases, m.dt, m.meter_category, m.office_id, m.slots, m.interval_min,
           m.fragments, m.duplicate_slots, m.conflict_slots, m.limit_wh, m.zero_days,
           m.register_lsb_wh, m.register_open_wh, m.register_close_wh, m.register_advance_wh, m.future_stamps, m.age_days,
           e.sum_wh, e.export_day_wh as export_sum_wh, e.import_day_vah as import_sum_vah, e.estimated_days,
           {{ import_figures('e.vals') }}, {{ over_limit_slots('e.vals', 'e.vals[cardinality(e.vals)]', 'm.limit_wh') }}
    from estimate e
    cross join lateral (
        select * from {{ ref('measure') }} m where m.discom_id = e.discom_id and m.day = e.day and m.meter_id = e.meter_id offset 0
    ) m
)

select f.*, f.slots - f.present_slots as missing_slots,
       {{ spike_pct('f.max_wh', 'f.third_max_wh', 'f.interval_min') }} as spike_pct,
       case when f.present_slots = f.slots then f.sum_wh - f.register_advance_wh end as sum_diff_wh,
       case when f.present_slots = f.slots then ops.sum_diff_pct(f.sum_wh, f.register_advance_wh, f.register_lsb_wh) end as sum_diff_pct
from figures f
