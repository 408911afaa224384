{{ config(materialized='view', contract={'enforced': false}) }}
-- What the suite of readings judges anew in a build for changed meters.
select m.* from {{ ref('evidence') }} m join {{ source('ops', 'changed_meter') }} c using (discom_id, day, meter_id)
