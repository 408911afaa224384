{#
  Maximum demand against the sanctioned load, from var md_watch_pct on; and in how many months of the financial year up to this one it was above. Whoever is above is listed,
  so the months are counted among the listed. Of two meters of one consumer in a month the month counts once.
#}
with listed as (
    select c.*, {{ kwh('p.sanctioned_load_w') }} as sanctioned_kw, c.md_kw * 1000 > p.sanctioned_load_w as over_sanctioned,
           (date_trunc('year', c.period_start - interval '3 months') + interval '3 months')::date as year_start
    from {{ ref('rpt_c01_consumption') }} c
    join {{ source('registry', 'consumer') }} n on n.discom_id = c.discom_id and n.consumer_id = c.consumer_id
    join {{ source('registry', 'service_point') }} p on p.discom_id = c.discom_id and p.service_point_id = n.service_point_id
    where c.period = 'month' and c.md_kw * 100000 >= p.sanctioned_load_w * {{ var('md_watch_pct') }}
),

marked as (
    select l.*, l.over_sanctioned and row_number() over (partition by l.discom_id, l.consumer_id, l.period_start order by l.over_sanctioned desc, l.serial) = 1 as counts
    from listed l
),

counted as (
    select m.*, (count(*) filter (where m.counts) over (partition by m.discom_id, m.consumer_id, m.year_start order by m.period_start))::integer as months_over
    from marked m
)

select r.discom_id, r.zone, r.circle, r.division, r.subdivision, r.office, 'month' as period, r.period_start, r.consumer_id, r.consumer, r.category, r.serial,
       r.md_kw, r.sanctioned_kw, {{ pct('r.md_kw', 'r.sanctioned_kw') }} as of_sanctioned_pct,
       r.over_sanctioned, r.months_over, r.months_over >= {{ var('md_over_months') }} as load_to_be_revised, r.import_kwh,
       r.coverage_pct, r.data_as_of, r.generated_at
from counted r
