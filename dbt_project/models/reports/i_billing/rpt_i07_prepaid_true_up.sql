{#
  What prepaid charges went by, the sum of the days, against what the bill goes by, the advance between the billing rows of two months. While the month's row has not come, against
  the midnight register of the last built day: provisional. Without every day in between there is no difference to tell.
#}
with billing_row as (
    {{ billing_rows(zones=false) }}
),

usage as (
    select f.discom_id, f.month, f.meter_id, i.mf, c.consumer_id, c.code as consumer, p.category, p.office_id, f.days, f.last_day, f.import_wh,
           case when f.closing_day = f.last_day then f.closing_wh end as last_register_wh, f.due_slots as due, f.due_slots - f.missing_slots as present
    from {{ ref('meter_month') }} f
    join {{ source('registry', 'meter') }} m on m.discom_id = f.discom_id and m.meter_id = f.meter_id
    join {{ source('registry', 'installation') }} i on {{ installation_of('f') }}
    join {{ source('registry', 'consumer') }} c on c.discom_id = f.discom_id and c.consumer_id = f.consumer_id
    join {{ source('registry', 'service_point') }} p on p.discom_id = f.discom_id and p.service_point_id = i.service_point_id
    -- Whoever came, or got another factor, within the month has no full month to compare.
    where m.payment is distinct from 'postpaid' and f.first_day = f.month
),

compared as (
    select u.*, r.meter_id is null as provisional, b.import_wh as opening_wh,
           case when r.meter_id is not null then {{ billed_usage('import_wh') }}
                when u.last_register_wh >= b.import_wh then u.last_register_wh - b.import_wh end as billing_wh,
           u.last_day - u.month + 1 = u.days as whole
    from usage u
    left join billing_row r on r.discom_id = u.discom_id and r.meter_id = u.meter_id and r.month = u.month
    left join billing_row b on b.discom_id = u.discom_id and b.meter_id = u.meter_id and b.month = (u.month - interval '1 month')::date
    where r.meter_id is not null or b.meter_id is not null
)

select q.discom_id, {{ office_columns() }}, 'month' as period, q.month as period_start, q.consumer_id, q.consumer, q.category, m.serial, m.payment,
       q.provisional, q.days,
       {{ kwh('q.import_wh * q.mf') }} as daily_kwh, {{ kwh('q.billing_wh * q.mf') }} as billing_kwh,
       {{ kwh('case when q.whole then (q.billing_wh - q.import_wh) * q.mf end') }} as true_up_kwh,
       case when q.whole then {{ pct('(q.billing_wh - q.import_wh)', 'q.billing_wh') }} end as true_up_pct,
       {{ pct('q.present', 'q.due') }} as coverage_pct,
       a.data_as_of, now() as generated_at
from compared q
join {{ source('registry', 'meter') }} m on m.discom_id = q.discom_id and m.meter_id = q.meter_id
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = q.discom_id and o.office_id = q.office_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = q.discom_id
