{# What a meter's nameplate said last counts before what the registry knows. Where no target is set, what a meter has is right. #}
select r.discom_id, null::text as zone, null::text as circle, null::text as division, null::text as subdivision, null::text as office,
       r.make, r.target as target_firmware, r.meters, r.with_target, r.done, r.meters - r.done - r.not_known as pending, r.not_known, null::integer as failed,
       {{ pct('r.done', 'r.meters') }} as done_pct,
       {{ pct('r.told_by_meter', 'r.meters') }} as coverage_pct,
       a.data_as_of, now() as generated_at
from (
    select m.discom_id, coalesce(m.make, 'not known') as make, coalesce(m.target_firmware, n.firmware, m.firmware, 'not known') as target,
           count(*)::integer as meters, count(m.target_firmware)::integer as with_target,
           (count(*) filter (where coalesce(n.firmware, m.firmware) = coalesce(m.target_firmware, n.firmware, m.firmware)))::integer as done,
           (count(*) filter (where coalesce(n.firmware, m.firmware) is null))::integer as not_known,
           count(n.firmware) as told_by_meter
    from {{ source('registry', 'meter') }} m
    left join (
        select distinct on (discom_id, meter_id) discom_id, meter_id, value as firmware
        from {{ source('raw', 'nameplate') }}
        where attribute = 'firmware'
        order by discom_id, meter_id, read_at desc, received_at desc, value
    ) n on n.discom_id = m.discom_id and n.meter_id = m.meter_id
    group by m.discom_id, coalesce(m.make, 'not known'), coalesce(m.target_firmware, n.firmware, m.firmware, 'not known')
) r
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = r.discom_id
