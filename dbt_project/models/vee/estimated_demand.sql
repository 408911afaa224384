{{ config(materialized='view') }}
-- Maximum demand where the meter's own did not come (domain 6.3): the highest valid interval x 60 / its minutes. Of a billing period: the most of its days.
select f.discom_id, f.day, f.meter_id, (v.wh * 60 / f.interval_min)::bigint as md_import_w, 11::smallint as method, v.valid_slots, f.slots
from {{ ref('final_day') }} f
cross join lateral (
    select max(u.wh) as wh, count(*)::integer as valid_slots
    from unnest(f.import_wh, coalesce(f.quality, array_fill(f.day_quality, array[f.slots]))) as u(wh, quality)
    where u.wh is not null and u.quality < 5
) v
where v.valid_slots > 0
