{{ config(key=['discom_id', 'day', 'meter_id'], pre_hook="{{ join_whole_partitions() }}") }}
{#
  Only meter-days that failed a rule with action `estimate` are touched, channel by channel and slot by slot (domain 6.3):
  EM3 linear over gaps of at most max_linear_minutes with good slots on both sides in the same day; else EM4, the mean of the same slot over the latest good days of
  the same day type; else EM10 flat, where a register tells how much is to be spread. EM9 scales what was estimated to the register's advance, to the last Wh.
#}
{%- set energies = ['import_wh', 'export_wh', 'import_vah'] %}
with failing as (
    select e.discom_id, e.day, e.meter_id, bool_or(e.rule = 'V17') as spike
    from {{ source('vee', 'exception') }} e
    where {{ in_partition('e') }} and e.stage = 'initial' and e.action = 'estimate' and e.state in ('open', 'estimated')
    group by e.discom_id, e.day, e.meter_id
),

register as (
    {{ boundary_registers() }}
),

target_day as (
    select f.discom_id, f.day, f.meter_id, f.spike, m.slots, m.interval_min, m.quality,
           m.import_wh, m.export_wh, m.import_vah,
           x.limit_wh, x.max_wh, x.register_lsb_wh,
           -- A peak that the register bears out is real: it stays, questionable.
           f.spike and coalesce(x.sum_diff_wh > 0 and x.sum_diff_pct > 1, false) as spike_refuted,
           r1.import_wh - r0.import_wh as import_wh_advance,
           r1.export_wh - r0.export_wh as export_wh_advance,
           r1.import_vah - r0.import_vah as import_vah_advance
    from failing f
    join {{ ref('meter_day') }} m using (discom_id, day, meter_id)
    join {{ ref('measure') }} x using (discom_id, day, meter_id)
    left join register r0 on r0.discom_id = f.discom_id and r0.meter_id = f.meter_id and r0.day = f.day - 1
    left join register r1 on r1.discom_id = f.discom_id and r1.meter_id = f.meter_id and r1.day = f.day
    where {{ in_partition('m') }} and {{ in_partition('x') }}
),

holiday as (
    select day from {{ source('registry', 'holiday') }} where discom_id = {{ var('discom_id') | int }}
),

-- Good days of the same type (weekday, Saturday, Sunday or holiday), the latest first.
like_day as (
    select t.day as target, l.*
    from target_day t
    cross join lateral (
        select m.meter_id, m.day, m.import_wh, m.export_wh, m.import_vah
        from {{ ref('meter_day') }} m
        where m.discom_id = t.discom_id and m.meter_id = t.meter_id and m.slots = t.slots
          and m.day between t.day - {{ var('like_day_window') | int }} and t.day - 1
          and {{ day_type('m.day') }} = {{ day_type('t.day') }}
          and not exists (
              select 1 from {{ source('vee', 'exception') }} e
              where e.discom_id = m.discom_id and e.day = m.day and e.meter_id = m.meter_id
                -- Not the verdicts on estimates: those of the last build still stand while a day is built again.
                and e.stage = 'initial' and e.action in ('estimate', 'hold', 'flag') and e.state <> 'cleared'
          )
          and not exists (
              select 1 from {{ source('raw', 'event') }} o
              where o.discom_id = m.discom_id and o.day = m.day and o.meter_id = m.meter_id and o.code in (101, 102)
          )
        order by m.day desc
        limit {{ var('like_days') | int }}
    ) l
),

-- V11 judges the import, so a good day may have a negative value in another channel.
like_slot as (
    {%- for c in energies %}
    select l.target as day, l.meter_id, '{{ c }}' as channel, u.slot, round(avg(u.v))::bigint as v
    from like_day l cross join lateral unnest(l.{{ c }}) with ordinality as u(v, slot)
    where u.v >= 0
    group by l.target, l.meter_id, u.slot
    {%- if not loop.last %} union all {% endif %}
    {%- endfor %}
),

-- A channel is estimated where the meter is known to have it: it reported some of the day, or its register or its like days say so.
channel_day as (
    {%- for c in energies %}
    select t.discom_id, t.day, t.meter_id, '{{ c }}' as channel, t.slots, t.interval_min, t.register_lsb_wh, t.limit_wh, t.spike_refuted, t.max_wh,
           t.{{ c }}_advance as advance, t.{{ c }} as vals
    from target_day t
    where t.{{ c }} is not null or t.{{ c }}_advance is not null
       or exists (select 1 from like_day l where l.target = t.day and l.meter_id = t.meter_id and l.{{ c }} is not null)
    {%- if not loop.last %} union all {% endif %}
    {%- endfor %}
),

-- V16 and V17 judge the import.
slot as (
    select c.discom_id, c.day, c.meter_id, c.channel, c.slots, c.interval_min, c.advance, c.limit_wh, c.register_lsb_wh, g.slot,
           case when v.v is null or v.v < 0 or (c.channel = 'import_wh' and (v.v > c.limit_wh or (c.spike_refuted and v.v = c.max_wh))) then null else v.v end as good,
           l.v as like_v
    from channel_day c
    cross join lateral generate_series(1, c.slots) as g(slot)
    cross join lateral (select c.vals[g.slot] as v) v
    left join like_slot l on l.day = c.day and l.meter_id = c.meter_id and l.channel = c.channel and l.slot = g.slot
),

-- Each bad slot with the good slots around it: the count of good slots so far names the run that it is in.
framed as (
    select *,
           count(good) over before as good_before,
           count(good) over after as good_after
    from slot
    window before as (partition by day, meter_id, channel order by slot),
           after as (partition by day, meter_id, channel order by slot desc)
),

edged as (
    select *,
           max(good) over left_run as left_good,
           max(good) over right_run as right_good,
           case when good is null then row_number() over (partition by day, meter_id, channel, good_before, good is null order by slot) end as pos,
           case when good is null then count(*) over (partition by day, meter_id, channel, good_before, good is null) end as gap
    from framed
    window left_run as (partition by day, meter_id, channel, good_before),
           right_run as (partition by day, meter_id, channel, good_after)
),

estimate as (
    select discom_id, day, meter_id, channel, slots, slot, good, advance, limit_wh, register_lsb_wh,
           case
               when good is not null then null
               when gap * interval_min <= {{ var('max_linear_minutes') | int }} and good_before > 0 and good_after > 0
                   then round(left_good + (right_good - left_good)::numeric * pos / (gap + 1))::bigint
               when like_v is not null then like_v
           end as raw,
           case
               when good is not null then 0
               when gap * interval_min <= {{ var('max_linear_minutes') | int }} and good_before > 0 and good_after > 0 then 3
               when like_v is not null then 4
               else 10
           end as method
    from edged
),

-- EM9: what must sit in the bad slots is the register's advance less what was measured. No target, no scaling: an advance that the good slots already
-- exceed by more than the register's step, or that the meter cannot have passed (where no limit is known: that the column cannot hold), says that the
-- register is wrong.
target as (
    select *,
           case when energy_target between -register_lsb_wh and coalesce(limit_wh * bad_slots, 2147483647) then greatest(energy_target, 0) end as fit,
           -- A slot without a method of its own shares the register's energy evenly.
           case when good is null then coalesce(raw, case when energy_target is not null then coalesce(raw_mean, 1) end) end as weight
    from (
        select *,
               advance - coalesce(sum(good) over w, 0) as energy_target,
               count(*) filter (where good is null) over w as bad_slots,
               round(avg(raw) over w)::bigint as raw_mean
        from estimate
        window w as (partition by day, meter_id, channel)
    ) t
),

shared as (
    select *,
           case when good is null and fit is not null then
               case when weight_sum > 0 then div(weight::numeric * fit, weight_sum) else fit / bad_slots end
           end as floor_share,
           case when good is null and fit is not null then
               case when weight_sum > 0 then weight::numeric * fit % weight_sum else 0 end
           end as remainder
    from (
        select *, sum(weight) over (partition by day, meter_id, channel) as weight_sum from target
    ) s
),

-- Largest remainder: the Wh that flooring lost go one each to the slots that lost most.
scaled as (
    select *,
           case
               when good is not null then good
               when fit is not null then floor_share + (
                   row_number() over (partition by day, meter_id, channel, good is null order by remainder desc nulls last, slot)
                   <= fit - sum(floor_share) over (partition by day, meter_id, channel)
               )::integer
               when method <> 10 then raw
           end as v,
           case
               when good is not null then 0
               when fit is not null then method + 100
               when method <> 10 then method
               else 0
           end as how
    from shared
),

packed as (
    select discom_id, day, meter_id, channel,
           array_agg(v::integer order by slot) as vals,
           array_agg((case when v is null then 9 when how > 0 then 6 else 0 end)::smallint order by slot) as quality,
           array_agg(how::smallint order by slot) as method,
           sum(v)::bigint as total,
           count(*) filter (where how > 0)::integer as estimated,
           count(*) filter (where v is null)::integer as missing,
           coalesce(sum(v) filter (where how > 0), 0)::bigint as estimated_energy
    from scaled
    group by discom_id, day, meter_id, channel
),

-- A held or flagged day is questionable where it is not estimated.
doubted as (
    select distinct e.discom_id, e.day, e.meter_id from {{ source('vee', 'exception') }} e
    where {{ in_partition('e') }} and e.stage = 'initial' and e.action in ('hold', 'flag') and e.state = 'open'
)

select t.discom_id, t.day, t.meter_id,
       i.vals as import_wh, x.vals as export_wh, a.vals as import_vah,
       q.quality, i.method,
       i.total as import_day_wh, x.total as export_day_wh, a.total as import_day_vah,
       i.estimated as estimated_slots, i.missing as missing_slots, i.estimated_energy as estimated_wh
from target_day t
join packed i on i.day = t.day and i.meter_id = t.meter_id and i.channel = 'import_wh'
left join packed x on x.day = t.day and x.meter_id = t.meter_id and x.channel = 'export_wh'
left join packed a on a.day = t.day and a.meter_id = t.meter_id and a.channel = 'import_vah'
left join doubted d on d.day = t.day and d.meter_id = t.meter_id
cross join lateral (
    select array_agg(
        (case when u.q = 0 then greatest(case when d.meter_id is not null or (t.spike and not t.spike_refuted) then 5 else 0 end, coalesce(t.quality[u.slot], 0)) else u.q end)::smallint
        order by u.slot) as quality
    from unnest(i.quality) with ordinality as u(q, slot)
) q
-- A day in which nothing had to be estimated (a peak that the register bears out) stays as it was measured.
where i.estimated > 0 or i.missing > 0 or coalesce(x.estimated, 0) > 0 or coalesce(a.estimated, 0) > 0
