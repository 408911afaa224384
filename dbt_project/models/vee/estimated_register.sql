{{ config(materialized='view') }}
{#
  EM11: a midnight register that did not come = the last one before it + what the final days since then sum to. Only between registers that were
  read, so that the days are scaled to them (EM9) and the estimate lies between; a day that still misses slots tells no register.
#}
{%- set horizon = 28 %}
select t.discom_id, t.day, t.meter_id, (o.register_close_wh + s.wh)::bigint as import_wh, 11::smallint as method, o.day as read_day, n.day as next_read_day
from {{ ref('day_total') }} t
cross join lateral (
    select d.day, d.register_close_wh from {{ ref('day_total') }} d
    where d.discom_id = t.discom_id and d.meter_id = t.meter_id and d.day between t.day - {{ horizon }} and t.day - 1 and d.register_close_wh is not null
    order by d.day desc limit 1
) o
cross join lateral (
    select d.day, d.register_close_wh from {{ ref('day_total') }} d
    where d.discom_id = t.discom_id and d.meter_id = t.meter_id and d.day between t.day + 1 and t.day + {{ horizon }} and d.register_close_wh is not null
    order by d.day limit 1
) n
cross join lateral (
    select sum(d.import_day_wh) as wh, count(*) as days, sum(d.missing_slots) as missing_slots from {{ ref('day_total') }} d
    where d.discom_id = t.discom_id and d.meter_id = t.meter_id and d.day between o.day + 1 and t.day
) s
where t.register_close_wh is null and s.days = t.day - o.day and s.missing_slots = 0 and o.register_close_wh + s.wh <= n.register_close_wh
