select r.discom_id, {{ office_columns() }}, r.office_id, f.level, r.supply, 'month' as period, r.month as period_start,
       r.consumers, r.interruptions, r.consumer_interruptions, (r.consumer_min / 60.0)::numeric(18, 2) as consumer_hours_h,
       (r.consumer_interruptions::numeric / nullif(r.consumers, 0))::numeric(12, 4) as saifi,
       (r.consumer_min / 60.0 / nullif(r.consumers, 0))::numeric(12, 4) as saidi_h,
       (r.consumer_min / 60.0 / nullif(r.consumer_interruptions, 0))::numeric(12, 4) as caidi_h,
       r.lasting,
       r.planned as planned_interruptions, r.consumer_planned as planned_consumer_interruptions, (r.planned_min / 60.0)::numeric(18, 2) as planned_consumer_hours_h,
       r.shedding as shedding_interruptions, r.consumer_shedding as shedding_consumer_interruptions, (r.shedding_min / 60.0)::numeric(18, 2) as shedding_consumer_hours_h,
       '{{ var('reliability_causes') | join(', ') }}' as counted_causes,
       {{ pct('r.complete_days', 'r.consumer_days') }} as coverage_pct,
       a.data_as_of, now() as generated_at
from ({{ reliability_areas() }}) r
join {{ source('registry', 'office') }} f on f.discom_id = r.discom_id and f.office_id = r.office_id
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = r.discom_id and o.office_id = r.office_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = r.discom_id
