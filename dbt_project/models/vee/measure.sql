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

{#-
  Subqueries, where CTEs would read better: functions that are evaluated once a row would have a CTE written out before it is read.
  What is joined with a CTE is joined last: from there on one core does all.
#}
select h.*, least(coalesce(z.days, 0), {{ var('zero_day_lookback') | int }} + 1) as zero_days
from (
    select g.discom_id, g.day, g.meter_id, g.place, g.category, g.tariff, g.phases, g.dt, g.meter_category, g.office_id, g.slots, g.interval_min,
           g.present_slots, g.slots - g.present_slots as missing_slots,
           g.fragments, g.duplicate_slots, g.conflict_slots, g.late_slots,
           g.negative_slots, g.zero_slots, g.over_limit_slots, g.limit_wh,
           g.sum_wh, g.export_sum_wh, g.import_sum_vah, g.min_wh, g.max_wh, g.third_max_wh,
           {{ spike_pct('g.max_wh', 'g.third_max_wh', 'g.interval_min') }} as spike_pct,
           g.register_lsb_wh, g.register_open_wh, g.register_close_wh, g.register_advance_wh, g.export_advance_wh, g.apparent_advance_vah,
           case when g.register_advance_wh >= 0 then 0 else -g.register_advance_wh end as register_back_wh,
           -- The sum check needs a complete day and both registers.
           case when g.present_slots = g.slots then g.sum_wh - g.register_advance_wh end as sum_diff_wh,
           case when g.present_slots = g.slots then ops.sum_diff_pct(g.sum_wh, g.register_advance_wh, g.register_lsb_wh) end as sum_diff_pct,
           case when g.export_slots = g.slots then ops.sum_diff_pct(g.export_sum_wh, g.export_advance_wh, g.register_lsb_wh) end as export_diff_pct,
           case when g.apparent_slots = g.slots then ops.sum_diff_pct(g.import_sum_vah, g.apparent_advance_vah, g.register_lsb_wh) end as apparent_diff_pct,
           -- Energy went through the register of a channel that came for fewer slots than the import.
           case when g.export_advance_wh > 0 then greatest(g.present_slots - coalesce(g.export_slots, 0), 0) end as export_missing_slots,
           case when g.apparent_advance_vah > 0 then greatest(g.present_slots - coalesce(g.apparent_slots, 0), 0) end as apparent_missing_slots,
           -- A small load says nothing of its kvarh and kVAh. What one step explains is no factor above 1.
           case when g.present_slots = g.slots and g.sum_wh >= {{ var('apparent_floor_wh') | int }} then g.reactive_sum_varh end as reactive_sum_varh,
           case when g.present_slots = g.slots and g.apparent_slots = g.slots and g.sum_wh >= {{ var('apparent_floor_wh') | int }}
                then g.sum_wh / greatest(g.import_sum_vah, case when g.sum_wh - g.import_sum_vah <= g.register_lsb_wh then g.sum_wh else 1 end)::double precision
                end as power_factor,
           case when g.present_slots = g.slots and g.apparent_slots = g.slots and g.sum_wh >= {{ var('apparent_floor_wh') | int }} then g.apparent_off_pct end as apparent_off_pct,
           g.md_pct, case when g.md_of_day then g.md_pct end as md_of_day_pct,
           g.voltage_min_v, g.voltage_max_v, g.dead_slots,
           -- A value that the register bears out is real, whatever its bits.
           g.other_overflow_slots + case when g.present_slots = g.slots and abs(g.sum_wh - g.register_advance_wh) <= g.register_lsb_wh then 0
                                         else g.import_overflow_slots end as overflow_slots,
           g.frozen_slots, g.both_ways_slots, g.step_pct,
           case when g.place = 'consumer' and g.of_feeder and g.present_slots = g.slots
                then g.sum_wh * g.mf::double precision * 100 / nullif(g.sanctioned_load_w::double precision * g.slots * g.interval_min / 60, 0) end as load_factor_pct,
           g.future_stamps, g.age_days, g.source_quality, g.received_at, g.batch_id, g.seq
    from (
        select f.*, t.code as dt, x.feeder_id is not null as of_feeder,
               coalesce(u.stamps, 0) as future_stamps,
               r0.import_wh as register_open_wh, r1.import_wh as register_close_wh,
               ops.advance(r0.import_wh, r1.import_wh, f.register_modulus_wh, f.limit_wh * f.slots) as register_advance_wh,
               ops.advance(r0.export_wh, r1.export_wh, f.register_modulus_wh, f.limit_wh * f.slots) as export_advance_wh,
               ops.advance(r0.import_vah, r1.import_vah, f.register_modulus_wh, f.limit_wh * f.slots) as apparent_advance_vah,
               -- Of a small load the demand register and the blocks differ by their steps.
               case when f.interval_min = {{ var('demand_period_min') | int }} and f.max_wh * 60 >= {{ var('spike_floor_w') | int }} * f.interval_min
                    then r1.md_import_w * f.interval_min / (f.max_wh * 60)::double precision * 100 end as md_pct,
               ((r1.md_import_at - interval '1 second') at time zone f.timezone)::date = f.day as md_of_day
        from (
            select p.discom_id, d.day, d.timezone, p.meter_id, p.place, p.category, p.tariff, p.phases, p.meter_category, p.office_id,
                   p.service_point_id, p.dt_id, p.mf, p.sanctioned_load_w, p.limit_wh, p.register_lsb_wh, p.register_modulus_wh,
                   coalesce(r.slots, d.minutes / p.interval_min) as slots,
                   coalesce(r.interval_min, p.interval_min) as interval_min,
                   coalesce(r.fragments, 0) as fragments,
                   coalesce(r.duplicate_slots, 0) as duplicate_slots,
                   coalesce(r.conflict_slots, 0) as conflict_slots,
                   coalesce(r.late_slots, case when r.received_at > d.due_at then r.present_slots else 0 end) as late_slots,
                   r.received_at, r.batch_id, r.seq, r.source_quality,
                   (r.received_at at time zone d.timezone)::date - d.day as age_days,
                   coalesce(r.present_slots, 0) as present_slots, coalesce(r.negative_slots, 0) as negative_slots, coalesce(r.zero_slots, 0) as zero_slots,
                   {{ over_limit_slots('r.vals', 'r.max_wh', 'p.limit_wh') }}, r.min_wh, r.max_wh, r.third_max_wh,
                   r.sum_wh, r.export_sum_wh, r.export_slots, r.import_sum_vah, r.apparent_slots, r.reactive_sum_varh, r.apparent_off_pct,
                   r.import_overflow_slots, coalesce(r.other_overflow_slots, 0) as other_overflow_slots, r.frozen_slots, r.step_pct,
                   case when p.phases = 1 then r.both_ways_slots end as both_ways_slots,
                   {%- for c in ['voltage_min_v', 'voltage_max_v', 'dead_slots'] %}
                   case when p.voltage_v between 200 and 260 then r.{{ c }} end as {{ c }}{{ ',' if not loop.last }}
                   {%- endfor %}
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
                {{ reading_figures(built_rows(ref('day_reading'))) }}
            ) r on r.meter_id = p.meter_id and r.day = d.day
            where p.discom_id = {{ var('discom_id') | int }}
        ) f
        left join opening r0 on r0.meter_id = f.meter_id and r0.day = f.day - 1
        left join closing r1 on r1.meter_id = f.meter_id and r1.day = f.day
        left join future u on u.day = f.day and u.meter_id = f.meter_id
        left join {{ source('registry', 'consumer_index') }} x
          on x.discom_id = f.discom_id and x.service_point_id = f.service_point_id and {{ valid_in_partition('x', 'f.day') }}
        left join {{ source('registry', 'dt') }} t on t.discom_id = f.discom_id and t.dt_id = coalesce(f.dt_id, x.dt_id)
    ) g
) h
left join zero_run z on z.day = h.day and z.meter_id = h.meter_id
