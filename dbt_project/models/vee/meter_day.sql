{{ config(key=['discom_id', 'day', 'meter_id'], pre_hook="{{ join_whole_partitions() }}") }}
{%- set channels = ['import_wh', 'export_wh', 'import_vah', 'export_vah', 'import_varh', 'voltage_dv', 'current_ma', 'quality'] %}
with place as (
    select p.discom_id, d.day::date as day, p.meter_id, p.interval_min, ops.slots(d.day::date, p.timezone, p.interval_min) as slots,
           (d.day::date + 1)::timestamp at time zone p.timezone + interval '{{ var('late_after_hours') | int }} hours' as due_at
    from {{ ref('stg_registry__meter_place') }} p
    cross join generate_series('{{ var('from_day') }}'::date, '{{ var('to_day') }}'::date, interval '1 day') d(day)
    where p.discom_id = {{ var('discom_id') | int }} and {{ valid_on('p', 'd.day::date') }}
),

fragment as (
    select * from {{ ref('stg_raw__profile_fragment') }} f where {{ in_partition('f') }}
),

pieces as (
    select day, meter_id, count(*) as n from fragment group by day, meter_id
),

-- The common case: one fragment that is the whole day. Anything else is put together slot by slot.
whole as (
    select f.*, p.due_at
    from fragment f
    join place p using (discom_id, day, meter_id)
    join pieces s on s.day = f.day and s.meter_id = f.meter_id and s.n = 1
    where f.start_slot = 0 and cardinality(f.import_wh) = p.slots
),

scattered as (
    select f.* from fragment f
    where not exists (select 1 from whole w where w.day = f.day and w.meter_id = f.meter_id)
),

slot as (
    select discom_id, day, meter_id, f.start_slot + u.i - 1 as slot,
           {%- for c in channels %}
           (array_agg(u.{{ c }} order by received_at desc, seq desc, u.{{ c }} desc) filter (where u.{{ c }} is not null))[1] as {{ c }},
           {%- endfor %}
           min(f.received_at) filter (where u.import_wh is not null) as first_received_at,
           count(u.import_wh) as versions,
           count(distinct u.import_wh) as distinct_values
    from scattered f
    cross join lateral unnest({{ channels | map('string') | join(', ') }}) with ordinality as u({{ channels | join(', ') }}, i)
    group by discom_id, day, meter_id, f.start_slot + u.i - 1
),

merged as (
    select p.discom_id, p.day, p.meter_id,
           {%- for c in channels %}
           case when count(s.{{ c }}) > 0 then array_agg(s.{{ c }} order by g.slot) end as {{ c }},
           {%- endfor %}
           coalesce(sum(greatest(s.versions - s.distinct_values, 0)), 0)::integer as duplicate_slots,
           (count(*) filter (where s.distinct_values > 1))::integer as conflict_slots,
           (count(*) filter (where s.first_received_at > p.due_at))::integer as late_slots
    from place p
    join (select distinct discom_id, day, meter_id from scattered) k using (discom_id, day, meter_id)
    cross join lateral generate_series(0, p.slots - 1) as g(slot)
    left join slot s on s.discom_id = p.discom_id and s.day = p.day and s.meter_id = p.meter_id and s.slot = g.slot
    group by p.discom_id, p.day, p.meter_id
),

assembled as (
    select discom_id, day, meter_id, {{ channels | join(', ') }}, 0 as duplicate_slots, 0 as conflict_slots,
           case when received_at > due_at then cardinality(array_remove(import_wh, null)) else 0 end as late_slots
    from whole
    union all
    select discom_id, day, meter_id, {{ channels | join(', ') }}, duplicate_slots, conflict_slots, late_slots from merged
),

arrival as (
    select day, meter_id, max(received_at) as received_at from fragment group by day, meter_id
)

select p.discom_id, p.day, p.meter_id, p.interval_min, p.slots,
       coalesce(s.n, 0)::integer as fragments,
       coalesce(a.duplicate_slots, 0) as duplicate_slots,
       coalesce(a.conflict_slots, 0) as conflict_slots,
       coalesce(a.late_slots, 0) as late_slots,
       r.received_at,
       coalesce(a.import_wh, array_fill(null::integer, array[p.slots])) as import_wh,
       a.export_wh, a.import_vah, a.export_vah, a.import_varh, a.voltage_dv, a.current_ma, a.quality
from place p
left join assembled a using (discom_id, day, meter_id)
left join pieces s on s.day = p.day and s.meter_id = p.meter_id
left join arrival r on r.day = p.day and r.meter_id = p.meter_id
