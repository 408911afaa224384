select m.discom_id, {{ office_columns() }}, m.day, m.meter_id, p.serial, m.place, h.code as hes,
       m.slots as due_blocks,
       m.present_slots as received_blocks,
       d.late_slots as late_blocks,
       {{ pct('m.present_slots', 'm.slots') }} as received_pct,
       b.first_block, b.last_block,
       d.received_at as last_received_at,
       {{ pct('m.present_slots', 'm.slots') }} as coverage_pct,
       a.data_as_of, now() as generated_at
from {{ ref('measure') }} m
join {{ ref('meter_day') }} d using (discom_id, day, meter_id)
join {{ ref('stg_registry__meter_place') }} p on p.discom_id = m.discom_id and p.meter_id = m.meter_id and {{ valid_on('p', 'm.day') }}
join {{ source('registry', 'meter') }} r on r.discom_id = m.discom_id and r.meter_id = m.meter_id
join {{ source('registry', 'hes') }} h on h.discom_id = r.discom_id and h.hes_id = r.hes_id
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = m.discom_id and o.office_id = m.office_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = m.discom_id
cross join lateral (
    select min(s)::integer as first_block, max(s)::integer as last_block
    from generate_series(1, m.slots) s
    where d.import_wh[s] is not null
) b
