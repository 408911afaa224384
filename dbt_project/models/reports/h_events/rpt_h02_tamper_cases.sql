{#
  Occurrences of the events that speak of tampering (vars tamper_families, missing_potential_families), with what the meter noted beside the event where it sends that. Values are the meter's own count: no multiplying factor.
#}
select e.discom_id, {{ office_columns() }}, e.day, e.meter_id, r.serial, c.code as consumer, e.event, e.code, e.severity, e.occurred_at, e.ended_at as restored_at, e.state,
       (e.duration_s / 60.0)::double precision as duration_min,
       {%- for phase in ['r', 'y', 'b'] %}
       ((x.detail ->> 'voltage_{{ phase }}_mv')::numeric / 1000)::double precision as phase_{{ phase }}_v,
       {%- endfor %}
       {%- for phase in ['r', 'y', 'b', 'n'] %}
       ((x.detail ->> 'current_{{ phase }}_ma')::numeric / 1000)::double precision as current_{{ phase }}_a,
       {%- endfor %}
       ((x.detail ->> 'power_factor_milli')::numeric / 1000)::double precision as power_factor,
       {{ kwh("(x.detail ->> 'import_wh')::numeric") }} as register_kwh,
       (case when x.detail is null then 0 else 100 end)::double precision as coverage_pct,
       a.data_as_of, now() as generated_at
from (
    {{ episodes(var('tamper_families') + var('missing_potential_families')) }}
) e
join {{ source('registry', 'meter') }} r on r.discom_id = e.discom_id and r.meter_id = e.meter_id
left join lateral (
    -- Few events, each looked up. Of several receipts one that has a snapshot.
    select w.detail from {{ source('raw', 'event') }} w
    where w.discom_id = e.discom_id and w.day = e.day and w.meter_id = e.meter_id and w.code = e.code and w.occurred_at = e.occurred_at and w.detail is not null
    order by w.received_at, w.detail limit 1
) x on true
{{ join_place('e', 'e.day') }}
left join {{ source('registry', 'consumer') }} c on c.discom_id = e.discom_id and c.service_point_id = i.service_point_id and {{ valid_on('c', 'e.day') }}
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = e.discom_id and o.office_id = {{ office_of() }}
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = e.discom_id
