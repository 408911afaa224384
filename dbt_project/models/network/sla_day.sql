{{ config(key=['discom_id', 'day', 'sla', 'came', 'late_min', 'reason']) }}
{#
  Tallies: so many units that came so many minutes after they were due. What was agreed is looked at afterwards (report J06), so targets may change and a meter-day is read once.
  A minute's first instant belongs to the minute before: what comes at the very minute is in time. Subqueries, and no CTE, so that every core takes part.
#}
{%- set days -%}
(select g.day, (g.day + 1)::timestamp at time zone g.timezone as ends_at from {{ partition_days() }} g)
{%- endset -%}
{%- set not_due -%}
(
    select n.meter_id, n.reason, n.from_day, n.to_day from {{ ref('stg_registry__not_due') }} n
    where n.discom_id = {{ var('discom_id') | int }} and n.from_day <= '{{ var('to_day') }}'::date and n.to_day > '{{ var('from_day') }}'::date
)
{%- endset -%}
select {{ var('discom_id') | int }}::smallint as discom_id, t.day, t.sla, t.came, coalesce(t.late_min, 0) as late_min, coalesce(t.reason, '') as reason, sum(t.units)::bigint as units
from (
    select g.day, k.sla, k.came, k.late_min, k.reason, k.units
    from (
        select y.day, y.reason, grouping(y.block_at) as of_register,
               (extract(epoch from y.block_at - y.ends_at) / 60)::integer + 1 as block_min,
               (extract(epoch from y.register_at - y.ends_at) / 60)::integer + 1 as register_min,
               {%- for sum in ['meter_days', 'with_register', 'dark_without_register', 'silent', 'silent_in_the_dark', 'early', 'late', 'missing', 'dark'] %}
               sum(y.{{ sum }}) as {{ sum }}{{ ',' if not loop.last }}
               {%- endfor %}
        from (
            -- First by both minutes at once, which every core can do; of so few rows then by each of them.
            select m.day, d.ends_at, n.reason,
                   date_bin('1 minute', m.received_at - interval '1 microsecond', d.ends_at) as block_at,
                   date_bin('1 minute', r.received_at - interval '1 microsecond', d.ends_at) as register_at,
                   count(*) as meter_days, count(r.meter_id) as with_register,
                   count(*) filter (where r.meter_id is null and e.outage_slots >= m.slots) as dark_without_register,
                   count(*) filter (where m.present_slots = 0 and r.meter_id is null) as silent,
                   count(*) filter (where m.present_slots = 0 and r.meter_id is null and e.outage_slots >= m.slots) as silent_in_the_dark,
                   sum(m.present_slots - m.late_slots) as early, sum(m.late_slots) as late, sum(m.missing_slots) as missing, coalesce(sum(e.missing_outage_slots), 0) as dark
            from {{ ref('measure') }} m
            join {{ days }} d on d.day = m.day
            left join (
                -- The first receipt; an anti-join, and not a minimum, for the same reason.
                select r.day, r.meter_id, r.received_at from {{ source('raw', 'register_reading') }} r
                where {{ in_partition('r') }} and not exists (
                    select 1 from {{ source('raw', 'register_reading') }} f
                    where {{ in_partition('f') }} and f.day = r.day and f.meter_id = r.meter_id and (f.received_at, f.batch_id, f.seq) < (r.received_at, r.batch_id, r.seq)
                )
            ) r on r.day = m.day and r.meter_id = m.meter_id
            left join {{ ref('evidence') }} e on e.discom_id = m.discom_id and e.day = m.day and e.meter_id = m.meter_id
            left join {{ not_due }} n on n.meter_id = m.meter_id and n.from_day <= m.day and m.day < n.to_day
            where {{ in_partition('m') }}
            group by m.day, d.ends_at, n.reason, 4, 5
        ) y
        group by grouping sets ((y.day, y.ends_at, y.reason, y.block_at), (y.day, y.ends_at, y.reason, y.register_at))
    ) g
    cross join lateral (
        -- Of a day that was put together the minute of the last delivery is known, and of the other intervals that they came before they were late.
        values (0, 'SLA-01', true, least(g.block_min, {{ 60 * var('late_after_hours') | int }}), g.reason, g.early),
               (0, 'SLA-01', true, g.block_min, g.reason, g.late),
               (0, 'SLA-01', false, null, coalesce(g.reason, 'network outage'), g.dark),
               (0, 'SLA-01', false, null, g.reason, g.missing - g.dark),
               (0, 'SLA-11', true, null, g.reason, g.meter_days - g.silent),
               (0, 'SLA-11', false, null, coalesce(g.reason, 'network outage'), g.silent_in_the_dark),
               (0, 'SLA-11', false, null, g.reason, g.silent - g.silent_in_the_dark),
               (1, 'SLA-02', true, g.register_min, g.reason, g.with_register),
               (1, 'SLA-02', false, null, coalesce(g.reason, 'network outage'), g.dark_without_register),
               (1, 'SLA-02', false, null, g.reason, g.meter_days - g.with_register - g.dark_without_register)
    ) as k(of_register, sla, came, late_min, reason, units)
    where k.of_register = g.of_register

    union all
    -- Critical events and last gasps, each by its first receipt. What never came is not known of.
    select e.day, 'SLA-08', true, greatest(ceil(extract(epoch from e.received_at - e.occurred_at) / 60)::integer, 0), n.reason, 1
    from (
        select e.day, e.meter_id, e.code, e.occurred_at, min(e.received_at) as received_at
        from {{ source('raw', 'event') }} e
        where {{ in_partition('e') }} and e.code in (select k.code from {{ ref('code_event') }} k where k.severity = 'critical' or k.family = 'power_failure' and k.role = 'occurrence')
        group by e.day, e.meter_id, e.code, e.occurred_at
    ) e
    join {{ source('registry', 'meter') }} m on m.discom_id = {{ var('discom_id') | int }} and m.meter_id = e.meter_id
    cross join lateral (
        select k.severity, k.family, k.role from {{ ref('code_event') }} k
        where k.code = e.code and lower(coalesce(m.make, '')) like k.make and lower(coalesce(m.firmware, '')) like k.firmware
        order by k.rank limit 1
    ) k
    left join {{ not_due }} n on n.meter_id = m.meter_id and n.from_day <= e.day and e.day < n.to_day
    where k.severity = 'critical' or k.family = 'power_failure' and k.role = 'occurrence'
) t
where t.units > 0
group by t.day, t.sla, t.came, coalesce(t.late_min, 0), coalesce(t.reason, '')
