{#
  Blocks of groups: feeders, and consumers by category and office. Blocks of single meters are in vee.interval_reading. Voltage and current of a feeder are those of the primary
  side: what its meter counts, as a share of its nominal voltage; kVA / (sqrt(3) x kV).
#}
select g.discom_id, {{ office_columns() }}, g.day, g.kind, g.head, g.category, g.interval_min, g.block, {{ slot_starts_at('g.day', 'g.block', 'g.interval_min') }} as starts_at,
       (g.w * 0.001)::numeric(15, 3) as load_kw, (g.va * 0.001)::numeric(15, 3) as load_kva,
       g.line_kv::numeric(8, 3) as voltage_kv,
       (g.va * 0.001 / nullif(g.line_kv, 0) / sqrt(3.0))::numeric(12, 2) as current_a,
       (abs(g.w)::double precision / nullif(g.va, 0)) as power_factor,
       g.meters,
       {{ pct('g.present_slots', 'g.due_slots') }} as coverage_pct,
       a.data_as_of, now() as generated_at
from (
    select c.discom_id, c.day, c.kind, f.code as head, c.category, f.office_id, c.interval_min, c.meters, c.present_slots, c.due_slots, u.block::integer as block, u.w, u.va,
           (u.dv / 10.0 / m.voltage_v * f.voltage_kv) as line_kv
    from {{ ref('load_curve') }} c
    join {{ source('registry', 'feeder') }} f on f.discom_id = c.discom_id and f.feeder_id = c.head_id
    left join (
        select i.discom_id, i.feeder_id, max(m.voltage_v) as voltage_v
        from {{ source('registry', 'installation') }} i
        join {{ source('registry', 'meter') }} m on m.discom_id = i.discom_id and m.meter_id = i.meter_id
        where i.service_point_id is null and i.feeder_id is not null
        group by i.discom_id, i.feeder_id
    ) m on m.discom_id = c.discom_id and m.feeder_id = c.head_id
    cross join lateral unnest(c.power_w, c.apparent_va, c.voltage_dv) with ordinality as u(w, va, dv, block)
    where c.kind = 'feeder'
    union all
    select c.discom_id, c.day, c.kind, n.code, c.category, c.head_id, c.interval_min, c.meters, c.present_slots, c.due_slots, u.block::integer, u.w, u.va, null
    from {{ ref('load_curve') }} c
    join {{ source('registry', 'office') }} n on n.discom_id = c.discom_id and n.office_id = c.head_id
    cross join lateral unnest(c.power_w, c.apparent_va) with ordinality as u(w, va, block)
    where c.kind = 'category'
) g
join {{ source('registry', 'discom') }} z on z.discom_id = g.discom_id
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = g.discom_id and o.office_id = g.office_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = g.discom_id
