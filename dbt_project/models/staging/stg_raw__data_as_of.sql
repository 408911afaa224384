{#
  How far the data reaches that the reports are made from: the latest receipt of each DISCOM. Materialized, so that deliveries are read once a query: a report of one DISCOM has nothing to
  join this by, and reading it again for each of its rows took 9 s for 9,000 of them.
#}
with newest as materialized (
    select discom_id, max(received_at) as data_as_of from {{ source('raw', 'batch') }} group by discom_id
)

select discom_id, data_as_of from newest
