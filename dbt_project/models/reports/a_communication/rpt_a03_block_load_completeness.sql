select m.discom_id, {{ office_columns() }}, m.day, m.meter_id, r.serial, m.place, h.code as hes,
       m.slots as due_blocks,
       m.present_slots as received_blocks,
       m.late_slots as late_blocks,
       {{ pct('m.present_slots', 'm.slots') }} as received_pct,
       case when m.missing_slots = 0 then 1 else b.first_block end as first_block,
       case when m.missing_slots = 0 then m.slots else b.last_block end as last_block,
       m.received_at as last_received_at,
       {{ pct('m.present_slots', 'm.slots') }} as coverage_pct,
       a.data_as_of, now() as generated_at
from {{ ref('measure') }} m
join {{ source('registry', 'meter') }} r on r.discom_id = m.discom_id and r.meter_id = m.meter_id
join {{ source('registry', 'hes') }} h on h.discom_id = r.discom_id and h.hes_id = r.hes_id
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = m.discom_id and o.office_id = m.office_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = m.discom_id
left join (
    -- A full day needs no look at its slots. One row a meter-day, as the grouping says without the DISCOM: so who does not ask for blocks does not wait for them.
    select max(i.discom_id) as discom_id, i.day, i.meter_id, min(u.slot)::integer as first_block, max(u.slot)::integer as last_block
    from {{ ref('measure') }} i
    join {{ ref('meter_day') }} d on d.discom_id = i.discom_id and d.day = i.day and d.meter_id = i.meter_id
    cross join lateral unnest(d.import_wh) with ordinality as u(wh, slot)
    where i.missing_slots > 0 and i.present_slots > 0 and u.wh is not null
    group by i.day, i.meter_id
) b on b.discom_id = m.discom_id and b.day = m.day and b.meter_id = m.meter_id
