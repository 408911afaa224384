{#
  Every delivery (file, page or message; of streams those that were landed together) by the business day on which it was received. Counted in values: one channel at one stamp. Replayed is what was
  rejected and landed after all, once the registry knew its meter. A delivery is of no office.
#}
select b.discom_id, {{ no_office_columns() }}, (b.received_at at time zone d.timezone)::date as day, b.batch_id, h.code as hes, b.source, b.received_at,
       b.values_received::bigint, b.values_accepted::bigint, b.values_rejected::bigint,
       {{ pct('b.values_rejected', 'b.values_received') }} as rejected_pct,
       x.reasons, coalesce(x.records, 0) as rejected_records, coalesce(x.replayed, 0)::bigint as values_replayed,
       {{ pct('b.values_accepted', 'b.values_received') }} as coverage_pct,
       a.data_as_of, now() as generated_at
from {{ source('raw', 'batch') }} b
join {{ source('registry', 'discom') }} d on d.discom_id = b.discom_id
join {{ source('registry', 'hes') }} h on h.discom_id = b.discom_id and h.hes_id = b.hes_id
left join (
    select r.discom_id, r.batch_id, string_agg(r.reason || ' ' || r.n, ', ' order by r.n desc, r.reason) as reasons, sum(r.records)::integer as records, sum(r.replayed) as replayed
    from (
        select x.discom_id, x.batch_id, x.reason, sum(x.value_count) as n, count(*) as records, coalesce(sum(x.value_count) filter (where p.rejected_id is not null), 0) as replayed
        from {{ source('raw', 'rejected') }} x
        left join {{ source('raw', 'replayed') }} p on p.discom_id = x.discom_id and p.rejected_id = x.rejected_id
        group by x.discom_id, x.batch_id, x.reason
    ) r
    group by r.discom_id, r.batch_id
) x on x.discom_id = b.discom_id and x.batch_id = b.batch_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = b.discom_id
{{ of_the_whole_discom() }}
