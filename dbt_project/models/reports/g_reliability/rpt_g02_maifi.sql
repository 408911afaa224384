select r.discom_id, {{ office_columns() }}, r.office_id, f.level, r.supply, 'month' as period, r.month as period_start,
       r.consumers, r.momentary as momentary_interruptions, r.consumer_momentary as momentary_consumer_interruptions,
       (r.consumer_momentary::numeric / nullif(r.consumers, 0))::numeric(12, 4) as maifi,
       {{ var('momentary_min') | int }} as momentary_limit_min,
       '{{ var('reliability_causes') | join(', ') }}' as counted_causes,
       {{ pct('r.complete_days', 'r.consumer_days') }} as coverage_pct,
       a.data_as_of, now() as generated_at
from ({{ reliability_areas() }}) r
join {{ source('registry', 'office') }} f on f.discom_id = r.discom_id and f.office_id = r.office_id
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = r.discom_id and o.office_id = r.office_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = r.discom_id
