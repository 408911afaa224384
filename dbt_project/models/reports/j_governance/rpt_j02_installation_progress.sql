{# The meters that were put up on a day, and what has become of them by now. #}
select r.discom_id, {{ office_columns() }}, r.office_id, r.day, null::integer as issued, r.installed, r.change_outs, r.commissioned, r.told - r.commissioned as pending, r.installed - r.told as not_known,
       case when r.told > r.commissioned then r.age_d end as pending_age_d,
       {{ pct('r.commissioned', 'r.told') }} as commissioned_pct,
       r.commissioning_d::double precision as mean_commissioning_d,
       {{ pct('r.told', 'r.installed') }} as coverage_pct,
       a.data_as_of, now() as generated_at
from (
    select p.discom_id, p.office_id, p.valid_from as day, (now() at time zone p.timezone)::date - p.valid_from as age_d,
           count(*)::integer as installed,
           (count(*) filter (where b.meter_id is not null))::integer as change_outs,
           (count(*) filter (where m.commissioned_on is not null or m.state in ('COMMISSIONED', 'ACTIVE', 'DISCONNECTED', 'NON_COMM', 'FAULTY', 'UNDER_TEST', 'TAMPERED')))::integer
               as commissioned,
           avg(m.commissioned_on - p.valid_from) filter (where m.commissioned_on >= p.valid_from) as commissioning_d,
           (count(*) filter (where m.commissioned_on is not null or m.state is not null))::integer as told
    from {{ ref('stg_registry__meter_place') }} p
    join {{ source('registry', 'meter') }} m on m.discom_id = p.discom_id and m.meter_id = p.meter_id
    left join {{ source('registry', 'installation') }} b
      on b.discom_id = p.discom_id and b.service_point_id = p.service_point_id and b.valid_to = p.valid_from and b.meter_id <> p.meter_id
    group by p.discom_id, p.office_id, p.valid_from, p.timezone
) r
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = r.discom_id and o.office_id = r.office_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = r.discom_id
