{{ config(key=['discom_id', 'day', 'meter_id'], looks_up=true) }}
with opening as (
    {{ midnight_registers(before=1) }}
),

closing as (
    {{ midnight_registers() }}
),

-- Stamps in the future were rejected at landing; they count on the last full day before they were received.
future as (
    select x.meter_id, (x.received_at at time zone d.timezone)::date - 1 as day, sum(x.value_count)::integer as stamps
    from {{ source('raw', 'rejected') }} x
    join {{ source('registry', 'discom') }} d using (discom_id)
    where x.discom_id = {{ var('discom_id') | int }} and x.reason = 'FUTURE_STAMP' and x.meter_id is not null
    group by 1, 2
),

-- A day of zero from the first slot to the last; in a proven outage (101 with no 102 before the day ends) it is none. Only a meter that begins
-- the partition with zeros looks back, a day at a time: days gone by cost nothing else.
zero_reading as (
    select r.day, r.meter_id from {{ built_rows(ref('day_reading')) }} r
    -- The first slot alone rules nearly every day out.
    where r.import_wh[1] = 0 and 0 = all (r.import_wh) and array_position(r.import_wh, null) is null
),

zero_day as (
    select z.day, z.meter_id
    from (
        select day, meter_id from zero_reading
        union all
        select h.day, h.meter_id
        from zero_reading r
        cross join generate_series(1, {{ var('zero_day_lookback') | int }}) as b(days)
        cross join lateral (
            select h.day, h.meter_id from {{ this }} h
            where h.discom_id = {{ var('discom_id') | int }} and h.day = r.day - b.days and h.meter_id = r.meter_id and h.zero_slots = h.slots offset 0
        ) h
        where r.day = '{{ var('from_day') }}'::date
    ) z
    where (
        select true
        from generate_series(0, {{ var('zero_day_lookback') | int }}) as b(days)
        cross join lateral (
            select o.day, o.occurred_at from {{ source('raw', 'event') }} o
            where o.discom_id = {{ var('discom_id') | int }} and o.day = z.day - b.days and o.meter_id = z.meter_id and o.code = 101 offset 0
        ) o
        where (select count(*) from {{ source('raw', 'event') }} r
               where r.discom_id = {{ var('discom_id') | int }} and r.meter_id = z.meter_id and r.code = 102
                 and r.day between o.day and z.day and r.occurred_at > o.occurred_at) = 0
        limit 1
    ) is null
),

-- Days in a row have one thing in common: their date less their number.
zero_run as (
    select day, meter_id, row_number() over (partition by meter_id, run order by day)::integer as days
    from (select day, meter_id, day - row_number() over (partition by meter_id order by day)::integer as run from zero_day) z
)

{#- Subqueries, where CTEs would read better: functions that are evaluated once a row would have a CTE written out before it is read. #}
select f.discom_id, f.day, f.meter_id, f.place, f.category, f.office_id, f.slots, f.interval_min,
       f.present_slots, f.slots - f.present_slots as missing_slots,
       f.fragments, f.duplicate_slots, f.conflict_slots, f.late_slots,
       f.negative_slots, f.zero_slots, f.over_limit_slots, f.limit_wh,
       least(coalesce(z.days, 0), {{ var('zero_day_lookback') | int }} + 1) as zero_days,
       f.sum_wh, f.export_sum_wh, f.import_sum_vah, f.min_wh, f.max_wh, f.third_max_wh,
       {{ spike_pct('f.max_wh', 'f.third_max_wh', 'f.interval_min') }} as spike_pct,
       f.register_lsb_wh, r0.import_wh as register_open_wh, r1.import_wh as register_close_wh, r1.import_wh - r0.import_wh as register_advance_wh,
       -- The sum check needs a complete day and both registers.
       case when f.present_slots = f.slots then f.sum_wh - (r1.import_wh - r0.import_wh) end as sum_diff_wh,
       case when f.present_slots = f.slots then {{ sum_diff_pct('f.sum_wh', '(r1.import_wh - r0.import_wh)', 'f.register_lsb_wh') }} end as sum_diff_pct,
       coalesce(u.stamps, 0) as future_stamps,
       f.age_days, f.source_quality, f.received_at, f.batch_id, f.seq
from (
    select p.discom_id, d.day, p.meter_id, p.place, p.category, p.office_id, p.limit_wh, p.register_lsb_wh,
           coalesce(r.slots, d.minutes / p.interval_min) as slots,
           coalesce(r.interval_min, p.interval_min) as interval_min,
           coalesce(r.fragments, 0) as fragments,
           coalesce(r.duplicate_slots, 0) as duplicate_slots,
           coalesce(r.conflict_slots, 0) as conflict_slots,
           coalesce(r.late_slots, case when r.received_at > d.due_at then cardinality(r.import_wh) else 0 end) as late_slots,
           r.received_at, r.batch_id, r.seq, r.source_quality,
           (r.received_at at time zone d.timezone)::date - d.day as age_days,
           {{ import_figures("coalesce(r.import_wh, '{}')", 'p.limit_wh') }},
           ops.total(r.export_wh) as export_sum_wh,
           ops.total(r.import_vah) as import_sum_vah
    from {{ partition_days() }} d
    {%- if var('changed_only') %}
    join ops.changed_meter c on {{ in_partition('c') }} and c.day = d.day
    cross join lateral (
        select * from {{ ref('stg_registry__meter_place') }} p
        where p.discom_id = c.discom_id and p.meter_id = c.meter_id and {{ valid_in_partition('p', 'c.day') }} offset 0
    ) p
    {%- else %}
    join {{ ref('stg_registry__meter_place') }} p on {{ valid_in_partition('p', 'd.day') }}
    {%- endif %}
    left join (
        select r.day, r.meter_id, r.interval_min, r.slots, r.fragments, r.duplicate_slots, r.conflict_slots, r.late_slots, r.received_at, r.batch_id, r.seq,
               ops.sorted(r.import_wh) as import_wh, r.export_wh, r.import_vah,
               case when r.quality is not null then (ops.sorted(r.quality::integer[]))[cardinality(array_remove(r.quality, null))] end as source_quality
        from {{ built_rows(ref('day_reading')) }} r
    ) r on r.meter_id = p.meter_id and r.day = d.day
    where p.discom_id = {{ var('discom_id') | int }}
) f
left join opening r0 on r0.meter_id = f.meter_id and r0.day = f.day - 1
left join closing r1 on r1.meter_id = f.meter_id and r1.day = f.day
left join zero_run z on z.day = f.day and z.meter_id = f.meter_id
left join future u on u.day = f.day and u.meter_id = f.meter_id
