{#
  Supply: the day less the feeder's interruptions. Single phase: a phase was missing by the events of the feeder's meter, read within the day: what ends with no beginning
  began before it, what begins with no end goes on to its end.
#}
select y.discom_id, {{ office_columns() }}, y.day, s.code as substation, f.code as feeder, f.supply,
       coalesce(i.interruptions, 0) as interruptions,
       h.outage_h::double precision as outage_h,
       (h.day_h - h.outage_h)::double precision as supply_h,
       case when e.days @> y.day then (h.day_h - h.outage_h - h.single_h)::double precision end as three_phase_h,
       case when e.days @> y.day then h.single_h::double precision end as single_phase_h,
       coalesce(i.lasting, false) as lasting,
       {{ pct('y.consumers_complete', 'y.consumers') }} as coverage_pct,
       a.data_as_of, now() as generated_at
from {{ ref('feeder_day') }} y
join {{ source('registry', 'discom') }} d on d.discom_id = y.discom_id
join {{ source('registry', 'feeder') }} f on f.discom_id = y.discom_id and f.feeder_id = y.feeder_id
join {{ source('registry', 'substation') }} s on s.discom_id = f.discom_id and s.substation_id = f.substation_id
left join ({{ feeder_outage_days() }}) i on i.discom_id = y.discom_id and i.day = y.day and i.feeder_id = y.feeder_id
left join (
    select p.discom_id, p.day, p.feeder_id,
           range_agg(tstzrange(
               case when p.role = 'occurrence' then p.occurred_at else p.starts_at end,
               case when p.role = 'occurrence' then coalesce(p.next_at, p.ends_at) else p.occurred_at end
           )) filter (where p.role = 'occurrence' or p.before is null) as span
    from (
        select e.discom_id, e.day, n.feeder_id, e.occurred_at, k.role,
               e.day::timestamp at time zone d.timezone as starts_at, (e.day + 1)::timestamp at time zone d.timezone as ends_at,
               lag(e.occurred_at) over family as before, lead(e.occurred_at) over family as next_at
        from {{ source('raw', 'event') }} e
        join {{ source('registry', 'discom') }} d on d.discom_id = e.discom_id
        join {{ ref('code_event') }} k on k.code = e.code and k.make = '%' and k.family in ('voltage_missing_r', 'voltage_missing_y', 'voltage_missing_b')
        join {{ source('registry', 'installation') }} n on n.discom_id = e.discom_id and n.meter_id = e.meter_id and n.feeder_id is not null and {{ valid_on('n', 'e.day') }}
        window family as (partition by e.discom_id, e.day, n.feeder_id, e.meter_id, k.family order by e.occurred_at, k.role)
    ) p
    group by p.discom_id, p.day, p.feeder_id
) p on p.discom_id = y.discom_id and p.day = y.day and p.feeder_id = y.feeder_id
left join (
    select n.discom_id, n.feeder_id, range_agg(daterange(n.valid_from, n.valid_to)) as days from {{ source('registry', 'installation') }} n
    where n.feeder_id is not null
    group by n.discom_id, n.feeder_id
) e on e.discom_id = y.discom_id and e.feeder_id = y.feeder_id
cross join lateral (
    select ops.minutes(y.day, d.timezone) / 60.0 as day_h, {{ hours_of('i.span') }} as outage_h,
           {{ hours_of("p.span - coalesce(i.span, '{}'::tstzmultirange)") }} as single_h
) h
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = y.discom_id and o.office_id = y.office_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = y.discom_id
