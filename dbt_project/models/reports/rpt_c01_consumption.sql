with consumer_day as (
    select f.discom_id, f.day, c.consumer_id, c.code as consumer, f.category, f.office_id, p.serial, p.mf,
           x.register_open_wh * p.mf / 1000 as opening_kwh,
           x.register_close_wh * p.mf / 1000 as closing_kwh,
           f.import_day_wh * p.mf / 1000 as import_kwh,
           f.export_day_wh * p.mf / 1000 as export_kwh,
           f.import_day_vah * p.mf / 1000 as import_kvah,
           (select max(w) from unnest(f.import_wh) w) * p.mf * 60 / f.interval_min / 1000 as md_kw,
           f.slots, f.missing_slots, f.estimated_wh * p.mf / 1000 as estimated_kwh, f.weakest_quality
    from {{ ref('final_day') }} f
    join {{ ref('measure') }} x using (discom_id, day, meter_id)
    join {{ ref('stg_registry__meter_place') }} p on p.discom_id = f.discom_id and p.meter_id = f.meter_id and {{ valid_on('p', 'f.day') }}
    join {{ source('registry', 'consumer') }} c
      on c.discom_id = f.discom_id and c.service_point_id = p.service_point_id and {{ valid_on('c', 'f.day') }}
    where f.place = 'consumer'
),

period as (
    select d.discom_id, v.period, v.period_start, d.consumer_id, d.consumer, d.category, d.office_id, d.serial,
           (array_agg(d.opening_kwh order by d.day) filter (where d.opening_kwh is not null))[1] as opening_kwh,
           (array_agg(d.closing_kwh order by d.day desc) filter (where d.closing_kwh is not null))[1] as closing_kwh,
           sum(d.import_kwh) as import_kwh, sum(d.export_kwh) as export_kwh, sum(d.import_kvah) as import_kvah,
           max(d.md_kw) as md_kw, sum(d.estimated_kwh) as estimated_kwh, max(d.weakest_quality) as weakest_quality,
           sum(d.slots) as due, sum(d.slots - d.missing_slots) as present
    from consumer_day d
    cross join lateral {{ day_and_month('d.day') }} as v(period, period_start)
    group by d.discom_id, v.period, v.period_start, d.consumer_id, d.consumer, d.category, d.office_id, d.serial
)

select r.discom_id, {{ office_columns() }}, r.period, r.period_start, r.consumer_id, r.consumer, r.category, r.serial,
       r.opening_kwh::numeric(18, 3), r.closing_kwh::numeric(18, 3), r.import_kwh::numeric(18, 3), r.export_kwh::numeric(18, 3), r.import_kvah::numeric(18, 3),
       -- No meter of the first vendors sends kvarh: it is what kWh leave of kVAh.
       case when r.import_kvah > 0 then sqrt(greatest(r.import_kvah ^ 2 - r.import_kwh ^ 2, 0)) end::double precision as derived_kvarh,
       (r.import_kwh / nullif(r.import_kvah, 0))::double precision as power_factor,
       r.md_kw::numeric(18, 3), r.estimated_kwh::numeric(18, 3), q.letter as weakest_quality,
       {{ pct('r.present', 'r.due') }} as coverage_pct,
       a.data_as_of, now() as generated_at
from period r
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = r.discom_id and o.office_id = r.office_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = r.discom_id
left join {{ ref('code_quality') }} q on q.quality = r.weakest_quality
