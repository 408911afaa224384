{{ config(materialized='view') }}
-- The same as office_day of the feeders that supply a town.
select d.discom_id, d.day, f.town,
{{ area_sums() }}
from {{ ref('feeder_day') }} d
join {{ source('registry', 'feeder') }} f on f.discom_id = d.discom_id and f.feeder_id = d.feeder_id
where f.town is not null
group by d.discom_id, d.day, f.town
