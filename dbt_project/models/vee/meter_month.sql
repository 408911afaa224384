{{ config(materialized='view') }}
{#
  The figures of a consumer's meter and month, of the days that are built, as the meter counts: whoever reads them multiplies by the factor of the installation, once a month and not
  once a day.
#}
select m.discom_id, m.month, m.meter_id, m.installed_from, m.consumer_id, m.first_day, m.last_day, m.days, m.zero_days,
       m.due_slots, m.missing_slots, m.import_wh, m.export_wh, m.import_vah, m.estimated_wh, m.max_w, m.weakest_quality,
       date '2000-01-01' + (m.opening >> 48)::integer as opening_day, m.opening & 281474976710655 as opening_wh,
       date '2000-01-01' + (m.closing >> 48)::integer as closing_day, m.closing & 281474976710655 as closing_wh
from (
    select p.discom_id, p.month, p.meter_id, p.installed_from, p.consumer_id,
           min(p.first_day) as first_day, max(p.last_day) as last_day, sum(p.days)::integer as days, sum(p.zero_days)::integer as zero_days,
           sum(p.due_slots)::bigint as due_slots, sum(p.missing_slots)::bigint as missing_slots,
           sum(p.import_wh)::bigint as import_wh, sum(p.export_wh)::bigint as export_wh, sum(p.import_vah)::bigint as import_vah,
           sum(p.estimated_wh)::bigint as estimated_wh, max(p.max_w) as max_w, max(p.weakest_quality) as weakest_quality,
           min(p.opening) as opening, max(p.closing) as closing
    from {{ ref('meter_part') }} p
    group by p.discom_id, p.month, p.meter_id, p.installed_from, p.consumer_id
) m
