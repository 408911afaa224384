{{ config(materialized='view') }}
{#
  What landed of frozen days since they were built, against what was billed: the value that a rebuild would take for each slot and, where no
  slot differs, the register's advance. Only meters of which something came; raw is read, since no build sees what lands after it.
#}
with unseen as (
    select b.discom_id, b.day, t.day as landed_for, t.batch_id, t.meters
    from {{ source('vee', 'frozen') }} z
    join {{ source('ops', 'day_build') }} b on b.discom_id = z.discom_id and b.day between z.first_day and z.last_day
    -- A register that closes the day before opens this one.
    join {{ source('raw', 'touched_day') }} t on t.discom_id = b.discom_id and t.day in (b.day, b.day - 1)
    where not pg_visible_in_snapshot(t.written_by, b.saw)
),

touched as (
    select u.discom_id, u.day, m.meter_id from unseen u cross join lateral unnest(u.meters) m(meter_id)
    union
    select u.discom_id, u.day, f.meter_id from unseen u
    join {{ source('raw', 'profile_fragment') }} f on f.discom_id = u.discom_id and f.day = u.landed_for and f.batch_id = u.batch_id
    where u.meters is null and u.landed_for = u.day
    union
    select u.discom_id, u.day, r.meter_id from unseen u
    join {{ source('raw', 'register_reading') }} r on r.discom_id = u.discom_id and r.day = u.landed_for and r.batch_id = u.batch_id
    where u.meters is null
),

billed as (
    select f.discom_id, f.day, f.meter_id, f.slots, f.import_wh, f.quality, f.day_quality, f.import_day_wh
    from touched t
    cross join lateral (
        select * from {{ ref('final_day') }} f where f.discom_id = t.discom_id and f.day = t.day and f.meter_id = t.meter_id offset 0
    ) f
),

-- The latest received value of each slot stands (vee.assembled_day); it counts here where it is new.
slot as (
    select b.discom_id, b.day, b.meter_id, f.start_slot + u.i as at,
           {%- for c in ['wh', 'quality', 'is_new'] %}
           (array_agg({{ {'wh': 'u.wh', 'quality': 'coalesce(u.quality, 0)', 'is_new': 'n.batch_id is not null'}[c] }} order by f.received_at desc, f.seq desc, u.wh desc))[1] as {{ c }}{{ ',' if not loop.last }}
           {%- endfor %}
    from billed b
    cross join lateral (
        select * from {{ source('raw', 'profile_fragment') }} f where f.discom_id = b.discom_id and f.day = b.day and f.meter_id = b.meter_id offset 0
    ) f
    left join unseen n on n.discom_id = b.discom_id and n.day = b.day and n.landed_for = b.day and n.batch_id = f.batch_id
    cross join lateral unnest(f.import_wh, f.quality) with ordinality as u(wh, quality, i)
    where u.wh is not null and f.start_slot + u.i <= b.slots
    group by b.discom_id, b.day, b.meter_id, f.start_slot + u.i
),

differing as (
    select s.discom_id, s.day, s.meter_id, s.wh - coalesce(b.import_wh[s.at], 0) as more_wh,
           s.quality > case when b.import_wh[s.at] is null then 9 else coalesce(b.quality[s.at], b.day_quality) end as weaker
    from slot s
    join billed b on b.discom_id = s.discom_id and b.day = s.day and b.meter_id = s.meter_id
    where s.is_new and s.wh is distinct from b.import_wh[s.at]
),

difference as (
    select discom_id, day, meter_id,
           (count(*) filter (where not weaker))::integer as rebill_slots, coalesce(sum(more_wh) filter (where not weaker), 0) as rebill_wh,
           (count(*) filter (where weaker))::integer as weaker_slots, coalesce(sum(more_wh) filter (where weaker), 0) as weaker_wh
    from differing
    group by discom_id, day, meter_id
)

select b.discom_id, b.day, b.meter_id, b.import_day_wh as billed_wh,
       coalesce(d.rebill_slots, 0) as rebill_slots, coalesce(d.rebill_wh, 0)::bigint as rebill_wh,
       coalesce(d.weaker_slots, 0) as weaker_slots, coalesce(d.weaker_wh, 0)::bigint as weaker_wh,
       case when r.is_new and d.meter_id is null then r.advance_wh - b.import_day_wh end as register_wh,
       case when r.is_new and d.meter_id is null then ops.sum_diff_pct(b.import_day_wh, r.advance_wh, m.register_lsb_wh) end as register_pct
from billed b
join {{ source('registry', 'meter') }} m on m.discom_id = b.discom_id and m.meter_id = b.meter_id
left join difference d on d.discom_id = b.discom_id and d.day = b.day and d.meter_id = b.meter_id
left join lateral (
    select c.import_wh - o.import_wh as advance_wh, c.is_new or o.is_new as is_new
    from (values (0)) x(n)
    {%- for alias, before in [('o', 1), ('c', 0)] %}
    cross join lateral (
        select r.import_wh, exists (
            select 1 from unseen n where n.discom_id = r.discom_id and n.day = b.day and n.landed_for = r.day and n.batch_id = r.batch_id
        ) as is_new
        from {{ source('raw', 'register_reading') }} r
        where r.discom_id = b.discom_id and r.day = b.day - {{ before }} and r.meter_id = b.meter_id
        order by {{ register_order('r') }} desc limit 1
    ) {{ alias }}
    {%- endfor %}
) r on true
