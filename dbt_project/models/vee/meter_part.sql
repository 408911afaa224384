{{ config(key=['discom_id', 'month', 'day', 'meter_id', 'installed_from', 'consumer_id'], built_by='part') }}
{#
  What vee.meter_month adds up, kept for parts of a month, of eight days each: a day's build adds up no more than its part, and a month's figures are four
  rows a meter instead of thirty. `day` is the first of the part. As the days stood when they were built last.
  Keys are numbers alone, so that every core adds up before anything is joined that has a name.
  The register of the first and of the last day that has one travels with its day in one number, days since 2000 x 2^48 + Wh: an array a row would cost several times as much.
#}
select f.discom_id, date_trunc('month', min(f.day)::timestamp)::date as month, {{ part_of('f.day') }} as day, f.meter_id, i.valid_from as installed_from, c.consumer_id,
       min(f.day) as first_day, max(f.day) as last_day, count(*)::integer as days,
       count(f.import_day_wh)::integer as import_days,
       (count(*) filter (where f.import_day_wh = 0 and f.missing_slots = 0))::integer as zero_days,
       sum(f.slots)::bigint as due_slots, sum(f.missing_slots)::bigint as missing_slots,
       sum(f.import_day_wh)::bigint as import_wh, sum(f.export_day_wh)::bigint as export_wh, sum(f.import_day_vah)::bigint as import_vah,
       sum(f.estimated_wh)::bigint as estimated_wh,
       max(f.max_wh::bigint * 60 / f.interval_min) as max_w, max(f.weakest_quality) as weakest_quality,
       min(((f.day - date '2000-01-01')::bigint << 48) + f.register_open_wh) as opening,
       max(((f.day - date '2000-01-01')::bigint << 48) + f.register_close_wh) as closing
from {{ ref('day_total') }} f
join {{ source('registry', 'installation') }} i on i.discom_id = f.discom_id and i.meter_id = f.meter_id and {{ valid_on('i', 'f.day') }}
join {{ source('registry', 'consumer') }} c on c.discom_id = f.discom_id and c.service_point_id = i.service_point_id and {{ valid_on('c', 'f.day') }}
where f.place = 'consumer' and {{ in_parts('f') }}
group by f.discom_id, {{ part_of('f.day') }}, f.meter_id, i.valid_from, c.consumer_id
