{{ config(key=['discom_id', 'day', 'meter_id']) }}
{#
  Single-phase consumers through whose neutral more current flows than through the phase: what does not return through the meter's other coil passed it by. Both vars
  (neutral_excess_pct, neutral_excess_a) must be exceeded by the day's mean. From the fragments themselves, for what came twice counts twice on both sides.
#}
select {{ var('discom_id') | int }}::smallint as discom_id, n.day, n.meter_id, i.service_point_id,
       n.phase_ma / n.slots / 1000 as phase_a, n.neutral_ma / n.slots / 1000 as neutral_a,
       100 * (n.neutral_ma - n.phase_ma) / nullif(n.phase_ma, 0) as excess_pct
from (
    select f.day, f.meter_id, sum(f.phase_ma)::double precision as phase_ma, sum(f.neutral_ma)::double precision as neutral_ma, sum(f.slots)::double precision as slots
    from (
        select p.day, p.meter_id, ops.total(p.current_ma) as phase_ma, ops.total(p.current_n_ma) as neutral_ma, cardinality(p.current_n_ma) as slots
        from {{ source('raw', 'profile_fragment') }} p
        where {{ in_partition('p') }} and p.current_n_ma is not null and p.current_ma is not null and p.current_y_ma is null
    ) f
    group by f.day, f.meter_id
    having sum(f.neutral_ma) > sum(f.phase_ma) * (100 + {{ var('neutral_excess_pct') }}) / 100.0
       and sum(f.neutral_ma) - sum(f.phase_ma) > sum(f.slots) * {{ var('neutral_excess_a') }} * 1000
) n
join {{ source('registry', 'installation') }} i on i.discom_id = {{ var('discom_id') | int }} and i.meter_id = n.meter_id and {{ valid_in_partition('i', 'n.day') }}
join {{ source('registry', 'service_point') }} s on s.discom_id = i.discom_id and s.service_point_id = i.service_point_id and s.supply_phases = 1
