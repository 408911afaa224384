{# Partitions hold the rows of every DISCOM: which days are the DISCOM's own is told by what landed and what was built. #}
select r.discom_id, null::text as zone, null::text as circle, null::text as division, null::text as subdivision, null::text as office,
       'month' as period, p.month as period_start, p.dataset, true as online, r.days, p.rows_estimate as all_rows_estimate, (p.bytes / 1048576.0)::numeric(18, 1) as all_size_mb,
       null::bigint as archived_rows, null::bigint as deleted_rows, null::timestamptz as checked_at,
       {{ pct('r.days', "extract(day from p.month + interval '1 month - 1 day')::double precision") }} as coverage_pct,
       a.data_as_of, now() as generated_at
from {{ source('ops', 'table_partition') }} p
join (
    select t.discom_id, true as landed, date_trunc('month', t.day)::date as month, count(distinct t.day)::integer as days
    from {{ source('raw', 'touched_day') }} t
    group by t.discom_id, date_trunc('month', t.day)
    union all
    select b.discom_id, false, date_trunc('month', b.day)::date, count(*)::integer
    from {{ source('ops', 'day_build') }} b
    where b.built_at is not null
    group by b.discom_id, date_trunc('month', b.day)
) r on r.month = p.month and r.landed = (p.dataset like 'raw.%')
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = r.discom_id
{{ of_the_whole_discom() }}
