select r.discom_id, {{ office_columns() }}, r.period, r.period_start, f.code as feeder, t.code as dt, t.capacity_kva, r.days, r.days_balanced,
       {{ kwh('r.input_wh') }} as input_kwh,
       {{ kwh('r.consumers_wh') }} as consumers_kwh,
       {{ kwh('r.unmetered_wh') }} as unmetered_kwh,
       {{ kwh('r.street_light_wh') }} as street_light_kwh,
       {{ kwh('r.rooftop_export_wh') }} as rooftop_export_kwh,
       {{ kwh('r.dt_export_wh') }} as dt_export_kwh,
       {{ kwh('r.loss_wh') }} as loss_kwh,
       {{ pct('r.loss_wh', 'r.input_wh') }} as loss_pct,
       r.consumers,
       {{ pct('r.consumer_days_complete', 'r.consumer_days') }} as coverage_pct,
       {{ pct('r.actual_wh', '(r.consumers_wh + r.unmetered_wh + r.street_light_wh)') }} as coverage_energy_pct,
       {{ low_coverage(pct('r.consumer_days_complete', 'r.consumer_days'), pct('r.actual_wh', 'r.consumers_wh')) }} as low_coverage,
       {{ pct('r.estimated_wh', '(r.consumers_wh + r.input_wh - r.rooftop_export_wh)') }} as estimated_share_pct,
       q.letter as weakest_quality,
       a.data_as_of, now() as generated_at
from (
    select p.period, p.period_start, d.*
    from {{ built_periods(['day', 'month']) }} p
    cross join lateral (
        select d.discom_id, d.dt_id, d.feeder_id, d.office_id,
               count(*)::integer as days, (count(*) filter (where d.loss_wh is not null))::integer as days_balanced,
               -- A day without a DT reading has no balance and takes no part in the period's.
               sum(d.input_wh) filter (where d.loss_wh is not null) as input_wh,
               sum(d.consumer_import_wh) filter (where d.loss_wh is not null) as consumers_wh,
               sum(d.consumer_export_wh) filter (where d.loss_wh is not null) as rooftop_export_wh,
               sum(d.dt_export_wh) filter (where d.loss_wh is not null) as dt_export_wh,
               sum(d.unmetered_wh) filter (where d.loss_wh is not null) as unmetered_wh,
               sum(d.street_light_wh) filter (where d.loss_wh is not null) as street_light_wh,
               sum(d.actual_wh) filter (where d.loss_wh is not null) as actual_wh,
               sum(d.loss_wh) as loss_wh,
               max(d.consumers) as consumers, sum(d.consumers) as consumer_days, sum(d.consumers_complete) as consumer_days_complete,
               sum(d.estimated_wh) filter (where d.loss_wh is not null) as estimated_wh,
               max(d.weakest_quality) as weakest_quality
        from {{ ref('dt_day') }} d
        where {{ in_period('d') }}
        group by d.discom_id, d.dt_id, d.feeder_id, d.office_id
    ) d
) r
join {{ source('registry', 'dt') }} t on t.discom_id = r.discom_id and t.dt_id = r.dt_id
join {{ source('registry', 'feeder') }} f on f.discom_id = r.discom_id and f.feeder_id = r.feeder_id
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = r.discom_id and o.office_id = r.office_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = r.discom_id
left join {{ ref('code_quality') }} q on q.quality = r.weakest_quality
