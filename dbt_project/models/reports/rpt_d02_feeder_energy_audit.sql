with period as (
    select d.discom_id, v.period, v.period_start, d.feeder_id, d.office_id,
           count(*)::integer as days, (count(*) filter (where d.loss_wh is not null))::integer as days_balanced,
           sum(d.input_wh) as input_wh,
           sum(d.dt_wh) filter (where d.loss_wh is not null) as dt_wh,
           sum(d.ht_wh) filter (where d.loss_wh is not null) as ht_wh,
           sum(d.loss_ht_wh) as loss_ht_wh,
           sum(d.billed_wh) filter (where d.loss_wh is not null) as billed_wh,
           sum(d.rooftop_export_wh) filter (where d.loss_wh is not null) as rooftop_export_wh,
           sum(d.loss_wh) as loss_wh,
           max(d.dts) as dts, max(d.dts_metered) as dts_metered, max(d.consumers) as consumers,
           sum(d.consumers) as consumer_days, sum(d.consumers_complete) as consumer_days_complete,
           max(d.weakest_quality) as weakest_quality
    from {{ ref('feeder_day') }} d
    cross join lateral {{ day_and_month('d.day') }} as v(period, period_start)
    group by d.discom_id, v.period, v.period_start, d.feeder_id, d.office_id
)

select r.discom_id, {{ office_columns() }}, r.period, r.period_start, f.code as feeder, f.voltage_kv, r.days, r.days_balanced,
       {{ kwh('r.input_wh') }} as input_kwh,
       {{ kwh('r.dt_wh') }} as dt_kwh,
       {{ kwh('r.ht_wh') }} as ht_kwh,
       {{ kwh('r.loss_ht_wh') }} as loss_ht_kwh,
       {{ pct('r.loss_ht_wh', 'r.input_wh') }} as loss_ht_pct,
       {{ kwh('r.billed_wh') }} as billed_kwh,
       {{ kwh('r.rooftop_export_wh') }} as rooftop_export_kwh,
       {{ kwh('r.loss_wh') }} as loss_kwh,
       {{ pct('r.loss_wh', '(r.input_wh + r.rooftop_export_wh)') }} as loss_pct,
       r.dts, r.dts_metered, r.consumers,
       {{ pct('r.consumer_days_complete', 'r.consumer_days') }} as coverage_pct,
       q.letter as weakest_quality,
       a.data_as_of, now() as generated_at
from period r
join {{ source('registry', 'feeder') }} f on f.discom_id = r.discom_id and f.feeder_id = r.feeder_id
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = r.discom_id and o.office_id = r.office_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = r.discom_id
left join {{ ref('code_quality') }} q on q.quality = r.weakest_quality
