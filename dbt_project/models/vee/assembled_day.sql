{{ config(key=['discom_id', 'day', 'meter_id']) }}
-- Where one fragment is the whole day, raw has the day already. Anything else is put together here, slot by slot.
with scattered as (
    select p.day, p.meter_id, max(d.minutes / p.interval_min) as slots, max(d.due_at) as due_at, max(p.interval_min) as interval_min,
           count(*)::integer as fragments, max(p.received_at) as received_at
    from (
        -- One of several, or not the whole day. Counting the fragments of every meter would cost twice as much.
        select f.day, f.meter_id, f.batch_id, f.seq, f.interval_min, f.received_at
        {%- if var('changed_only') %}
        from (select f.*, count(*) over (partition by f.day, f.meter_id) as n from {{ built_rows(ref('stg_raw__profile_fragment')) }} f) f
        where f.n > 1
        {%- else %}
        from {{ ref('stg_raw__profile_fragment') }} f
        where {{ in_partition('f') }} and exists (
            select 1 from {{ ref('stg_raw__profile_fragment') }} o
            where {{ in_partition('o') }} and o.day = f.day and o.meter_id = f.meter_id and (o.batch_id, o.seq) <> (f.batch_id, f.seq)
        )
        {%- endif %}
        union
        select f.day, f.meter_id, f.batch_id, f.seq, f.interval_min, f.received_at
        from {{ built_rows(ref('stg_raw__profile_fragment')) }} f
        join {{ partition_days() }} d on d.day = f.day
        where (f.start_slot <> 0 or cardinality(f.import_wh) is distinct from d.minutes / f.interval_min)
    ) p
    join {{ partition_days() }} d on d.day = p.day
    group by p.day, p.meter_id
),

piece as (
    select s.day, s.meter_id, s.slots, s.due_at, s.fragments, f.start_slot, f.received_at, f.seq, f.{{ channels() | join(', f.') }}
    from scattered s
    cross join lateral (
        select * from {{ ref('stg_raw__profile_fragment') }} f where f.discom_id = {{ var('discom_id') | int }} and f.day = s.day and f.meter_id = s.meter_id offset 0
    ) f
),

-- A whole day that was sent once more, and leaves nothing of the first open: the second stands as it is. Slot by slot it would cost many times as much.
resent as (
    select l.day, l.meter_id, l.{{ channels() | join(', l.') }}, c.same as duplicate_slots, c.other as conflict_slots,
           case when l.first_received_at > l.due_at then l.slots when l.received_at > l.due_at then l.slots - c.same - c.other else 0 end as late_slots
    from (
        select p.*, lead(p.received_at) over w as first_received_at, lead(p.seq) over w as first_seq, lead(p.start_slot) over w as first_start_slot,
               lead(p.import_wh) over w as first_import_wh,
               {%- for c in channels() %}
               lead(p.{{ c }} is null) over w as first_without_{{ c }}{{ ',' if not loop.last }}
               {%- endfor %}
        from piece p
        where p.fragments = 2
        window w as (partition by p.day, p.meter_id order by p.received_at desc, p.seq desc)
    ) l
    cross join lateral (
        select (count(*) filter (where u.l = u.o))::integer as same, (count(*) filter (where u.l <> u.o))::integer as other
        from unnest(l.import_wh, l.first_import_wh) as u(l, o)
    ) c
    where (l.first_received_at, l.first_seq) < (l.received_at, l.seq)
      and l.start_slot = 0 and l.first_start_slot = 0 and cardinality(l.import_wh) = l.slots and cardinality(l.first_import_wh) = l.slots
      {%- for c in channels() %}
      and (l.{{ c }} is not null and array_position(l.{{ c }}, null) is null or l.{{ c }} is null and l.first_without_{{ c }})
      {%- endfor %}
),

slot as (
    select f.day, f.meter_id, f.start_slot + u.i - 1 as slot,
           {%- for c in channels() %}
           (array_agg(u.{{ c }} order by f.received_at desc, f.seq desc, u.{{ c }} desc) filter (where u.{{ c }} is not null))[1] as {{ c }},
           {%- endfor %}
           min(f.received_at) filter (where u.import_wh is not null) as first_received_at,
           count(u.import_wh) as versions,
           count(distinct u.import_wh) as distinct_values
    from piece f
    cross join lateral unnest(f.{{ channels() | join(', f.') }}) with ordinality as u({{ channels() | join(', ') }}, i)
    where not exists (select 1 from resent r where r.day = f.day and r.meter_id = f.meter_id)
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
       {%- for c in ['duplicate_slots', 'conflict_slots', 'late_slots'] %}
       coalesce(r.{{ c }}, m.{{ c }}, 0) as {{ c }},
       {%- endfor %}
       p.received_at,
       {%- for c in channels() %}
       case when r.meter_id is not null then r.{{ c }}
            when cardinality(m.at) = p.slots then m.{{ c }}
            when {{ 'true' if c == 'import_wh' else 'm.' ~ c ~ ' is not null' }}
            then ops.patched(array_fill(null::{{ 'smallint' if c == 'quality' else 'integer' }}, array[p.slots]), m.at, m.{{ c }}) end as {{ c }}{{ ',' if not loop.last }}
       {%- endfor %}
from scattered p
left join resent r using (day, meter_id)
left join merged m using (day, meter_id)
