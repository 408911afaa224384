-- The last business day of each DISCOM that was built. How things stand now is counted from it, and not from the clock on the wall.
select discom_id, max(day) as last_day from {{ source('ops', 'day_build') }} where built_at is not null group by discom_id
