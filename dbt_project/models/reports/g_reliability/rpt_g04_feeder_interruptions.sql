select i.discom_id, {{ office_columns() }}, i.day, s.code as substation, f.code as feeder, f.supply, i.head, coalesce(t.code, f.code) as place,
       i.started_at, i.ended_at, i.minutes::double precision as duration_min,
       case when i.minutes is not null then i.minutes <= {{ var('momentary_min') | int }} end as momentary,
       i.cause, i.source, i.consumers,
       {{ pct('y.consumers_complete', 'y.consumers') }} as coverage_pct,
       a.data_as_of, now() as generated_at
from {{ ref('interruption') }} i
join {{ source('registry', 'feeder') }} f on f.discom_id = i.discom_id and f.feeder_id = i.feeder_id
join {{ source('registry', 'substation') }} s on s.discom_id = f.discom_id and s.substation_id = f.substation_id
left join {{ source('registry', 'dt') }} t on t.discom_id = i.discom_id and t.dt_id = i.dt_id
left join {{ ref('feeder_day') }} y on y.discom_id = i.discom_id and y.day = i.day and y.feeder_id = i.feeder_id
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = f.discom_id and o.office_id = f.office_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = i.discom_id
