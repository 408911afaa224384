{#
  Further channels of meter-days of a place (dt, feeder, consumer) that did not come as one whole fragment, put together slot by slot: the latest received value of a slot
  stands, ties are broken by the content. vee.assembled_day keeps only the channels that rules judge.
#}
{% macro scattered_channels(place, channels) -%}
select w.day, w.meter_id,
       {%- for c in channels %}
       case when count(w.{{ c }}) > 0 then array_agg(w.{{ c }} order by w.slot) end as {{ c }}{{ ',' if not loop.last }}
       {%- endfor %}
from (
    select x.day, x.meter_id, g.slot,
           {%- for c in channels %}
           (array_agg(p.{{ c }}[g.slot - p.start_slot] order by p.received_at desc, p.seq desc, p.{{ c }}[g.slot - p.start_slot] desc)
               filter (where p.{{ c }}[g.slot - p.start_slot] is not null))[1] as {{ c }}{{ ',' if not loop.last }}
           {%- endfor %}
    from {{ ref('measure') }} x
    join {{ source('raw', 'profile_fragment') }} p on p.discom_id = x.discom_id and p.day = x.day and p.meter_id = x.meter_id and {{ in_partition('p') }}
    cross join lateral generate_series(1, x.slots) as g(slot)
    where {{ in_partition('x') }} and x.place = '{{ place }}' and x.batch_id is null and x.fragments > 0
    group by x.day, x.meter_id, g.slot
) w
group by w.day, w.meter_id
{%- endmacro %}

{# When a slot of a business day begins (1 = the first), in the time zone of the DISCOM `z`. #}
{% macro slot_starts_at(day, slot, minutes) -%}
({{ day }}::timestamp at time zone z.timezone) + make_interval(mins => (({{ slot }} - 1) * {{ minutes }})::integer)
{%- endmacro %}

{# The places of a DT's row `d`: its office, feeder and time zone. #}
{% macro dt_places() -%}
join {{ source('registry', 'dt') }} t on t.discom_id = d.discom_id and t.dt_id = d.dt_id
join {{ source('registry', 'feeder') }} f on f.discom_id = t.discom_id and f.feeder_id = t.feeder_id
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = t.discom_id and o.office_id = t.office_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = d.discom_id
{%- endmacro %}

{#
  Technical loss of every DT in the month `p` (domain 4.3), kWh, by the best method that its data allows:
    phases       P0, Pk and line resistance; block kVA, and the currents of the phases and the neutral
    blocks       P0, Pk and line resistance; block kVA
    llf          P0, Pk and line resistance; too few blocks: loss at the peak x LLF, LLF = a LF + (1 - a) LF²
    regression   loss = alpha + beta kVA²h + gamma kWh over so many days (var regression_days): alpha and beta are technical
    transformer  P0 and Pk alone: the line's loss is not in it
    none
  The parts: no_load, load (of the transformer), line (of the phases' mean current), unbalance (what phases and neutral add to that; counted as var line_loss_unbalance says). Blocks that are missing count as the mean of
  those that came. Where the DT's meter stands on the LT side, the transformer is not within its balance (var dt_meter_side).
#}
{% macro dt_technical_loss() -%}
{%- set unbalance = "s.unbalance" if var('line_loss_unbalance') else "0" -%}
select e.*,
       case when e.method = 'none' then null else e.no_load + e.load + e.line + e.unbalance_counted end as technical,
       -- Of the days that have a balance, and within it.
       (case when e.method = 'none' then null when e.method = 'regression' then e.no_load + e.load
             else {{ "e.no_load + e.load + " if var('dt_meter_side') == 'hv' else "" }}e.line + e.unbalance_counted end) * e.days_balanced / e.days as technical_balanced
from (
    select s.dt_id, s.days, s.days_balanced, s.input_kwh, s.loss_kwh, s.present_slots, s.slots, s.method,
           case s.method when 'regression' then s.alpha * s.days when 'none' then null else s.no_load end as no_load,
           case s.method when 'regression' then s.beta * s.kva2_h when 'none' then null when 'llf' then s.load_peak * s.llf else s.load end as load,
           case when s.method in ('phases', 'blocks') then s.line when s.method = 'llf' then s.line_peak * s.llf when s.method = 'none' then null else 0 end as line,
           case when s.method = 'phases' then s.unbalance when s.method = 'none' then null else 0 end as unbalance,
           case when s.method = 'phases' then {{ unbalance }} else 0 end as unbalance_counted,
           case when s.method in ('phases', 'blocks') and s.filled >= 0.9 then 'high'
                when s.method in ('phases', 'blocks', 'llf') or s.method = 'regression' and s.r2 >= 0.6 then 'medium'
                when s.method <> 'none' then 'low' end as confidence
    from (
        select l.*,
               case when l.rated and l.ohm is not null and l.filled >= {{ var('blocks_min_pct') }} / 100.0 and l.kva2_h is not null
                    then case when l.phase_a2_h is not null and l.current_filled >= {{ var('blocks_min_pct') }} / 100.0 then 'phases' else 'blocks' end
                    when l.rated and l.ohm is not null and l.kva_max > 0 and l.kva_avg is not null then 'llf'
                    when l.days_balanced >= {{ var('regression_days') }} and l.alpha >= 0 and l.beta >= 0 then 'regression'
                    when l.rated and l.kva2_h is not null then 'transformer'
                    else 'none' end as method,
               l.p0 * l.iron_h / 1000 as no_load,
               l.pk * l.kva2_h / l.capacity ^ 2 / 1000 as load,
               coalesce(3 * l.ohm * l.mean_a2_h, l.ohm * l.kva2_h * 1000000 / (3 * {{ var('lt_nominal_v') }} ^ 2)) / 1000 as line,
               l.ohm * (l.phase_a2_h + l.neutral_a2_h - 3 * l.mean_a2_h) / 1000 as unbalance,
               l.pk * (l.kva_max / l.capacity) ^ 2 * l.hours / 1000 as load_peak,
               l.ohm * l.kva_max ^ 2 * 1000000 / (3 * {{ var('lt_nominal_v') }} ^ 2) * l.hours / 1000 as line_peak,
               {{ var('llf_a') }} * l.kva_avg / nullif(l.kva_max, 0) + (1 - {{ var('llf_a') }}) * (l.kva_avg / nullif(l.kva_max, 0)) ^ 2 as llf
        from (
            select q.*, n.capacity_kva::double precision as capacity, n.no_load_loss_w as p0, n.load_loss_w as pk, n.lt_line_ohm::double precision as ohm,
                   n.no_load_loss_w is not null and n.load_loss_w is not null as rated,
                   (q.y_mean - b.beta * q.x_mean - b.gamma * q.e_mean) as alpha, b.beta, b.gamma,
                   (b.beta * q.c_xy + b.gamma * q.c_ey) / nullif(q.v_y, 0) as r2
            from (
                select g.dt_id, g.days, g.days_balanced, g.input_kwh, g.loss_kwh, g.slots, g.present_slots, g.hours, g.kva_max, g.kva_avg,
                       g.present_slots::double precision / nullif(g.slots, 0) as filled, g.current_slots::double precision / nullif(g.slots, 0) as current_filled,
                       -- Blocks that did not come are as those that did.
                       g.iron_h * g.slots / nullif(g.present_slots, 0) as iron_h, g.kva2_h * g.slots / nullif(g.present_slots, 0) as kva2_h,
                       g.phase_a2_h * g.slots / nullif(g.current_slots, 0) as phase_a2_h, coalesce(g.neutral_a2_h, 0) * g.slots / nullif(g.current_slots, 0) as neutral_a2_h,
                       g.mean_a2_h * g.slots / nullif(g.current_slots, 0) as mean_a2_h,
                       g.y_mean, g.x_mean, g.e_mean, g.c_xy, g.c_ey, g.c_xe, g.v_x, g.v_e, g.v_y
                from (
                    select l.dt_id, count(*)::integer as days, count(y.loss)::integer as days_balanced,
                           sum(b.input_wh) filter (where b.loss_wh is not null) / 1000.0::double precision as input_kwh, sum(b.loss_wh) / 1000.0::double precision as loss_kwh,
                           sum(l.slots) as slots, sum(l.present_slots) as present_slots, sum(l.current_slots) as current_slots,
                           sum(l.slots * l.slot_min) / 60.0::double precision as hours,
                           sum(l.iron_h) as iron_h, sum(l.kva2_h) as kva2_h, sum(l.phase_a2_h) as phase_a2_h, sum(l.neutral_a2_h) as neutral_a2_h, sum(l.mean_a2_h) as mean_a2_h,
                           max(l.kva_max) as kva_max, sum(l.kva_avg * l.present_slots) / nullif(sum(l.present_slots), 0) as kva_avg,
                           avg(y.loss) as y_mean, avg(l.kva2_h) filter (where y.loss is not null) as x_mean, avg(y.energy) as e_mean,
                           covar_pop(y.loss, l.kva2_h) as c_xy, covar_pop(y.loss, y.energy) as c_ey, covar_pop(l.kva2_h, y.energy) as c_xe,
                           var_pop(l.kva2_h) filter (where y.loss is not null) as v_x, var_pop(y.energy) as v_e, var_pop(y.loss) as v_y
                    from {{ ref('dt_load_day') }} l
                    left join {{ ref('dt_day') }} b on b.discom_id = l.discom_id and b.day = l.day and b.dt_id = l.dt_id and {{ in_period('b') }}
                    -- A day without blocks says nothing to the regression.
                    cross join lateral (
                        select case when l.kva2_h is not null then b.loss_wh / 1000.0::double precision end as loss,
                               case when l.kva2_h is not null and b.loss_wh is not null then b.input_wh / 1000.0::double precision end as energy
                    ) y
                    where {{ in_period('l') }}
                    group by l.dt_id
                ) g
            ) q
            join {{ source('registry', 'dt') }} n on n.discom_id = p.discom_id and n.dt_id = q.dt_id
            -- Two regressors; where energy and load say the same, or more energy would mean less loss, load alone.
            cross join lateral (
                select case when r.two then (q.c_xy * q.v_e - q.c_ey * q.c_xe) / r.det else q.c_xy / nullif(q.v_x, 0) end as beta,
                       case when r.two then (q.c_ey * q.v_x - q.c_xy * q.c_xe) / r.det else 0 end as gamma
                from (
                    select d.det, coalesce(d.det > 1e-6 * q.v_x * q.v_e and q.c_ey * q.v_x - q.c_xy * q.c_xe >= 0 and q.c_xy * q.v_e - q.c_ey * q.c_xe >= 0, false) as two
                    from (select q.v_x * q.v_e - q.c_xe ^ 2 as det) d
                ) r
            ) b
        ) l
    ) s
) e
{%- endmacro %}

{# The highest value of the days of `c` with its day and slot, the first of equals, as an array: value, minus the day from 2000, minus the slot, and `more`. #}
{% macro peak_of_days(c, value, slot, more=none) -%}
max(array[{{ value }}, -({{ c }}.day - date '2000-01-01'), -{{ slot }}{{ ', ' ~ more if more }}]::double precision[]) filter (where {{ value }} is not null)
{%- endmacro %}

{# A ratio of sums of days, to six places: beyond these it hangs on the order in which the days were added. #}
{% macro steady(ratio) -%}
round(({{ ratio }})::numeric, 6)::double precision
{%- endmacro %}

{#
  The consumers' final days of the partition, as vee.final_day and vee.day_total have them, in one chain of joins, with these `channels`. The few days with edits apart, by
  themselves: what vee.edited_day is made of would keep all others to one core.
#}
{% macro final_consumers(edits, channels) -%}
select x.day, x.meter_id, x.office_id, x.category, x.interval_min, x.slots,
       {%- for c in channels %}
       coalesce({{ 'd.' ~ c ~ ', ' if edits }}e.{{ c }}, p.{{ c }}, a.{{ c }}) as {{ c }},
       {%- endfor %}
       case {{ "when d.meter_id is not null then x.slots - cardinality(array_remove(d.import_wh, null))" if edits }}
            when e.meter_id is not null then e.missing_slots else x.missing_slots end as missing_slots,
       case {{ "when d.meter_id is not null then (sort_desc(array_remove(d.import_wh, null)))[1]" if edits }}
            when e.meter_id is not null then (sort_desc(array_remove(e.import_wh, null)))[1] else x.max_wh end as max_wh
from {{ ref('measure') }} x
{%- if channels %}
left join {{ source('raw', 'profile_fragment') }} p
  on p.discom_id = x.discom_id and p.day = x.day and p.meter_id = x.meter_id and p.batch_id = x.batch_id and p.seq = x.seq and {{ in_partition('p') }}
left join {{ ref('assembled_day') }} a on a.discom_id = x.discom_id and a.day = x.day and a.meter_id = x.meter_id and x.batch_id is null and {{ in_partition('a') }}
{%- endif %}
left join {{ source('vee', 'estimated_day') }} e on e.discom_id = x.discom_id and e.day = x.day and e.meter_id = x.meter_id and {{ in_partition('e') }}
{%- if edits %}
left join {{ ref('edited_day') }} d on d.discom_id = x.discom_id and d.day = x.day and d.meter_id = x.meter_id and {{ in_partition('d') }}
{%- endif %}
where {{ in_partition('x') }} and x.place = 'consumer'
  and {{ 'not ' if not edits }}((x.day, x.meter_id) in (select v.day, v.meter_id from {{ source('vee', 'edit') }} v where {{ in_partition('v') }} and v.approved_at is not null))
{%- endmacro %}
