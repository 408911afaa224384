{#
  Months of DTs whose loss cannot be right, or is not what the other DTs of the feeder have: wrongly indexed consumers take from one DT what they give to
  another, so the DT at the feeder's other end is named beside it.
#}
select r.discom_id, {{ office_columns() }}, r.period, r.period_start, f.code as feeder, t.code as dt, r.days_balanced,
       {{ kwh('r.input_wh') }} as input_kwh,
       {{ kwh('r.loss_wh') }} as loss_kwh,
       r.loss_pct, r.feeder_loss_pct, r.finding, r.months_abnormal,
       r.months_abnormal >= {{ var('loss_abnormal_periods') }} as verify_in_field,
       s.code as suspect_dt, r.suspect_loss_pct,
       r.consumers, r.coverage_pct, r.coverage_energy_pct,
       {{ low_coverage('r.coverage_pct', pct('r.actual_wh', 'r.billed_wh')) }} as low_coverage,
       {{ pct('r.estimated_wh', 'r.read_wh') }} as estimated_share_pct,
       q.letter as weakest_quality,
       a.data_as_of, now() as generated_at
from (
    select d.*,
           case when d.loss_pct < {{ var('loss_negative_pct') }} then 'mapping_error'
                when d.loss_wh < 0 then 'within_tolerance'
                when d.loss_pct > {{ var('loss_abnormal_pct') }} then 'abnormal'
                when abs(d.loss_pct - d.feeder_loss_pct) > {{ var('loss_outlier_pct') }} then 'outlier' end as finding,
           case when d.loss_pct < d.feeder_loss_pct then nullif(d.highest_dt_id, d.dt_id) else nullif(d.lowest_dt_id, d.dt_id) end as suspect_dt_id,
           case when d.loss_pct < d.feeder_loss_pct and d.highest_dt_id <> d.dt_id then d.highest_loss_pct
                when d.loss_pct >= d.feeder_loss_pct and d.lowest_dt_id <> d.dt_id then d.lowest_loss_pct end as suspect_loss_pct
    from (
        select m.*,
               {{ pct('m.consumer_days_complete', 'm.consumer_days') }} as coverage_pct,
               {{ pct('m.actual_wh', 'm.supplied_wh') }} as coverage_energy_pct,
               {{ pct('(sum(m.loss_wh) over feeder)', '(sum(m.input_wh) over feeder)') }} as feeder_loss_pct,
               first_value(m.dt_id) over by_loss as lowest_dt_id, first_value(m.loss_pct) over by_loss as lowest_loss_pct,
               last_value(m.dt_id) over by_loss as highest_dt_id, last_value(m.loss_pct) over by_loss as highest_loss_pct
        from ({{ loss_months(['dt']) }}) m
        window feeder as (partition by m.discom_id, m.period, m.period_start, m.feeder_id),
               by_loss as (partition by m.discom_id, m.period, m.period_start, m.feeder_id order by m.loss_pct nulls first, m.dt_id
                           rows between unbounded preceding and unbounded following)
    ) d
) r
join {{ source('registry', 'feeder') }} f on f.discom_id = r.discom_id and f.feeder_id = r.feeder_id
join {{ source('registry', 'dt') }} t on t.discom_id = r.discom_id and t.dt_id = r.dt_id
left join {{ source('registry', 'dt') }} s on s.discom_id = r.discom_id and s.dt_id = r.suspect_dt_id
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = r.discom_id and o.office_id = r.office_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = r.discom_id
left join {{ ref('code_quality') }} q on q.quality = r.weakest_quality
where r.finding is not null
