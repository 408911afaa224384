select r.discom_id, {{ office_columns() }}, r.office_id, f.level, r.supply, 'month' as period, r.month as period_start,
       r.consumers, r.interruptions, r.consumer_interruptions, r.affected as affected_consumers,
       (r.consumer_interruptions::numeric / nullif(r.affected, 0))::numeric(12, 4) as caifi,
       (r.consumer_min / 60.0)::numeric(18, 2) as consumer_hours_h,
       r.consumer_hours::numeric(18, 2) as demanded_consumer_hours_h,
       (100 * (1 - r.consumer_min / 60.0 / nullif(r.consumer_hours, 0)))::double precision as asai_pct,
       '{{ var('reliability_causes') | join(', ') }}' as counted_causes,
       {{ pct('r.complete_days', 'r.consumer_days') }} as coverage_pct,
       a.data_as_of, now() as generated_at
from ({{ reliability_areas() }}) r
join {{ source('registry', 'office') }} f on f.discom_id = r.discom_id and f.office_id = r.office_id
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = r.discom_id and o.office_id = r.office_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = r.discom_id
