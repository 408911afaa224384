-- How far the data reaches that the reports are made from: the latest receipt of each DISCOM.
select discom_id, max(received_at) as data_as_of from {{ source('raw', 'batch') }} group by discom_id
