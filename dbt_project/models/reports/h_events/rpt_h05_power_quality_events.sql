{#
  Meter-days of which something is known: events of the meter's own, voltages outside the limits, a DT's unbalance, a low power factor of a three-phase supply or a network meter.
  vee.measure keeps a consumer's extreme voltages only where they leave var voltage_band_dv.
#}
{%- set families = ['over_voltage', 'low_voltage', 'voltage_unbalance', 'current_unbalance', 'low_power_factor'] -%}
select m.discom_id, {{ office_columns() }}, m.day, r.serial, m.place, m.category, m.dt,
       {%- for f in families %}
       coalesce(e.{{ f }}, 0) as {{ f }}_events,
       {%- endfor %}
       coalesce(e.voltage_missing, 0) as voltage_missing_events,
       coalesce(l.v_min_v, m.voltage_min_v)::numeric(8, 1) as min_v, coalesce(l.v_max_v, m.voltage_max_v)::numeric(8, 1) as max_v,
       l.unbalance_max_pct, l.hours_unbalanced as unbalanced_h,
       m.power_factor,
       {{ pct('m.present_slots', 'm.slots') }} as coverage_pct,
       a.data_as_of, now() as generated_at
from {{ ref('measure') }} m
join {{ source('registry', 'meter') }} r on r.discom_id = m.discom_id and r.meter_id = m.meter_id
left join (
    select v.discom_id, v.day, v.meter_id,
           {%- for f in families %}
           (sum(v.occurrences) filter (where v.family = '{{ f }}'))::integer as {{ f }},
           {%- endfor %}
           (sum(v.occurrences) filter (where v.family like 'voltage_missing%'))::integer as voltage_missing
    from {{ ref('event_day') }} v
    where v.family in ('{{ families | join("', '") }}') or v.family like 'voltage_missing%'
    group by v.discom_id, v.day, v.meter_id
) e on e.discom_id = m.discom_id and e.day = m.day and e.meter_id = m.meter_id
left join {{ source('registry', 'dt') }} t on m.place = 'dt' and t.discom_id = m.discom_id and t.code = m.dt
left join {{ ref('dt_load_day') }} l on l.discom_id = m.discom_id and l.day = m.day and l.dt_id = t.dt_id
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = m.discom_id and o.office_id = m.office_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = m.discom_id
where e.meter_id is not null or l.hours_unbalanced > 0 or l.hours_v_out > 0
   or m.voltage_min_v < {{ var('lt_nominal_v') }} * (1 - {{ var('lt_voltage_limit_pct') }} / 100.0) or m.voltage_max_v > {{ var('lt_nominal_v') }} * (1 + {{ var('lt_voltage_limit_pct') }} / 100.0)
   or m.power_factor < {{ var('pf_limit') }} and coalesce(m.phases, 3) = 3
