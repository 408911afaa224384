{#
  DTs and feeders by the energy that they lose; those that lose none are not here (D09). What is advised: somebody looks at what was abnormal for months;
  a figure that rests on too little is not acted on before its data is there; then the mapping is looked at, then the network.
#}
select r.discom_id, {{ office_columns() }}, r.period, r.period_start, r.kind, r.rank, f.code as feeder, t.code as dt, t.capacity_kva, r.days_balanced,
       {{ kwh('r.input_wh') }} as input_kwh,
       {{ kwh('r.loss_wh') }} as loss_kwh,
       r.loss_pct,
       r.previous_loss_pct,
       r.loss_pct - r.previous_loss_pct as trend_pct,
       case when r.previous_loss_pct is null then 'new'
            when r.loss_pct - r.previous_loss_pct > {{ var('loss_trend_pct') }} then 'rising'
            when r.loss_pct - r.previous_loss_pct < -{{ var('loss_trend_pct') }} then 'falling' else 'steady' end as trend,
       r.months_abnormal,
       case when r.months_abnormal >= {{ var('loss_abnormal_periods') }} then 'field_verification'
            when {{ low_coverage('r.coverage_pct', pct('r.actual_wh', 'r.billed_wh')) }} then 'complete_data'
            when r.loss_pct > {{ var('loss_abnormal_pct') }} then 'check_mapping'
            when r.loss_pct > {{ var('loss_high_pct') }} then 'inspect'
            else 'watch' end as recommended_action,
       r.consumers, r.coverage_pct, r.coverage_energy_pct,
       {{ low_coverage('r.coverage_pct', pct('r.actual_wh', 'r.billed_wh')) }} as low_coverage,
       {{ pct('r.estimated_wh', 'r.read_wh') }} as estimated_share_pct,
       q.letter as weakest_quality,
       a.data_as_of, now() as generated_at
from (
    select m.*, (row_number() over (partition by m.discom_id, m.period, m.period_start, m.kind order by m.loss_wh desc, m.head_id))::integer as rank,
           {{ pct('m.consumer_days_complete', 'm.consumer_days') }} as coverage_pct,
           {{ pct('m.actual_wh', 'm.supplied_wh') }} as coverage_energy_pct
    from ({{ loss_months(['dt', 'feeder']) }}) m
) r
join {{ source('registry', 'feeder') }} f on f.discom_id = r.discom_id and f.feeder_id = r.feeder_id
left join {{ source('registry', 'dt') }} t on t.discom_id = r.discom_id and t.dt_id = r.dt_id
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = r.discom_id and o.office_id = r.office_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = r.discom_id
left join {{ ref('code_quality') }} q on q.quality = r.weakest_quality
where r.rank <= {{ var('ranking_rows') | int }} and r.loss_wh > 0
