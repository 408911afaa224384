{{ config(materialized='view') }}
{#
  What the feeders of an office took in and sold: its own, without those of the offices below it, so that sums over stg_registry__office_tree count each
  feeder once. All of a feeder counts in its office, also where DTs or consumers of it belong to others: else loss would be input of one and sale of another.
#}
select d.discom_id, d.day, d.office_id,
{{ area_sums() }}
from {{ ref('feeder_day') }} d
group by d.discom_id, d.day, d.office_id
