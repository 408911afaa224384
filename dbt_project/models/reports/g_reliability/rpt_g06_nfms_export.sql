{# Values of the feeder's own meter, block by block as the meter counts them; energies with its multiplying factor, voltage and current behind its transformers. #}
select b.discom_id, {{ office_columns() }}, b.day, s.code as substation, f.code as feeder, b.serial, b.block, b.starts_at,
       {{ kwh('b.import_wh') }} as import_kwh, {{ kwh('b.export_wh') }} as export_kwh, {{ kwh('b.import_vah') }} as import_kvah,
       b.voltage_v, b.current_a, q.letter as quality,
       case when i.span @> b.block_span then 'off'
            when i.span && b.block_span then 'partly off'
            when b.import_wh is null then 'no data'
            else 'on' end as status,
       b.coverage_pct as data_availability_pct, b.coverage_pct,
       a.data_as_of, now() as generated_at
from (
    select d.discom_id, d.day, d.feeder_id, d.serial, d.slot::integer as block, x.starts_at,
           tstzrange(x.starts_at, x.starts_at + make_interval(mins => d.interval_min)) as block_span,
           d.import_wh[d.slot] * d.mf as import_wh, d.export_wh[d.slot] * d.mf as export_wh, d.import_vah[d.slot] * d.mf as import_vah,
           (d.voltage_dv[d.slot] / 10.0)::numeric(10, 1) as voltage_v, (d.current_ma[d.slot] / 1000.0)::numeric(12, 3) as current_a,
           coalesce(d.quality[d.slot], d.day_quality) as quality,
           {{ pct('(d.slots - d.missing_slots - d.estimated_slots)', 'd.slots') }} as coverage_pct
    from (
        select v.discom_id, v.day, n.feeder_id, m.serial, n.mf, v.slots, v.missing_slots, v.estimated_slots, v.interval_min, c.timezone, v.quality, v.day_quality,
               v.import_wh, v.export_wh, v.import_vah, v.voltage_dv, v.current_ma, generate_series(1, v.slots) as slot
        from {{ ref('final_day') }} v
        join {{ source('registry', 'discom') }} c on c.discom_id = v.discom_id
        join {{ source('registry', 'installation') }} n on n.discom_id = v.discom_id and n.meter_id = v.meter_id and {{ valid_on('n', 'v.day') }}
        join {{ source('registry', 'meter') }} m on m.discom_id = v.discom_id and m.meter_id = v.meter_id
        where v.place = 'feeder' and n.feeder_id is not null
    ) d
    cross join lateral (
        select (d.day::timestamp at time zone d.timezone) + make_interval(mins => (d.slot - 1) * d.interval_min) as starts_at
    ) x
) b
join {{ source('registry', 'feeder') }} f on f.discom_id = b.discom_id and f.feeder_id = b.feeder_id
join {{ source('registry', 'substation') }} s on s.discom_id = f.discom_id and s.substation_id = f.substation_id
left join ({{ feeder_outage_days() }}) i on i.discom_id = b.discom_id and i.day = b.day and i.feeder_id = b.feeder_id
left join {{ ref('code_quality') }} q on q.quality = b.quality
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = f.discom_id and o.office_id = f.office_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = b.discom_id
