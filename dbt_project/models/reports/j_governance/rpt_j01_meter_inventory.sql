{# How things stand today. Where no state is known, what the registry knows of the installation says it. #}
select r.discom_id, {{ office_columns() }}, coalesce(r.office_id, 0) as office_id, r.make, r.lot, r.state, r.medium, r.payment,
       r.meters, r.installed, r.age_d::double precision as mean_age_d, r.oldest_d as oldest_age_d,
       r.in_warranty, r.warranty_ending_soon, r.out_of_warranty, r.meters - r.in_warranty - r.out_of_warranty as warranty_not_known,
       {{ pct('r.described', 'r.meters') }} as coverage_pct,
       a.data_as_of, now() as generated_at
from (
    select m.discom_id, p.office_id, coalesce(m.make, 'not known') as make, coalesce(m.lot, 'not known') as lot,
           coalesce(m.state, case when p.meter_id is not null then 'INSTALLED'
                                  when exists (select 1 from {{ source('registry', 'installation') }} w where w.discom_id = m.discom_id and w.meter_id = m.meter_id) then 'REMOVED'
                                  else 'not known' end) as state,
           coalesce(m.medium, 'not known') as medium, coalesce(m.payment, 'not known') as payment,
           count(*)::integer as meters, count(p.meter_id)::integer as installed,
           avg(t.today - m.manufactured_on) as age_d, max(t.today - m.manufactured_on) as oldest_d,
           (count(*) filter (where m.warranty_until >= t.today))::integer as in_warranty,
           (count(*) filter (where m.warranty_until >= t.today and m.warranty_until < t.today + {{ var('warranty_soon_days') | int }}))::integer as warranty_ending_soon,
           (count(*) filter (where m.warranty_until < t.today))::integer as out_of_warranty,
           count(*) filter (where num_nulls(m.make, m.lot, m.state, m.manufactured_on, m.warranty_until) = 0) as described
    from {{ source('registry', 'meter') }} m
    join (
        select discom_id, (now() at time zone timezone)::date as today from {{ source('registry', 'discom') }}
    ) t on t.discom_id = m.discom_id
    left join {{ ref('stg_registry__meter_place') }} p on p.discom_id = m.discom_id and p.meter_id = m.meter_id and {{ valid_on('p', 't.today') }}
    group by m.discom_id, p.office_id, coalesce(m.make, 'not known'), coalesce(m.lot, 'not known'), 5, coalesce(m.medium, 'not known'), coalesce(m.payment, 'not known')
) r
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = r.discom_id and o.office_id = r.office_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = r.discom_id
