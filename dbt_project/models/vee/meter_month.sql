{{ config(materialized='view') }}
{#
  The figures of a consumer's meter and month, of the days that are built, as the meter counts: whoever reads them multiplies by the factor of the installation, once a month and not
  once a day. Keys are numbers alone, so that every core adds up before anything is joined that has a name.
  The register of the first and of the last day that has one travels with its day in one number, days since 2000 x 2^48 + Wh: an array a row would cost several times as much.
#}
select m.discom_id, m.month, m.meter_id, m.installed_from, m.consumer_id, m.first_day, m.last_day, m.days, m.zero_days,
       m.due_slots, m.missing_slots, m.import_wh, m.export_wh, m.import_vah, m.estimated_wh, m.max_w, m.weakest_quality,
       date '2000-01-01' + (m.opening >> 48)::integer as opening_day, m.opening & 281474976710655 as opening_wh,
       date '2000-01-01' + (m.closing >> 48)::integer as closing_day, m.closing & 281474976710655 as closing_wh
from (
    select f.discom_id, date_trunc('month', f.day::timestamp)::date as month, f.meter_id, i.valid_from as installed_from, c.consumer_id,
           min(f.day) as first_day, max(f.day) as last_day, count(*)::integer as days,
           (count(*) filter (where f.import_day_wh = 0 and f.missing_slots = 0))::integer as zero_days,
           sum(f.slots) as due_slots, sum(f.missing_slots) as missing_slots,
           sum(f.import_day_wh)::bigint as import_wh, sum(f.export_day_wh)::bigint as export_wh, sum(f.import_day_vah)::bigint as import_vah,
           sum(f.estimated_wh)::bigint as estimated_wh,
           max(f.max_wh::bigint * 60 / f.interval_min) as max_w, max(f.weakest_quality) as weakest_quality,
           min(((f.day - date '2000-01-01')::bigint << 48) + f.register_open_wh) as opening,
           max(((f.day - date '2000-01-01')::bigint << 48) + f.register_close_wh) as closing
    from {{ ref('day_total') }} f
    join {{ source('registry', 'installation') }} i on i.discom_id = f.discom_id and i.meter_id = f.meter_id and {{ valid_on('i', 'f.day') }}
    join {{ source('registry', 'consumer') }} c on c.discom_id = f.discom_id and c.service_point_id = i.service_point_id and {{ valid_on('c', 'f.day') }}
    where f.place = 'consumer'
    group by f.discom_id, date_trunc('month', f.day::timestamp)::date, f.meter_id, i.valid_from, c.consumer_id
) m
