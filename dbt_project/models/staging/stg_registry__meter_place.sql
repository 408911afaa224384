-- Where a meter hangs, and when: the installation with what the rules need to know of its place.
select i.discom_id, i.meter_id, i.valid_from, i.valid_to, i.mf, i.service_point_id, i.dt_id, i.feeder_id,
       case when i.service_point_id is not null then 'consumer' when i.dt_id is not null then 'dt' else 'feeder' end as place,
       m.serial, m.interval_min, m.register_lsb_wh, (10::double precision ^ (m.register_digits + 3))::bigint as register_modulus_wh, d.timezone,
       m.category as meter_category, m.voltage_v, sp.supply_phases as phases, sp.tariff,
       coalesce(sp.office_id, dt.office_id, f.office_id) as office_id,
       coalesce(sp.category, case when i.dt_id is not null then 'dt' else 'feeder' end) as category,
       sp.sanctioned_load_w,
       -- The most energy that can flow in an interval (V16): 1.1 x max(2 x sanctioned load or DT capacity, I_max x V x phases), meter's own count.
       -- NULL where neither is known.
       -- In floating point, for a million of them; what is meant as a half rounds up.
       floor(1.1::double precision * m.interval_min / 60 * greatest(
           2.0 * coalesce(sp.sanctioned_load_w, dt.capacity_kva::double precision * 1000) / i.mf::double precision,
           m.i_max_a::double precision * m.voltage_v * coalesce(sp.supply_phases, 3)
       ) + 0.500001)::bigint as limit_wh
from {{ source('registry', 'installation') }} i
join {{ source('registry', 'meter') }} m using (discom_id, meter_id)
join {{ source('registry', 'discom') }} d using (discom_id)
left join {{ source('registry', 'service_point') }} sp using (discom_id, service_point_id)
left join {{ source('registry', 'dt') }} dt on dt.discom_id = i.discom_id and dt.dt_id = i.dt_id
left join {{ source('registry', 'feeder') }} f on f.discom_id = i.discom_id and f.feeder_id = i.feeder_id
