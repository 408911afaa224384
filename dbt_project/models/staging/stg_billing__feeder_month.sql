{#
  Bills and receipts of a month by the feeder that the consumer was indexed to at its end, with the office of that feeder, so that money is attributed as energy is.
  A consumer that is indexed nowhere counts in its own office. Receipts count in the month in which they came.
#}
select y.discom_id, y.month, f.feeder_id, coalesce(f.office_id, p.office_id) as office_id, p.category, x.feeder_id is not null as ht,
       sum(y.bills)::integer as bills,
       -- Bills of a supply without a meter are energy that the assessment of its DT states too: whoever adds up takes one of both.
       coalesce(sum(y.energy_wh) filter (where m.metered), 0)::bigint as billed_wh,
       coalesce(sum(y.energy_wh) filter (where m.metered and y.assessed), 0)::bigint as assessed_wh,
       coalesce(sum(y.energy_wh) filter (where not m.metered), 0)::bigint as unmetered_wh,
       sum(y.amount_inr)::numeric(20, 2) as amount_inr, sum(y.subsidy_inr)::numeric(20, 2) as subsidy_booked_inr,
       coalesce(sum(y.received_inr) filter (where y.kind in ('payment', 'adjustment')), 0)::numeric(20, 2) as payment_inr,
       coalesce(sum(y.received_inr) filter (where y.kind = 'arrears'), 0)::numeric(20, 2) as arrears_inr,
       coalesce(sum(y.received_inr) filter (where y.kind = 'subsidy'), 0)::numeric(20, 2) as subsidy_received_inr
from (
    select discom_id, consumer_id, month, 1 as bills, energy_wh, assessed, amount_inr, subsidy_inr, null::text as kind, null::numeric as received_inr
    from {{ source('billing', 'bill') }}
    union all
    select discom_id, consumer_id, date_trunc('month', received_on)::date, 0, null, false, 0, 0, kind, amount_inr
    from {{ source('billing', 'collection') }}
) y
cross join lateral (select (y.month + interval '1 month - 1 day')::date as last_day) e
join {{ source('registry', 'consumer') }} c on c.discom_id = y.discom_id and c.consumer_id = y.consumer_id
join {{ source('registry', 'service_point') }} p on p.discom_id = y.discom_id and p.service_point_id = c.service_point_id
left join {{ source('registry', 'consumer_index') }} x on x.discom_id = y.discom_id and x.service_point_id = c.service_point_id and {{ valid_on('x', 'e.last_day') }}
left join {{ source('registry', 'dt') }} t on t.discom_id = y.discom_id and t.dt_id = x.dt_id
left join {{ source('registry', 'feeder') }} f on f.discom_id = y.discom_id and f.feeder_id = coalesce(x.feeder_id, t.feeder_id)
cross join lateral (
    select y.bills = 1 and exists (
        select 1 from {{ source('registry', 'installation') }} i
        where i.discom_id = y.discom_id and i.service_point_id = c.service_point_id and i.valid_from <= e.last_day and (i.valid_to is null or i.valid_to > y.month)
    ) as metered
) m
group by y.discom_id, y.month, f.feeder_id, coalesce(f.office_id, p.office_id), p.category, x.feeder_id is not null
