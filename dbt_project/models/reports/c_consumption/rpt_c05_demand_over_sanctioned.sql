{#
  Maximum demand against the sanctioned load, from var md_watch_pct on; and in how many months of the financial year up to this one it was above. Whoever is above is listed,
  so the months are counted among the listed. Of two meters of one consumer in a month the month counts once.
#}
with listed as not materialized (
    select c.*, {{ kwh('p.sanctioned_load_w') }} as sanctioned_kw, c.md_kw * 1000 > p.sanctioned_load_w as over_sanctioned
    from {{ ref('rpt_c01_consumption') }} c
    join {{ source('registry', 'consumer') }} n on n.discom_id = c.discom_id and n.consumer_id = c.consumer_id
    join {{ source('registry', 'service_point') }} p on p.discom_id = c.discom_id and p.service_point_id = n.service_point_id
    where c.period = 'month' and c.md_kw * 100000 >= p.sanctioned_load_w * {{ var('md_watch_pct') }}
),

-- One row a consumer and month, by what identifies these everywhere: who does not ask for months_over does not wait for all months of the year.
months as (
    select m.consumer_id, m.period_start, max(m.discom_id) as discom_id,
           (sum(max(m.over_sanctioned::integer)) over (
               partition by m.consumer_id, (date_trunc('year', m.period_start - interval '3 months') + interval '3 months')::date order by m.period_start
           ))::integer as months_over
    from listed m
    group by m.consumer_id, m.period_start
)

select r.discom_id, r.zone, r.circle, r.division, r.subdivision, r.office, 'month' as period, r.period_start, r.consumer_id, r.consumer, r.category, r.serial,
       r.md_kw, r.sanctioned_kw, {{ pct('r.md_kw', 'r.sanctioned_kw') }} as of_sanctioned_pct,
       r.over_sanctioned, m.months_over, m.months_over >= {{ var('md_over_months') }} as load_to_be_revised, r.import_kwh,
       r.coverage_pct, r.data_as_of, r.generated_at
from listed r
left join months m on m.discom_id = r.discom_id and m.consumer_id = r.consumer_id and m.period_start = r.period_start
