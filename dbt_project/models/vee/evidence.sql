{{ config(key=['discom_id', 'day', 'meter_id'], looks_up=true) }}
{#
  What is known of a meter-day beside its intervals and midnight registers. Few meter-days have any, so each source is asked by an index for what it has
  to say, and only then are the day's readings looked up.
#}
{%- set discom = var('discom_id') | int -%}
{%- set lookback = var('outage_lookback') | int -%}
with day as (
    select d.day, d.day::timestamp at time zone d.timezone as starts_at, (d.day + 1)::timestamp at time zone d.timezone as ends_at, d.timezone
    from {{ partition_days() }} d
),

-- --- supply and relay ---

-- Status words say the same as the event profile: bit 84 relay open, 85 supply failed, 86 supply is back. Bit 0 is the most significant of the first
-- octet, get_bit counts from the least significant: 83, 82, 81.
word as (
    select w.meter_id, w.day, w.occurred_at, w.word,
           -- Only the first word of these days has its predecessor elsewhere.
           coalesce(w.before, (
               select p.word from {{ source('raw', 'event_status') }} p
               where p.discom_id = {{ discom }} and p.meter_id = w.meter_id and p.occurred_at < w.occurred_at
               order by p.occurred_at desc limit 1
           )) as before
    from (
        select w.*, lag(w.word) over (partition by w.meter_id order by w.occurred_at) as before
        from {{ source('raw', 'event_status') }} w
        where w.discom_id = {{ discom }} and w.day between '{{ var('from_day') }}'::date - {{ lookback }} and '{{ var('to_day') }}'::date + {{ lookback }}
    ) w
),

told as (
    select w.meter_id, w.day, w.occurred_at, case when is_set then b.came_code else b.went_code end as code
    from word w
    cross join (values (83, 301, 302), (82, 101, null), (81, 102, null)) as b(at, came_code, went_code)
    cross join lateral (select get_bit(w.word, b.at) = 1 as is_set, coalesce(get_bit(w.before, b.at) = 1, false) as was_set) s
    where is_set <> was_set
),

-- The partition's power events, with the failure that was not over when it began, and the first event after it.
supply as (
    select meter_id, max(failed_at) as occurred_at, 101 as code
    from (
        select e.meter_id, max(e.occurred_at) filter (where e.code = 101) as failed_at, max(e.occurred_at) filter (where e.code = 102) as restored_at
        from {{ source('raw', 'event') }} e
        where e.discom_id = {{ discom }} and e.code in (101, 102) and e.day >= '{{ var('from_day') }}'::date - {{ lookback }} and e.day < '{{ var('from_day') }}'
        group by e.meter_id
        union all
        select meter_id, max(occurred_at) filter (where code = 101), max(occurred_at) filter (where code = 102)
        from told where day < '{{ var('from_day') }}' group by meter_id
    ) before
    group by meter_id
    having max(failed_at) > coalesce(max(restored_at), '-infinity')
    union all
    select e.meter_id, e.occurred_at, e.code from {{ source('raw', 'event') }} e where {{ in_partition('e') }} and e.code in (101, 102)
    union all
    select meter_id, occurred_at, code from told where day between '{{ var('from_day') }}' and '{{ var('to_day') }}' and code in (101, 102)
    union all
    (
        select distinct on (meter_id) meter_id, occurred_at, code
        from (
            select e.meter_id, e.occurred_at, e.code from {{ source('raw', 'event') }} e
            where e.discom_id = {{ discom }} and e.code in (101, 102) and e.day > '{{ var('to_day') }}' and e.day <= '{{ var('to_day') }}'::date + {{ lookback }}
            union all
            select meter_id, occurred_at, code from told where day > '{{ var('to_day') }}' and code in (101, 102)
        ) after
        order by meter_id, occurred_at, code
    )
),

-- Seconds of each day without supply. A failure that another failure followed proves nothing, for its restoration was lost; one that nothing followed
-- yet is presumed to last, for as long as no energy contradicts it.
failure as (
    select d.day, f.meter_id, {{ seconds_of_day('f.occurred_at', "coalesce(f.next_at, 'infinity')") }} as span, f.next_code is null as presumed
    from (
        select s.*, lead(s.code) over next as next_code, lead(s.occurred_at) over next as next_at
        from supply s
        window next as (partition by s.meter_id order by s.occurred_at, s.code)
    ) f
    join day d on f.occurred_at < d.ends_at and coalesce(f.next_at, 'infinity') > d.starts_at
    where f.code = 101 and f.next_code is distinct from 101
),

-- A relay may have been open for years. There are few such events, so all of them are read.
relay as (
    select d.day, r.meter_id, range_agg({{ seconds_of_day('r.occurred_at', "coalesce(r.next_at, 'infinity')") }}) as opened
    from (
        select s.*, lead(s.occurred_at) over (partition by s.meter_id order by s.occurred_at, s.code) as next_at
        from (
            select e.meter_id, e.occurred_at, e.code from {{ source('raw', 'event') }} e
            where e.discom_id = {{ discom }} and e.code in (301, 302) and e.day <= '{{ var('to_day') }}'
            union
            select meter_id, occurred_at, code from told where code in (301, 302)
        ) s
    ) r
    join day d on r.occurred_at < d.ends_at and coalesce(r.next_at, 'infinity') > d.starts_at
    where r.code = 301
    group by d.day, r.meter_id
),

-- --- what the meter said of itself ---

-- The same event may come more than once.
note as (
    select e.day, e.meter_id,
           count(distinct e.occurred_at) filter (where e.code = 151)::integer as clock_set_events,
           count(distinct (e.occurred_at, e.code)) filter (where e.code > 151)::integer as programming_events
    from {{ source('raw', 'event') }} e
    where {{ in_partition('e') }} and e.code between 151 and 169
    group by e.day, e.meter_id
),

clock as (
    select c.day, c.meter_id, (array_agg(c.drift_s order by abs(c.drift_s) desc, c.drift_s))[1] as clock_drift_s
    from (
        select v.day, v.meter_id, v.value as drift_s from {{ source('raw', 'meter_value') }} v
        where {{ in_partition('v') }} and v.quantity = 'clock_drift_s'
        union all
        -- A stamp in the future is a clock that is ahead by at least that much.
        select d.day, x.meter_id, ceil(extract(epoch from x.stamp - x.received_at))::bigint
        from {{ source('raw', 'rejected') }} x
        join day d on (x.received_at at time zone d.timezone)::date - 1 = d.day
        where x.discom_id = {{ discom }} and x.meter_id is not null and x.reason = 'FUTURE_STAMP' and x.stamp > x.received_at
          and {{ received_around_partition('x') }}
    ) c
    group by c.day, c.meter_id
),

-- Rejected values of the day; of one without a stamp the day is not known: it counts, as stamps in the future do, on the last full day before it came.
refused as (
    select d.day, x.meter_id,
           sum(x.value_count) filter (where x.reason = 'OFF_GRID')::integer as off_grid_values,
           sum(x.value_count) filter (where x.reason = 'WRONG_INTERVAL')::integer as wrong_interval_values,
           sum(x.value_count) filter (where x.reason = 'WRONG_UNIT')::integer as wrong_unit_values
    from (
        select x.rejected_id, x.meter_id, x.reason, x.value_count, x.stamp as at from {{ source('raw', 'rejected') }} x
        where x.discom_id = {{ discom }} and x.meter_id is not null and x.reason in ('OFF_GRID', 'WRONG_INTERVAL', 'WRONG_UNIT')
          and x.stamp >= '{{ var('from_day') }}'::date - 1 and x.stamp < '{{ var('to_day') }}'::date + 3
        union all
        select x.rejected_id, x.meter_id, x.reason, x.value_count, x.received_at - interval '24 hours' from {{ source('raw', 'rejected') }} x
        where x.discom_id = {{ discom }} and x.meter_id is not null and x.stamp is null and x.reason in ('OFF_GRID', 'WRONG_INTERVAL', 'WRONG_UNIT')
          and {{ received_around_partition('x') }}
    ) x
    join day d on x.at >= d.starts_at and x.at < d.ends_at
    where not exists (select 1 from {{ source('raw', 'replayed') }} p where p.discom_id = {{ discom }} and p.rejected_id = x.rejected_id)
    group by d.day, x.meter_id
),

-- The latest nameplate that was read by the end of the day. Of the serials only those are followed that were ever another.
plate as (
    select p.day, p.meter_id,
           (max(case when p.attribute = 'serial' then (upper(trim(p.value)) <> upper(m.serial))::integer end)) as other_serial,
           coalesce(
               max({{ ratio('p.value') }}) filter (where p.attribute = 'mf'),
               max({{ ratio('p.value') }}) filter (where p.attribute = 'ct_ratio') * coalesce(max({{ ratio('p.value') }}) filter (where p.attribute = 'pt_ratio'), 1)
           ) as nameplate_mf
    from (
        select distinct on (d.day, p.meter_id, p.attribute) d.day, p.meter_id, p.attribute, p.value
        from {{ source('raw', 'nameplate') }} p
        join day d on p.read_at < d.ends_at
        where p.discom_id = {{ discom }} and p.attribute in ('serial', 'ct_ratio', 'pt_ratio', 'mf')
          and (p.attribute <> 'serial' or p.meter_id in (
              select s.meter_id
              from {{ source('raw', 'nameplate') }} s
              join {{ source('registry', 'meter') }} m on m.discom_id = s.discom_id and m.meter_id = s.meter_id
              where s.discom_id = {{ discom }} and s.attribute = 'serial' and upper(trim(s.value)) <> upper(m.serial)
          ))
        order by d.day, p.meter_id, p.attribute, p.read_at desc, p.received_at desc, p.value
    ) p
    join {{ source('registry', 'meter') }} m on m.discom_id = {{ discom }} and m.meter_id = p.meter_id
    group by p.day, p.meter_id
),

-- --- the registry ---

-- The registry first: few meters hang nowhere, and few of these send.
unplaced as (
    select d.day, m.meter_id, f.fragments, coalesce(i.removed, false) as removed
    from {{ source('registry', 'meter') }} m
    cross join day d
    left join {{ source('registry', 'installation') }} n on n.discom_id = {{ discom }} and n.meter_id = m.meter_id and {{ valid_in_partition('n', 'd.day') }}
    cross join lateral (
        select count(*)::integer as fragments from {{ source('raw', 'profile_fragment') }} f
        where f.discom_id = {{ discom }} and f.day = d.day and f.meter_id = m.meter_id offset 0
    ) f
    cross join lateral (
        select bool_or(i.valid_to <= d.day) as removed from {{ source('registry', 'installation') }} i where i.discom_id = {{ discom }} and i.meter_id = m.meter_id
    ) i
    where m.discom_id = {{ discom }} and n.meter_id is null and f.fragments > 0
),

-- Every account of the service point has ended, and no other has begun.
vacant as (
    select d.day, i.meter_id
    from (
        select distinct c.service_point_id from {{ source('registry', 'consumer') }} c
        where c.discom_id = {{ discom }} and c.valid_to is not null and c.valid_to <= '{{ var('to_day') }}'
    ) c
    cross join day d
    cross join lateral (
        select bool_or({{ valid_on('o', 'd.day') }}) as occupied, bool_or(o.valid_to <= d.day) as left_before
        from {{ source('registry', 'consumer') }} o where o.discom_id = {{ discom }} and o.service_point_id = c.service_point_id
    ) o
    cross join lateral (
        select i.meter_id from {{ source('registry', 'installation') }} i
        where i.discom_id = {{ discom }} and i.service_point_id = c.service_point_id and {{ valid_on('i', 'd.day') }} offset 0
    ) i
    where o.left_before and not o.occupied
),

-- --- registers of the tariff's zones ---

zone_register as (
    select distinct on (v.day, v.meter_id, v.profile, v.read_at, v.quantity, v.zone) v.day, v.meter_id, v.profile, v.read_at, v.quantity, v.value
    from {{ source('raw', 'meter_value') }} v
    where {{ in_partition('v') }} and v.zone > 0 and v.profile in ('billing', 'daily') and v.quantity in ('import_wh', 'export_wh', 'import_vah', 'export_vah')
    order by v.day, v.meter_id, v.profile, v.read_at, v.quantity, v.zone, v.received_at desc, v.value
),

-- Of a meter-day the sum that is furthest off counts. Zones that stand at 0 are not in use.
zone_check as (
    select distinct on (z.day, z.meter_id) z.day, z.meter_id, z.zones, z.zones_wh - t.value as zone_diff_wh,
           greatest(abs(z.zones_wh - t.value) - m.register_lsb_wh * z.zones, 0) as zone_excess_wh
    from (
        select day, meter_id, profile, read_at, quantity, count(*) as zones, sum(value)::bigint as zones_wh
        from zone_register
        group by day, meter_id, profile, read_at, quantity
        having sum(value) > 0
    ) z
    join {{ source('registry', 'meter') }} m on m.discom_id = {{ discom }} and m.meter_id = z.meter_id
    cross join lateral (
        select t.value
        from (
            select v.value, v.received_at from {{ source('raw', 'meter_value') }} v
            where v.discom_id = {{ discom }} and v.day = z.day and v.meter_id = z.meter_id and v.profile = z.profile and v.read_at = z.read_at
              and v.quantity = z.quantity and v.zone = 0
            union all
            -- The daily profile's total is a register like any other midnight's.
            select case z.quantity when 'import_wh' then r.import_wh when 'export_wh' then r.export_wh when 'import_vah' then r.import_vah else r.export_vah end,
                   r.received_at
            from {{ source('raw', 'register_reading') }} r
            where r.discom_id = {{ discom }} and r.day = z.day and r.meter_id = z.meter_id and r.read_at = z.read_at and z.profile = 'daily'
        ) t
        where t.value is not null
        order by t.received_at desc, t.value
        limit 1
    ) t
    order by z.day, z.meter_id, zone_excess_wh desc, abs(z.zones_wh - t.value) desc
),

known as (
    select day, meter_id from failure
    {%- for source in ['relay', 'note', 'clock', 'refused', 'plate', 'unplaced', 'vacant', 'zone_check'] %}
    union
    select day, meter_id from {{ source }}
    {%- endfor %}
),

-- The readings themselves only where their figures do not tell: part of a day in question.
seen as (
    select k.day, k.meter_id, x.place, x.category, x.tariff, x.phases, x.dt, x.meter_category, x.office_id, x.slots, x.interval_min,
           x.interval_min * 60 as slot_s, x.missing_slots, x.sum_wh, x.max_wh, d.import_wh
    from (select k.* from known k where true {{ of_changed_meter('k.meter_id', 'k.day') }}) k
    left join (select day, meter_id, bool_or(presumed) as presumed from failure group by day, meter_id) o on o.day = k.day and o.meter_id = k.meter_id
    left join relay r on r.day = k.day and r.meter_id = k.meter_id
    left join lateral (
        select m.place, m.category, m.tariff, m.phases, m.dt, m.meter_category, m.office_id, m.slots, m.interval_min, m.missing_slots, m.sum_wh, m.max_wh
        from {{ ref('measure') }} m
        where m.discom_id = {{ discom }} and m.day = k.day and m.meter_id = k.meter_id offset 0
    ) x on true
    left join lateral (
        select d.import_wh from {{ ref('meter_day') }} d
        where (o.presumed and x.sum_wh > 0 or o.meter_id is not null and x.missing_slots between 1 and x.slots - 1
               or not r.opened @> int4range(0, x.slots * x.interval_min * 60))
          and d.discom_id = {{ discom }} and d.day = k.day and d.meter_id = k.meter_id offset 0
    ) d on true
),

-- Slots that a failure touches: 2 wholly, 1 partly without supply.
dark_slot as (
    select q.day, q.meter_id, g.slot,
           max(case when lower(q.span) <= (g.slot - 1) * q.slot_s and upper(q.span) >= g.slot * q.slot_s then 2 else 1 end)::smallint as state
    from (
        select f.day, f.meter_id, s.slot_s, unnest(range_agg(f.span)) as span
        from failure f
        join seen s on s.day = f.day and s.meter_id = f.meter_id
        where s.slots is not null
          and not coalesce(f.presumed and s.sum_wh > 0 and 0 < any (s.import_wh[(lower(f.span) + s.slot_s - 1) / s.slot_s + 1:]), false)
        group by f.day, f.meter_id, s.slot_s
    ) q
    cross join generate_series(lower(q.span) / q.slot_s + 1, (upper(q.span) - 1) / q.slot_s + 1) as g(slot)
    group by q.day, q.meter_id, g.slot
),

outage as (
    select b.day, b.meter_id, array_agg(b.slot order by b.slot) as at, array_agg(b.state order by b.slot) as state,
           count(*) filter (where b.state = 2)::integer as slots, count(*) filter (where b.state = 1)::integer as partial_slots,
           count(*) filter (where b.state = 2 and (s.missing_slots = s.slots or s.missing_slots > 0 and s.import_wh[b.slot] is null))::integer as missing_slots
    from dark_slot b
    join seen s on s.day = b.day and s.meter_id = b.meter_id
    group by b.day, b.meter_id
),

-- Slots that lie wholly in a time with an open relay.
cut_off as (
    select q.day, q.meter_id, sum(q.slots)::integer as slots, sum(q.wh)::bigint as wh, max(q.max_wh) as max_wh
    from (
        select s.day, s.meter_id, greatest(p.last - p.first + 1, 0) as slots,
               case when p.last - p.first + 1 = s.slots then s.sum_wh else ops.total(s.import_wh[p.first:p.last]) end as wh,
               case when p.last - p.first + 1 = s.slots then s.max_wh else (select max(v) from unnest(s.import_wh[p.first:p.last]) v) end as max_wh
        from seen s
        join relay r on r.day = s.day and r.meter_id = s.meter_id
        cross join lateral unnest(r.opened) as o(span)
        cross join lateral (select (lower(o.span) + s.slot_s - 1) / s.slot_s + 1 as first, upper(o.span) / s.slot_s as last) p
        where s.slots is not null
    ) q
    group by q.day, q.meter_id
)

select {{ discom }}::smallint as discom_id, k.day, k.meter_id, k.place, k.category, k.tariff, k.phases, k.dt, k.meter_category, k.office_id, k.slots, k.interval_min, k.missing_slots,
       case when o.meter_id is not null then ops.patched(array_fill(0::smallint, array[k.slots]), o.at, o.state) end as outage,
       o.slots as outage_slots, o.partial_slots as outage_partial_slots, o.missing_slots as missing_outage_slots,
       r.slots as relay_open_slots, r.wh as relay_open_wh, r.max_wh as relay_open_max_wh,
       case when v.meter_id is not null then k.sum_wh end as vacant_wh,
       case when v.meter_id is not null then k.max_wh end as vacant_max_wh,
       n.clock_set_events, n.programming_events,
       c.clock_drift_s, abs(c.clock_drift_s) as clock_off_s,
       abs(c.clock_drift_s)::double precision / k.slot_s * 100 as clock_off_pct,
       f.off_grid_values, f.wrong_interval_values, f.wrong_unit_values,
       t.other_serial as nameplate_other_serial, t.nameplate_mf::double precision as nameplate_mf, i.mf::double precision as registry_mf,
       (abs(t.nameplate_mf - i.mf) / i.mf * 100)::double precision as mf_diff_pct,
       case when u.removed then u.fragments end as removed_fragments,
       case when not u.removed then u.fragments end as uninstalled_fragments,
       z.zones::integer as zones, z.zone_diff_wh, z.zone_excess_wh
from seen k
{%- for alias, source in [('o', 'outage'), ('r', 'cut_off'), ('n', 'note'), ('c', 'clock'), ('f', 'refused'), ('t', 'plate'), ('u', 'unplaced'), ('v', 'vacant'), ('z', 'zone_check')] %}
left join {{ source }} {{ alias }} on {{ alias }}.day = k.day and {{ alias }}.meter_id = k.meter_id
{%- endfor %}
left join lateral (
    select i.mf from {{ source('registry', 'installation') }} i
    where t.nameplate_mf is not null and i.discom_id = {{ discom }} and i.meter_id = k.meter_id and {{ valid_on('i', 'k.day') }} offset 0
) i on true
-- A meter that is not installed has a row where it sent readings.
where k.slots is not null or u.meter_id is not null
