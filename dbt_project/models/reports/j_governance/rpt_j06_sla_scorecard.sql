{#
  Tallies of network.sla_day, of billing rows and of commands against what the DISCOM agreed. A tally is so many units that came so many minutes after they were due, or did not come, due or left out for a reason.
#}
with built_month as (
    select b.discom_id, date_trunc('month', b.day)::date as month, count(*)::integer as days
    from {{ source('ops', 'day_build') }} b
    where b.built_at is not null
    group by b.discom_id, date_trunc('month', b.day)
),

tally as (
    select s.discom_id, date_trunc('month', s.day)::date as month, s.sla, s.came, s.late_min, s.reason, s.units
    from {{ ref('sla_day') }} s

    union all
    -- SLA-03, once the month has closed: the meter of every consumer on its last day, and the first billing row that closed something in the month.
    select b.discom_id, b.month, 'SLA-03', v.late_min is not null, v.late_min, coalesce(v.reason, ''), v.units
    from built_month b
    join {{ source('registry', 'discom') }} d on d.discom_id = b.discom_id
    join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = b.discom_id and a.data_as_of >= (b.month + interval '1 month')::timestamp at time zone d.timezone
    cross join lateral (
        select r.late_min, n.reason, count(*) as units
        from {{ source('registry', 'installation') }} i
        left join (
            select v.meter_id, greatest(min(ceil(extract(epoch from v.received_at - v.read_at) / 60)), 0)::integer as late_min
            from {{ source('raw', 'meter_value') }} v
            where v.discom_id = b.discom_id and v.day >= b.month and v.day < (b.month + interval '1 month')::date
              and v.profile = 'billing' and v.zone = 0 and v.quantity in ('import_wh', 'usage_import_wh')
            group by v.meter_id
        ) r on r.meter_id = i.meter_id
        left join {{ ref('stg_registry__not_due') }} n
          on n.discom_id = i.discom_id and n.meter_id = i.meter_id and n.from_day < (b.month + interval '1 month')::date and n.to_day >= (b.month + interval '1 month')::date
        where i.discom_id = b.discom_id and i.service_point_id is not null and {{ valid_on('i', "((b.month + interval '1 month')::date - 1)") }}
        group by r.late_min, n.reason
    ) v

    union all
    -- SLA-04, SLA-05, SLA-06 and SLA-09: commands; one that is under way is due once it has expired.
    select x.discom_id, date_trunc('month', x.day)::date, x.sla, x.late_min is not null, x.late_min, coalesce(x.left_out, n.reason, ''), 1
    from (
        select c.discom_id, c.meter_id, (c.requested_at at time zone d.timezone)::date as day,
               case when c.kind = 'tod_calendar' then 'SLA-09'
                    when c.kind = 'load_limit' or c.kind in ('connect', 'disconnect') and c.group_id is not null then 'SLA-06'
                    when c.kind in ('connect', 'disconnect') then 'SLA-05'
                    when c.kind in ('read', 'read_profile') and c.group_id is null then 'SLA-04' end as sla,
               case when c.state = 'done' then ceil(extract(epoch from c.finished_at - c.requested_at) / 60)::integer end as late_min,
               case when c.state = 'cancelled' then 'cancelled'
                    when c.kind = 'disconnect' and exists (
                        select 1 from {{ source('ops', 'command_audit') }} p
                        where p.discom_id = c.discom_id and p.command_id = c.command_id and p.why like '%protected hours%'
                    ) then 'protected hours' end as left_out
        from {{ source('ops', 'command') }} c
        join {{ source('registry', 'discom') }} d on d.discom_id = c.discom_id
        where c.finished_at is not null or c.expires_at < now()
    ) x
    left join {{ ref('stg_registry__not_due') }} n on n.discom_id = x.discom_id and n.meter_id = x.meter_id and n.from_day <= x.day and x.day < n.to_day
    where x.sla is not null
)

select r.discom_id, null::text as zone, null::text as circle, null::text as division, null::text as subdivision, null::text as office,
       'month' as period, r.month as period_start, r.sla, r.target_no, r.title, u.unit, r.within_min as limit_min, r.target_pct::double precision as target_pct,
       r.due, r.met, p.achieved_pct,
       case when p.achieved_pct is not null then p.achieved_pct >= r.target_pct end as target_met,
       case when p.achieved_pct is not null
            then coalesce((select max(s.penalty_pct) from jsonb_to_recordset(r.bands) as s(below_pct numeric, penalty_pct numeric) where p.achieved_pct < s.below_pct), 0)
       end::double precision as penalty_pct,
       r.excluded, r.excluded_not_commissioned, r.excluded_disconnected, r.excluded_network_outage, r.excluded_protected_hours, r.excluded_cancelled,
       case when p.achieved_pct is not null then null
            when u.no_source is not null then u.no_source
            when r.sla = 'SLA-03' and r.due = 0 and r.excluded = 0 then 'the month had not closed when data last came'
            else 'nothing was due' end as not_measured_because,
       r.days < extract(day from r.month + interval '1 month - 1 day') as provisional,
       r.verified,
       {{ pct('r.days', "extract(day from r.month + interval '1 month - 1 day')::double precision") }} as coverage_pct,
       a.data_as_of, now() as generated_at
from (
    select b.discom_id, b.month, b.days, t.sla, t.target_no, t.title, t.within_min, t.target_pct, t.bands, t.verified,
           {%- set out = "(k.reason <> '' and (k.reason <> 'network outage' or t.exclude_network_outage))" %}
           coalesce(sum(k.units) filter (where not {{ out }}), 0)::bigint as due,
           coalesce(sum(k.units) filter (where not {{ out }} and k.came and (t.within_min is null or k.late_min <= t.within_min)), 0)::bigint as met,
           coalesce(sum(k.units) filter (where {{ out }}), 0)::bigint as excluded
           {%- for reason in ['not commissioned', 'disconnected', 'network outage', 'protected hours', 'cancelled'] %},
           coalesce(sum(k.units) filter (where {{ out }} and k.reason = '{{ reason }}'), 0)::bigint as excluded_{{ reason | replace(' ', '_') }}
           {%- endfor %}
    from built_month b
    join {{ source('ops', 'sla_target') }} t on t.discom_id = b.discom_id
    left join tally k on k.discom_id = b.discom_id and k.month = b.month and k.sla = t.sla
    group by b.discom_id, b.month, b.days, t.sla, t.target_no, t.title, t.within_min, t.target_pct, t.bands, t.verified
) r
left join (values
    ('SLA-01', 'interval', null),
    ('SLA-02', 'meter-day', null),
    ('SLA-03', 'meter', null),
    ('SLA-04', 'command', null),
    ('SLA-05', 'command', null),
    ('SLA-06', 'command', null),
    ('SLA-07', 'recharge', 'recharges are a prepaid engine''s, which does not feed the warehouse'),
    ('SLA-08', 'event', null),
    ('SLA-09', 'command', null),
    ('SLA-10', 'minute', 'nothing tells the warehouse when HES, MDM and portal were up'),
    ('SLA-11', 'meter-day', null),
    ('SLA-12', 'work order', 'work orders are done elsewhere, and nothing tells the warehouse when'),
    ('SLA-13', 'exercise', 'exercises of recovery are not told to the warehouse')
) as u(sla, unit, no_source) on u.sla = r.sla
cross join lateral (
    select case when u.no_source is null and r.due > 0 then (100.0 * r.met / r.due)::double precision end as achieved_pct
) p
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = r.discom_id
{{ of_the_whole_discom() }}
