{#
  Three dangers, each as a share of what counts as the worst (vars risk_*_full), weighted (vars risk_*_weight); of a DT of which one is not known the others alone count.
  Shares of time, not hours, so that a month of which some days came compares with a whole one.
#}
{%- set dangers = [('overload', 'd.over_100_pct'), ('unbalance', 'd.unbalanced_pct'), ('age', 'd.age_years')] -%}
select d.discom_id, {{ office_columns() }}, 'month' as period, d.period_start, f.code as feeder, t.code as dt, t.capacity_kva,
       d.loading_max_pct, d.over_100_h, d.over_120_h, d.over_100_pct, d.unbalanced_h, d.unbalanced_pct, d.unbalance_max_pct, d.age_years::numeric(6, 1) as age_years,
       s.score::numeric(5, 1) as score,
       case when s.score >= {{ var('risk_high') }} then 'high' when s.score >= {{ var('risk_medium') }} then 'medium' when s.score is not null then 'low' end as risk,
       {{ pct('d.present_slots', 'd.slots') }} as coverage_pct,
       a.data_as_of, now() as generated_at
from (
    select m.*, {{ pct('m.over_100_h', 'm.present_h') }} as over_100_pct, {{ pct('m.unbalanced_h', 'm.current_h') }} as unbalanced_pct,
           (m.period_end - n.commissioned_on) / 365.25::double precision as age_years
    from (
        select p.discom_id, p.period_start, p.period_end, l.*
        from {{ built_periods(['month']) }} p
        cross join lateral (
            select l.dt_id, max(l.loading_max_pct) as loading_max_pct, sum(l.hours_over_100) as over_100_h, sum(l.hours_over_120) as over_120_h,
                   sum(l.hours_unbalanced) as unbalanced_h, max(l.unbalance_max_pct) as unbalance_max_pct,
                   sum(l.present_slots * l.slot_min) / 60.0::double precision as present_h, sum(l.current_slots * l.slot_min) / 60.0::double precision as current_h,
                   sum(l.present_slots) as present_slots, sum(l.slots) as slots
            from {{ ref('dt_load_day') }} l
            where {{ in_period('l') }}
            group by l.dt_id
        ) l
    ) m
    join {{ source('registry', 'dt') }} n on n.discom_id = m.discom_id and n.dt_id = m.dt_id
) d
cross join lateral (
    select 100 * ({% for name, value in dangers %}case when {{ value }} is null then 0 else {{ var('risk_' ~ name ~ '_weight') }} * least({{ value }} / {{ var('risk_' ~ name ~ '_full') }}, 1) end{{ ' + ' if not loop.last }}{% endfor %})
           / nullif({% for name, value in dangers %}case when {{ value }} is null then 0 else {{ var('risk_' ~ name ~ '_weight') }} end{{ ' + ' if not loop.last }}{% endfor %}, 0) as score
) s
{{ dt_places() }}
