{{ config(materialized='view') }}
-- Occurrences with what ended them. Of one instant the occurrence counts first: stamps are whole seconds, and what lasts shorter ends within one.
with once as (
    -- A make may have two codes for one event.
    select distinct on (discom_id, meter_id, event, occurred_at) * from {{ ref('stg_raw__event') }}
    order by discom_id, meter_id, event, occurred_at, source, code
),

followed as (
    select e.*, lead(e.role) over next as next_role, lead(e.occurred_at) over next as next_at
    from once e
    window next as (partition by e.discom_id, e.meter_id, e.family order by e.occurred_at, e.role)
)

select discom_id, day, meter_id, family, event, log, severity, source, code, occurred_at,
       case when role = 'occurrence' then next_at end as ended_at,
       case when role = 'single' then 'single'
            when next_role = 'restoration' then 'restored'
            when next_role is null then 'open'
            else 'lost restoration' end as state,
       case when role = 'occurrence' and next_role = 'restoration' then extract(epoch from next_at - occurred_at)::bigint end as duration_s
from followed
where role <> 'restoration'
