{{ config(key=['discom_id', 'day', 'meter_id']) }}
{#
  Only meter-days that failed a rule with action `estimate` are touched, channel by channel and slot by slot (domain 6.3):
  EM3 linear over gaps of at most max_linear_minutes with good slots on both sides in the same day; else EM4, the mean of the same slot over the latest good days of
  the same day type; else EM10 flat, where a register tells how much is to be spread. EM9 scales what was estimated to the register's advance, to the last Wh.
  Rows are made of the bad slots alone: the good ones stay in their array.
#}
{%- set energies = ['import_wh', 'export_wh', 'import_vah'] %}
with failing as (
    select e.discom_id, e.day, e.meter_id, bool_or(e.rule = 'V17') as spike
    from {{ source('vee', 'exception') }} e
    where {{ in_build('e') }} and e.stage = 'initial' and e.action = 'estimate' and e.state in ('open', 'estimated')
    group by e.discom_id, e.day, e.meter_id
),

-- OFFSET 0 keeps a look-up a look-up: an index is asked once for each failing day, and no day is read as a whole.
target_day as (
    select f.discom_id, f.day, f.meter_id, f.spike, m.slots, m.interval_min, m.quality,
           m.import_wh, m.export_wh, m.import_vah,
           x.limit_wh, x.max_wh, x.register_lsb_wh,
           -- A peak that the register bears out is real: it stays, questionable.
           f.spike and coalesce(x.sum_diff_wh > 0 and x.sum_diff_pct > 1, false) as spike_refuted,
           {%- for c in energies %}
           r1.{{ c }} - r0.{{ c }} as {{ c }}_advance{{ ',' if not loop.last }}
           {%- endfor %}
    from failing f
    cross join lateral (
        select * from {{ ref('measure') }} x where x.discom_id = f.discom_id and x.day = f.day and x.meter_id = f.meter_id offset 0
    ) x
    cross join lateral (
        select * from {{ ref('meter_day') }} m where m.discom_id = f.discom_id and m.day = f.day and m.meter_id = f.meter_id offset 0
    ) m
    {%- for r in [0, 1] %}
    left join lateral (
        select r.import_wh, r.export_wh, r.import_vah from {{ ref('stg_raw__register_reading') }} r
        where r.discom_id = f.discom_id and r.meter_id = f.meter_id and r.day = f.day - {{ 1 - r }} offset 0
    ) r{{ r }} on true
    {%- endfor %}
),

channel_day as (
    select t.day, t.meter_id, c.channel, c.vals, c.advance, t.slots, t.interval_min, t.limit_wh, t.register_lsb_wh,
           -- V16 and V17 judge the import.
           case when c.channel = 'import_wh' then t.limit_wh end as highest,
           case when c.channel = 'import_wh' and t.spike_refuted then t.max_wh end as peak
    from target_day t
    cross join lateral (values {% for c in energies %}('{{ c }}', t.{{ c }}, t.{{ c }}_advance){{ ', ' if not loop.last }}{% endfor %}) as c(channel, vals, advance)
),

found as (
    select c.day, c.meter_id, c.channel, u.slot::integer as slot, u.v
    from channel_day c
    cross join lateral unnest(coalesce(c.vals, array_fill(null::integer, array[c.slots]))) with ordinality as u(v, slot)
    where (c.vals is not null and (array_position(c.vals, null) is not null or 0 > any (c.vals) or c.highest < any (c.vals) or c.peak = any (c.vals))
           or c.vals is null and c.advance is not null)
      and (u.v is null or u.v < 0 or u.v > c.highest or u.v = c.peak)
),

-- Bad slots side by side, with the good ones around them. Slots of one run have one thing in common: their place less their number.
run as (
    select day, meter_id, channel, min(slot) as first_slot, count(*)::integer as gap, array_agg(v order by slot) as found_vals
    from (select *, slot - row_number() over (partition by day, meter_id, channel order by slot) as run from found) s
    group by day, meter_id, channel, run
),

edged_run as (
    select r.*, c.vals[r.first_slot - 1] as left_good, c.vals[r.first_slot + r.gap] as right_good,
           r.gap * c.interval_min <= {{ var('max_linear_minutes') | int }} and r.first_slot > 1 and r.first_slot + r.gap <= c.slots and c.vals is not null as linear
    from run r
    join channel_day c using (day, meter_id, channel)
),

holiday as (
    select day from {{ source('registry', 'holiday') }} where discom_id = {{ var('discom_id') | int }}
),

-- Days of the same type (weekday, Saturday, Sunday or holiday), the latest first.
like_candidate as (
    select t.day as target, array_agg(g.day::date order by g.day desc) as days
    from (select distinct day from target_day) t
    cross join lateral generate_series(t.day - {{ var('like_day_window') | int }}, t.day - 1, interval '1 day') as g(day)
    where {{ day_type('g.day::date') }} = {{ day_type('t.day') }}
      -- In the order of the key, so that it is asked for one row and not for a scan that finds none.
      and (select true from {{ ref('measure') }} m where m.discom_id = {{ var('discom_id') | int }} and m.day = g.day::date order by m.day, m.meter_id limit 1)
    group by t.day
),

-- Asked for only where a run is not linear, or a channel of which nothing is known came on other days.
like_day as (
    select t.day as target, l.*
    from target_day t
    join (
        select day, meter_id from edged_run where not linear
        union
        select day, meter_id from channel_day where vals is null and advance is null
    ) n using (day, meter_id)
    join like_candidate c on c.target = t.day
    cross join lateral (
        select m.*
        from unnest(c.days) with ordinality as d(day, nr)
        cross join lateral (
            select m.meter_id, m.day, m.import_wh, m.export_wh, m.import_vah
            from {{ ref('meter_day') }} m
            where m.discom_id = t.discom_id and m.meter_id = t.meter_id and m.day = d.day and m.slots = t.slots offset 0
        ) m
        where (select count(*) from {{ source('vee', 'exception') }} e
               where e.discom_id = t.discom_id and e.day = d.day and e.meter_id = t.meter_id
                 -- Not the verdicts on estimates: those of the last build still stand while a day is built again.
                 and e.stage = 'initial' and e.action in ('estimate', 'hold', 'flag') and e.state <> 'cleared') = 0
          and (select count(*) from {{ source('raw', 'event') }} o
               where o.discom_id = t.discom_id and o.day = d.day and o.meter_id = t.meter_id and o.code in (101, 102)) = 0
        order by d.nr
        limit {{ var('like_days') | int }}
    ) l
),

bad as (
    select r.day, r.meter_id, r.channel, u.slot::integer + r.first_slot - 1 as slot, u.v, r.linear,
           case when r.linear then round(r.left_good + (r.right_good - r.left_good)::numeric * u.slot / (r.gap + 1))::bigint end as linear_v
    from edged_run r
    cross join lateral unnest(r.found_vals) with ordinality as u(v, slot)
    union all
    -- A channel is estimated where the meter is known to have it: here its like days alone say so.
    select c.day, c.meter_id, c.channel, s.slot, null, false, null
    from channel_day c
    cross join lateral generate_series(1, c.slots) as s(slot)
    where c.vals is null and c.advance is null and exists (
        select 1 from like_day l where l.target = c.day and l.meter_id = c.meter_id
          and case c.channel {% for c in energies %}when '{{ c }}' then l.{{ c }} is not null {% endfor %}end
    )
),

-- V11 judges the import, so a good day may have a negative value in another channel.
like_slot as (
    select b.day, b.meter_id, b.channel, b.slot, round(avg(v.v))::bigint as v
    from bad b
    join like_day l on l.target = b.day and l.meter_id = b.meter_id
    cross join lateral (select case b.channel {% for c in energies %}when '{{ c }}' then l.{{ c }}[b.slot] {% endfor %}end as v) v
    where not b.linear and v.v >= 0
    group by b.day, b.meter_id, b.channel, b.slot
),

estimate as (
    select b.day, b.meter_id, b.channel, b.slot, b.v as found_v, c.advance, c.limit_wh, c.register_lsb_wh, coalesce(ops.total(c.vals), 0) as found_total,
           coalesce(b.linear_v, l.v) as raw,
           case when b.linear then 3 when l.v is not null then 4 else 10 end as method
    from bad b
    join channel_day c using (day, meter_id, channel)
    left join like_slot l on l.day = b.day and l.meter_id = b.meter_id and l.channel = b.channel and l.slot = b.slot
),

-- EM9: what must sit in the bad slots is the register's advance less what was measured. No target, no scaling: an advance that the good slots already
-- exceed by more than the register's step, or that the meter cannot have passed (where no limit is known: that the column cannot hold), says that the
-- register is wrong.
target as (
    select *,
           case when energy_target between -register_lsb_wh and coalesce(limit_wh * bad_slots, 2147483647) then greatest(energy_target, 0) end as fit,
           -- A slot without a method of its own shares the register's energy evenly.
           coalesce(raw, case when energy_target is not null then coalesce(raw_mean, 1) end) as weight
    from (
        select *,
               found_total - coalesce(sum(found_v) over w, 0) as good_total,
               advance - (found_total - coalesce(sum(found_v) over w, 0)) as energy_target,
               count(*) over w as bad_slots,
               round(avg(raw) over w)::bigint as raw_mean
        from estimate
        window w as (partition by day, meter_id, channel)
    ) t
),

shared as (
    select *,
           case when fit is not null then case when weight_sum > 0 then div(weight::numeric * fit, weight_sum) else fit / bad_slots end end as floor_share,
           case when fit is not null then case when weight_sum > 0 then weight::numeric * fit % weight_sum else 0 end end as remainder
    from (
        select *, sum(weight) over (partition by day, meter_id, channel) as weight_sum from target
    ) s
),

-- Largest remainder: the Wh that flooring lost go one each to the slots that lost most.
scaled as (
    select *,
           case
               when fit is not null then floor_share + (
                   row_number() over (partition by day, meter_id, channel order by remainder desc nulls last, slot)
                   <= fit - sum(floor_share) over (partition by day, meter_id, channel)
               )::integer
               when method <> 10 then raw
           end as v,
           case when fit is not null then method + 100 when method <> 10 then method else 0 end as how
    from shared
),

mended as (
    select day, meter_id, channel,
           array_agg(slot order by slot) as at,
           array_agg(v::integer order by slot) as vals,
           array_agg((case when v is null then 9 else 6 end)::smallint order by slot) as quality,
           array_agg(how::smallint order by slot) as method,
           -- Where no slot has a value, neither has the day.
           case when count(v) > 0 or count(*) < max(slots) then (max(good_total) + coalesce(sum(v), 0))::bigint end as total,
           count(v)::integer as estimated,
           (count(*) - count(v))::integer as missing,
           coalesce(sum(v), 0)::bigint as estimated_energy
    from scaled
    join target_day using (day, meter_id)
    group by day, meter_id, channel
),

-- A held or flagged day is questionable where it is not estimated.
doubted as (
    select distinct e.discom_id, e.day, e.meter_id from {{ source('vee', 'exception') }} e
    where {{ in_partition('e') }} and e.stage = 'initial' and e.action in ('hold', 'flag') and e.state = 'open'
)

select t.discom_id, t.day, t.meter_id,
       {%- for c in energies %}
       case when {{ c }}.at is null then t.{{ c }} else ops.patched(coalesce(t.{{ c }}, array_fill(null::integer, array[t.slots])), {{ c }}.at, {{ c }}.vals) end as {{ c }},
       {%- endfor %}
       ops.patched(q.quality, import_wh.at, import_wh.quality) as quality,
       ops.patched(array_fill(0::smallint, array[t.slots]), import_wh.at, import_wh.method) as method,
       {%- for c in energies %}
       case when {{ c }}.at is null then ops.total(t.{{ c }}) else {{ c }}.total end as {{ c | replace('_', '_day_') }},
       {%- endfor %}
       coalesce(import_wh.estimated, 0) as estimated_slots, coalesce(import_wh.missing, 0) as missing_slots, coalesce(import_wh.estimated_energy, 0) as estimated_wh
from target_day t
{%- for c in energies %}
left join mended {{ c }} on {{ c }}.day = t.day and {{ c }}.meter_id = t.meter_id and {{ c }}.channel = '{{ c }}'
{%- endfor %}
left join doubted d on d.day = t.day and d.meter_id = t.meter_id
cross join lateral (select (case when d.meter_id is not null or (t.spike and not t.spike_refuted) then 5 else 0 end)::smallint as base) b
cross join lateral (
    select case when t.quality is null then array_fill(b.base, array[t.slots])
                else (select array_agg(greatest(b.base, coalesce(t.quality[s], 0))::smallint order by s) from generate_series(1, t.slots) s) end as quality
) q
-- A day in which nothing had to be estimated (a peak that the register bears out) stays as it was measured.
where import_wh.at is not null or export_wh.estimated > 0 or import_vah.estimated > 0
