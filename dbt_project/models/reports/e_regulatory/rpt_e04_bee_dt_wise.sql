-- Form P6.
select r.discom_id, {{ office_columns() }}, r.period, r.period_start, f.code as feeder, t.code as dt, t.capacity_kva, r.days, r.days_balanced, r.consumers,
       {{ million_units('r.input_wh') }} as net_input_mu,
       {{ million_units('r.billed_wh') }} as billed_metered_mu,
       {{ million_units('r.assessed_wh') }} as billed_assessed_mu,
       {{ million_units('r.billed_wh + r.assessed_wh') }} as billed_mu,
       {{ million_units('r.loss_wh') }} as loss_mu,
       {{ pct('r.loss_wh', 'r.input_wh') }} as loss_pct,
       {{ pct('r.consumer_days_complete', 'r.consumer_days') }} as coverage_pct,
       {{ pct('r.actual_wh', '(r.billed_wh + r.assessed_wh)') }} as coverage_energy_pct,
       {{ pct('r.estimated_wh', 'r.read_wh') }} as estimated_share_pct,
       q.letter as weakest_quality,
       a.data_as_of, now() as generated_at
from (
    select p.period, p.period_start, d.*
    from {{ built_periods(['quarter', 'financial_year']) }} p
    cross join lateral (
        select d.discom_id, d.dt_id, d.feeder_id, d.office_id,
               count(*)::integer as days, count(d.loss_wh)::integer as days_balanced,
               sum(d.input_wh - d.dt_export_wh) filter (where d.loss_wh is not null) as input_wh,
               sum(d.consumer_import_wh) filter (where d.loss_wh is not null) as billed_wh,
               sum(d.unmetered_wh + d.street_light_wh) filter (where d.loss_wh is not null) as assessed_wh,
               sum(d.loss_wh) as loss_wh,
               sum(d.actual_wh) filter (where d.loss_wh is not null) as actual_wh,
               sum(d.estimated_wh) filter (where d.loss_wh is not null) as estimated_wh,
               sum(d.consumer_import_wh + d.dt_import_wh) filter (where d.loss_wh is not null) as read_wh,
               max(d.consumers) as consumers, sum(d.consumers) as consumer_days, sum(d.consumers_complete) as consumer_days_complete,
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
