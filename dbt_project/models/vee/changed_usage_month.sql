{{ config(materialized='view', contract={'enforced': false}) }}
select m.* from {{ ref('usage_month') }} m join {{ source('ops', 'changed_meter') }} c using (discom_id, day, meter_id)
