{{ config(key=['discom_id', 'day', 'meter_id'], pre_hook="{{ join_whole_partitions() }}") }}
with meter_day as (
    select * from {{ ref('meter_day') }} m where {{ in_partition('m') }}
),

register as (
    {{ boundary_registers() }}
),

-- Stamps in the future were rejected at landing; they count on the last full day before they were received.
future as (
    select x.meter_id, (x.received_at at time zone d.timezone)::date - 1 as day, sum(x.value_count)::integer as stamps
    from {{ source('raw', 'rejected') }} x
    join {{ source('registry', 'discom') }} d using (discom_id)
    where x.discom_id = {{ var('discom_id') | int }} and x.reason = 'FUTURE_STAMP' and x.meter_id is not null
    group by 1, 2
),

figures as (
    select m.discom_id, m.day, m.meter_id, p.place, p.category, p.office_id, p.limit_wh, p.register_lsb_wh,
           m.slots, m.interval_min, m.fragments, m.duplicate_slots, m.conflict_slots,
           v.present_slots, v.negative_slots, v.zero_slots, v.over_limit_slots, v.sum_wh, v.min_wh, v.max_wh, v.third_max_wh,
           x.export_sum_wh, x.import_sum_vah,
           r0.import_wh as register_open_wh, r1.import_wh as register_close_wh, r1.import_wh - r0.import_wh as register_advance_wh,
           (m.received_at at time zone p.timezone)::date - m.day as age_days
    from meter_day m
    join {{ ref('stg_registry__meter_place') }} p
      on p.discom_id = m.discom_id and p.meter_id = m.meter_id and {{ valid_on('p', 'm.day') }}
    cross join lateral (
        {{ import_figures('m.import_wh', 'p.limit_wh') }}
    ) v
    cross join lateral (
        select (select sum(e) from unnest(m.export_wh) e)::bigint as export_sum_wh,
               (select sum(a) from unnest(m.import_vah) a)::bigint as import_sum_vah
    ) x
    left join register r0 on r0.discom_id = m.discom_id and r0.meter_id = m.meter_id and r0.day = m.day - 1
    left join register r1 on r1.discom_id = m.discom_id and r1.meter_id = m.meter_id and r1.day = m.day
),

-- Only meters that read zero all day look back; a day in a proven outage (101 with no 102 before it ends) is no zero day.
zero_run as (
    select f.day, f.meter_id, b.zero_days
    from figures f
    cross join lateral (
        select count(*)::integer as zero_days
        from (
            select h.day, bool_and(coalesce(h.is_zero, false)) over (order by h.day desc) and f.day - h.day = row_number() over (order by h.day desc) - 1 as unbroken
            from (
                select m.day,
                       0 = all (m.import_wh) and array_position(m.import_wh, null) is null and not exists (
                           select 1 from {{ source('raw', 'event') }} o
                           where o.discom_id = m.discom_id and o.meter_id = m.meter_id and o.code = 101
                             and o.day between m.day - {{ var('zero_day_lookback') | int }} and m.day
                             and not exists (
                                 select 1 from {{ source('raw', 'event') }} b
                                 where b.discom_id = o.discom_id and b.meter_id = o.meter_id and b.code = 102
                                   and b.day between o.day and m.day and b.occurred_at > o.occurred_at
                             )
                       ) as is_zero
                from {{ ref('meter_day') }} m
                where m.discom_id = f.discom_id and m.meter_id = f.meter_id
                  and m.day between f.day - {{ var('zero_day_lookback') | int }} and f.day
            ) h
        ) runs
        where unbroken
    ) b
    where f.present_slots = f.slots and f.zero_slots = f.slots
)

select f.discom_id, f.day, f.meter_id, f.place, f.category, f.office_id, f.slots, f.interval_min,
       f.present_slots, f.slots - f.present_slots as missing_slots,
       f.fragments, f.duplicate_slots, f.conflict_slots,
       f.negative_slots, f.zero_slots, f.over_limit_slots, f.limit_wh,
       coalesce(z.zero_days, 0) as zero_days,
       f.sum_wh, f.export_sum_wh, f.import_sum_vah, f.min_wh, f.max_wh, f.third_max_wh,
       {{ spike_pct('f.max_wh', 'f.third_max_wh', 'f.interval_min') }} as spike_pct,
       f.register_lsb_wh, f.register_open_wh, f.register_close_wh, f.register_advance_wh,
       -- The sum check needs a complete day and both registers.
       case when f.present_slots = f.slots then f.sum_wh - f.register_advance_wh end as sum_diff_wh,
       case when f.present_slots = f.slots then {{ sum_diff_pct('f.sum_wh', 'f.register_advance_wh', 'f.register_lsb_wh') }} end as sum_diff_pct,
       coalesce(u.stamps, 0) as future_stamps,
       f.age_days
from figures f
left join zero_run z on z.day = f.day and z.meter_id = f.meter_id
left join future u on u.day = f.day and u.meter_id = f.meter_id
