{{ config(key=['discom_id', 'day', 'meter_id']) }}
-- Where one fragment is the whole day, raw has the day already. Anything else is put together here, slot by slot.
with scattered as (
    select p.day, p.meter_id, max(d.minutes / p.interval_min) as slots, max(d.due_at) as due_at, max(p.interval_min) as interval_min,
           count(*)::integer as fragments, max(p.received_at) as received_at
    from (
        -- One of several, or not the whole day. Counting the fragments of every meter would cost twice as much.
        select f.day, f.meter_id, f.batch_id, f.seq, f.interval_min, f.received_at
        from {{ ref('stg_raw__profile_fragment') }} f
        where {{ in_build('f') }} and exists (
            select 1 from {{ ref('stg_raw__profile_fragment') }} o
            where {{ in_partition('o') }} and o.day = f.day and o.meter_id = f.meter_id and (o.batch_id, o.seq) <> (f.batch_id, f.seq)
        )
        union
        select f.day, f.meter_id, f.batch_id, f.seq, f.interval_min, f.received_at
        from {{ ref('stg_raw__profile_fragment') }} f
        join {{ partition_days() }} d on d.day = f.day
        where {{ in_build('f') }} and (f.start_slot <> 0 or cardinality(f.import_wh) is distinct from d.minutes / f.interval_min)
    ) p
    join {{ partition_days() }} d on d.day = p.day
    group by p.day, p.meter_id
),

slot as (
    select f.day, f.meter_id, f.start_slot + u.i - 1 as slot,
           {%- for c in channels() %}
           (array_agg(u.{{ c }} order by f.received_at desc, f.seq desc, u.{{ c }} desc) filter (where u.{{ c }} is not null))[1] as {{ c }},
           {%- endfor %}
           min(f.received_at) filter (where u.import_wh is not null) as first_received_at,
           count(u.import_wh) as versions,
           count(distinct u.import_wh) as distinct_values
    from scattered s
    cross join lateral (
        select * from {{ ref('stg_raw__profile_fragment') }} f where f.discom_id = {{ var('discom_id') | int }} and f.day = s.day and f.meter_id = s.meter_id offset 0
    ) f
    cross join lateral unnest(f.{{ channels() | join(', f.') }}) with ordinality as u({{ channels() | join(', ') }}, i)
    group by f.day, f.meter_id, f.start_slot + u.i - 1
),

merged as (
    select p.day, p.meter_id, array_agg(s.slot::integer + 1 order by s.slot) as at,
           {%- for c in channels() %}
           case when count(s.{{ c }}) > 0 then array_agg(s.{{ c }} order by s.slot) end as {{ c }},
           {%- endfor %}
           sum(greatest(s.versions - s.distinct_values, 0))::integer as duplicate_slots,
           (count(*) filter (where s.distinct_values > 1))::integer as conflict_slots,
           (count(*) filter (where s.first_received_at > p.due_at))::integer as late_slots
    from scattered p
    join slot s on s.day = p.day and s.meter_id = p.meter_id and s.slot < p.slots
    group by p.day, p.meter_id
)

select {{ var('discom_id') | int }}::smallint as discom_id, p.day, p.meter_id, p.interval_min, p.slots, p.fragments,
       coalesce(m.duplicate_slots, 0) as duplicate_slots, coalesce(m.conflict_slots, 0) as conflict_slots, coalesce(m.late_slots, 0) as late_slots, p.received_at,
       {%- for c in channels() %}
       case when cardinality(m.at) = p.slots then m.{{ c }}
            when {{ 'true' if c == 'import_wh' else 'm.' ~ c ~ ' is not null' }}
            then ops.patched(array_fill(null::{{ 'smallint' if c == 'quality' else 'integer' }}, array[p.slots]), m.at, m.{{ c }}) end as {{ c }}{{ ',' if not loop.last }}
       {%- endfor %}
from scattered p
left join merged m using (day, meter_id)
