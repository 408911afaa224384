{{ config(materialized='view', contract={'enforced': false}) }}
-- What the suite of edits judges anew in a build for changed meters.
select m.* from {{ ref('edited_measure') }} m join {{ source('ops', 'changed_meter') }} c using (discom_id, day, meter_id)
