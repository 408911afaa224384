-- Feeders that go out to consumers; incomers of substations are in D03.
select r.discom_id, {{ office_columns() }}, r.period, r.period_start, f.code as feeder, f.voltage_kv, r.days, r.days_balanced,
       {{ kwh('r.input_wh') }} as input_kwh,
       {{ kwh('r.transfer_in_wh') }} as transfer_in_kwh,
       {{ kwh('r.transfer_out_wh') }} as transfer_out_kwh,
       {{ kwh('r.dt_wh') }} as dt_kwh,
       {{ kwh('r.ht_wh') }} as ht_kwh,
       {{ kwh('r.loss_ht_wh') }} as loss_ht_kwh,
       {{ pct('r.loss_ht_wh', 'r.input_wh') }} as loss_ht_pct,
       {{ kwh('r.billed_wh') }} as billed_kwh,
       {{ kwh('r.unmetered_wh') }} as unmetered_kwh,
       {{ kwh('r.street_light_wh') }} as street_light_kwh,
       {{ kwh('r.open_access_wh') }} as open_access_kwh,
       {{ kwh('r.rooftop_export_wh') }} as rooftop_export_kwh,
       {{ kwh('r.loss_wh') }} as loss_kwh,
       {{ pct('r.loss_wh', '(r.input_wh + r.rooftop_export_wh)') }} as loss_pct,
       r.dts, r.dts_metered, r.consumers,
       {{ pct('r.consumer_days_complete', 'r.consumer_days') }} as coverage_pct,
       {{ pct('r.actual_wh', '(r.billed_wh + r.unmetered_wh + r.street_light_wh)') }} as coverage_energy_pct,
       {{ low_coverage(pct('r.consumer_days_complete', 'r.consumer_days'), pct('r.actual_wh', 'r.billed_wh')) }} as low_coverage,
       {{ pct('r.estimated_wh', 'r.read_wh') }} as estimated_share_pct,
       q.letter as weakest_quality,
       a.data_as_of, now() as generated_at
from (
    select p.period, p.period_start, d.*
    from {{ built_periods(['day', 'month']) }} p
    cross join lateral (
        select d.discom_id, d.feeder_id, d.office_id,
               count(*)::integer as days, (count(*) filter (where d.loss_wh is not null))::integer as days_balanced,
               {%- for e in ['input_wh', 'transfer_in_wh', 'transfer_out_wh', 'dt_wh', 'ht_wh', 'loss_ht_wh', 'billed_wh', 'unmetered_wh', 'street_light_wh', 'open_access_wh', 'rooftop_export_wh',
                             'loss_wh', 'actual_wh', 'estimated_wh', 'read_wh'] %}
               sum(d.{{ e }}) filter (where d.loss_wh is not null) as {{ e }},
               {%- endfor %}
               max(d.dts) as dts, max(d.dts_metered) as dts_metered, max(d.consumers) as consumers,
               sum(d.consumers) as consumer_days, sum(d.consumers_complete) as consumer_days_complete,
               max(d.weakest_quality) as weakest_quality
        from {{ ref('feeder_day') }} d
        where {{ in_period('d') }}
        group by d.discom_id, d.feeder_id, d.office_id
    ) d
) r
join {{ source('registry', 'feeder') }} f on f.discom_id = r.discom_id and f.feeder_id = r.feeder_id
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = r.discom_id and o.office_id = r.office_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = r.discom_id
left join {{ ref('code_quality') }} q on q.quality = r.weakest_quality
