{#
  Days and months are two branches, so that who asks for a day reads that day and no other; a subquery, where a CTE would be written out with both.
  No meter of the first vendors sends kvarh: it is what kWh leave of kVAh.
#}
select r.discom_id, {{ office_columns() }}, r.period, r.period_start, r.consumer_id, r.consumer, r.category, r.serial,
       {{ kwh('r.opening_wh') }} as opening_kwh, {{ kwh('r.closing_wh') }} as closing_kwh,
       {{ kwh('r.import_wh') }} as import_kwh, {{ kwh('r.export_wh') }} as export_kwh, {{ kwh('r.import_vah') }} as import_kvah,
       case when r.import_vah > 0
            then sqrt(greatest(r.import_vah::double precision ^ 2 - r.import_wh::double precision ^ 2, 0)) / 1000 end as derived_kvarh,
       (r.import_wh / nullif(r.import_vah, 0))::double precision as power_factor,
       {{ kwh('r.md_w') }} as md_kw, {{ kwh('r.estimated_wh') }} as estimated_kwh, q.letter as weakest_quality,
       {{ pct('r.present', 'r.due') }} as coverage_pct,
       a.data_as_of, now() as generated_at
from (
    select f.discom_id, 'day' as period, f.day as period_start, c.consumer_id, c.code as consumer, f.category, f.office_id, m.serial,
           f.register_open_wh * i.mf as opening_wh, f.register_close_wh * i.mf as closing_wh,
           f.import_day_wh * i.mf as import_wh, f.export_day_wh * i.mf as export_wh, f.import_day_vah * i.mf as import_vah,
           f.max_wh * i.mf * 60 / f.interval_min as md_w, f.estimated_wh * i.mf as estimated_wh, f.weakest_quality,
           f.slots as due, f.slots - f.missing_slots as present
    from {{ ref('day_total') }} f
    join {{ source('registry', 'installation') }} i on i.discom_id = f.discom_id and i.meter_id = f.meter_id and {{ valid_on('i', 'f.day') }}
    join {{ source('registry', 'meter') }} m on m.discom_id = f.discom_id and m.meter_id = f.meter_id
    join {{ source('registry', 'consumer') }} c
      on c.discom_id = f.discom_id and c.service_point_id = i.service_point_id and {{ valid_on('c', 'f.day') }}
    union all
    select f.discom_id, 'month', f.month, c.consumer_id, c.code, p.category, p.office_id, m.serial,
           -- A meter whose factor changed within the month has two rows: the register of the first and of the last.
           (min(array[f.opening_day - date '2000-01-01', f.opening_wh * i.mf]) filter (where f.opening_wh is not null))[2],
           (max(array[f.closing_day - date '2000-01-01', f.closing_wh * i.mf]) filter (where f.closing_wh is not null))[2],
           sum(f.import_wh * i.mf), sum(f.export_wh * i.mf), sum(f.import_vah * i.mf),
           max(f.max_w * i.mf), sum(f.estimated_wh * i.mf), max(f.weakest_quality),
           sum(f.due_slots), sum(f.due_slots - f.missing_slots)
    from {{ ref('meter_month') }} f
    join {{ source('registry', 'installation') }} i on {{ installation_of('f') }}
    join {{ source('registry', 'meter') }} m on m.discom_id = f.discom_id and m.meter_id = f.meter_id
    join {{ source('registry', 'consumer') }} c on c.discom_id = f.discom_id and c.consumer_id = f.consumer_id
    join {{ source('registry', 'service_point') }} p on p.discom_id = f.discom_id and p.service_point_id = i.service_point_id
    group by f.discom_id, f.month, c.consumer_id, c.code, p.category, p.office_id, m.serial
) r
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = r.discom_id and o.office_id = r.office_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = r.discom_id
left join {{ ref('code_quality') }} q on q.quality = r.weakest_quality
