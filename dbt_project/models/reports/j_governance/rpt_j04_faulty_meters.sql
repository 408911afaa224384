{# A meter failed in a month when a case of it was closed as a fault of the meter, or when it was taken down and its state says that it is faulty. #}
select r.discom_id, null::text as zone, null::text as circle, null::text as division, null::text as subdivision, null::text as office,
       'month' as period, r.month as period_start, r.make, r.population, r.meter_days, r.failures, r.fault_cases, r.removed_faulty, r.replaced,
       {{ pct('r.failures', 'r.population') }} as failure_pct,
       (24.0 * r.meter_days / nullif(r.failures, 0))::double precision as mtbf_h,
       {{ pct('r.told', 'r.population') }} as coverage_pct,
       a.data_as_of, now() as generated_at
from (
    select b.discom_id, b.month, coalesce(m.make, 'not known') as make, count(distinct m.meter_id)::integer as population,
           sum(least(coalesce(i.valid_to, b.upto), b.upto) - greatest(i.valid_from, b.month))::bigint as meter_days,
           (count(distinct m.meter_id) filter (where f.meter_id is not null or i.valid_to < b.upto and m.state in ('FAULTY', 'RETURNED', 'UNDER_TEST', 'SCRAPPED')))::integer as failures,
           (count(distinct m.meter_id) filter (where f.meter_id is not null))::integer as fault_cases,
           (count(distinct m.meter_id) filter (where i.valid_to < b.upto and m.state in ('FAULTY', 'RETURNED', 'UNDER_TEST', 'SCRAPPED')))::integer as removed_faulty,
           (count(distinct m.meter_id) filter (where i.valid_to < b.upto and x.meter_id is not null))::integer as replaced,
           count(distinct m.meter_id) filter (where m.state is not null) as told
    from (
        select discom_id, date_trunc('month', day)::date as month, max(day) + 1 as upto
        from {{ source('ops', 'day_build') }}
        where built_at is not null
        group by discom_id, date_trunc('month', day)
    ) b
    join {{ source('registry', 'installation') }} i on i.discom_id = b.discom_id and i.valid_from < b.upto and (i.valid_to is null or i.valid_to > b.month)
    join {{ source('registry', 'meter') }} m on m.discom_id = i.discom_id and m.meter_id = i.meter_id
    left join (
        select distinct g.discom_id, g.meter_id, g.valid_to
        from {{ source('registry', 'installation') }} g
        join {{ source('registry', 'installation') }} n
          on n.discom_id = g.discom_id and n.valid_from = g.valid_to and coalesce(n.service_point_id, 0) = coalesce(g.service_point_id, 0)
         and coalesce(n.dt_id, 0) = coalesce(g.dt_id, 0) and coalesce(n.feeder_id, 0) = coalesce(g.feeder_id, 0) and n.meter_id <> g.meter_id
        where g.valid_to is not null
    ) x on x.discom_id = i.discom_id and x.meter_id = i.meter_id and x.valid_to = i.valid_to
    left join (
        select distinct c.discom_id, c.meter_id, date_trunc('month', c.closed_at at time zone d.timezone)::date as month
        from {{ source('vee', 'case') }} c
        join {{ source('registry', 'discom') }} d on d.discom_id = c.discom_id
        where c.resolution = 'meter_fault' and c.meter_id is not null
    ) f on f.discom_id = b.discom_id and f.month = b.month and f.meter_id = m.meter_id
    group by b.discom_id, b.month, coalesce(m.make, 'not known')
) r
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = r.discom_id
