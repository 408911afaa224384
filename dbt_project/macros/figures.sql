{# Figures of one channel of one meter-day, shared by vee.measure and vee.estimated_measure; `vals` are the values in rising order (ops.sorted). #}
{% macro import_figures(vals) -%}
       cardinality({{ vals }}) as present_slots,
       case when ({{ vals }})[1] < 0 then width_bucket(-1, {{ vals }}) else 0 end as negative_slots,
       case when ({{ vals }})[1] <= 0 then width_bucket(0, {{ vals }}) - width_bucket(-1, {{ vals }}) else 0 end as zero_slots,
       ({{ vals }})[1] as min_wh,
       ({{ vals }})[cardinality({{ vals }})] as max_wh,
       ({{ vals }})[cardinality({{ vals }}) - 2] as third_max_wh
{%- endmacro %}

{# V16: values above what can flow. #}
{% macro over_limit_slots(vals, max_wh, limit_wh) -%}
case when {{ max_wh }} > {{ limit_wh }} then cardinality({{ vals }}) - width_bucket({{ limit_wh }}::integer, {{ vals }}) else 0 end as over_limit_slots
{%- endmacro %}

{#
  The figures of each reading that need its arrays, taken once a row, for ops.sorted and ops.total are volatile. What loops over two channels is asked for
  only where a comparison in C leaves a doubt.
#}
{% macro reading_figures(readings) -%}
{%- set least_wh = var('both_ways_wh') | int -%}
select y.day, y.meter_id, y.interval_min, y.slots, y.fragments, y.duplicate_slots, y.conflict_slots, y.late_slots, y.received_at, y.batch_id, y.seq,
       y.vals, {{ import_figures('y.vals') }},
       y.sum_wh, y.export_sum_wh, y.import_sum_vah, y.lagging_sum_varh + y.leading_sum_varh as reactive_sum_varh,
       case when y.quality is not null then (ops.sorted(y.quality::integer[]))[cardinality(array_remove(y.quality, null))] end as source_quality,
       {{ count_of('y.export_wh') }} as export_slots,
       {{ count_of('y.import_vah') }} as apparent_slots,
       case when y.lagging_varh is not null then {{ apparent_off_pct() }} end as apparent_off_pct,
       {{ overflow_slots('y.vals', 'y.vals[cardinality(y.vals)]') }} as import_overflow_slots,
       {{ overflow_slots('ops.sorted(y.export_wh)', 'y.export_sum_wh') }}
       + {{ overflow_slots('ops.sorted(y.import_vah)', 'y.import_sum_vah') }} as other_overflow_slots,
       {{ frozen_slots('y.import_wh', 'y.vals') }} as frozen_slots,
       {{ step_pct() }} as step_pct,
       -- V26. Most days stay in the band; of the others the lowest slot that has supply, and the highest.
       y.volts[width_bucket(0, y.volts) + 1] / 10::double precision as voltage_min_v,
       y.volts[cardinality(y.volts)] / 10::double precision as voltage_max_v,
       case when y.volts[1] = 0 then ops.dead_slots(y.voltage_dv, y.import_wh, y.export_wh) when y.voltage_dv is not null then 0 end as dead_slots,
       -- V36. What the sum of two channels is above their taxicab distance is twice what they share.
       case when y.sum_wh = 0 or y.export_sum_wh = 0 then 0
            when y.slots <= 100 and y.vals[1] >= 0 and cardinality(y.vals) = y.slots and {{ count_of('y.export_wh') }} = y.slots
                 and y.sum_wh + y.export_sum_wh - (cube(y.import_wh::double precision[]) <#> cube(y.export_wh::double precision[])) <= {{ 2 * least_wh }} then 0
            else ops.both_above(y.import_wh, y.export_wh, {{ least_wh }}) end as both_ways_slots
from (
    select r.*, ops.sorted(r.import_wh) as vals, ops.total(r.import_wh) as sum_wh, ops.total(r.export_wh) as export_sum_wh, ops.total(r.import_vah) as import_sum_vah,
           coalesce(r.import_varh, r.q1_varh) as lagging_varh,
           case when coalesce(r.import_varh, r.q1_varh) is not null then ops.total(coalesce(r.import_varh, r.q1_varh)) end as lagging_sum_varh,
           case when r.q4_varh is not null then ops.total(r.q4_varh) else 0 end as leading_sum_varh,
           {%- set low, high = var('voltage_band_dv') %}
           case when {{ low }} <= all (r.voltage_dv) and {{ high }} >= all (r.voltage_dv) then null else ops.sorted(r.voltage_dv) end as volts
    from {{ readings }} r
) y
{%- endmacro %}

{#
  V18, off as it is shipped, and reckoned only where a DISCOM judges it (var judge_steps). The Chebyshev distance of a day from itself, one slot on, is
  its greatest step: most days have none that counts.
#}
{% macro step_pct() -%}
{%- if var('judge_steps') -%}
{%- set floor_wh = "(" ~ var('spike_floor_w') | int ~ " * y.interval_min / 60)" -%}
case when cardinality(y.vals) < 2 then null
     when cardinality(y.vals) = y.slots and y.slots <= 100
          and (cube(y.import_wh[1:y.slots - 1]::double precision[]) <=> cube(y.import_wh[2:y.slots]::double precision[])) < {{ floor_wh }} then 0
     else ops.greatest_step(y.import_wh, {{ floor_wh }}) end
{%- else -%}
null::double precision
{%- endif -%}
{%- endmacro %}

{# How many values a channel has, NULL where it did not come. #}
{% macro count_of(vals) -%}
case when array_position({{ vals }}, null) is null then cardinality({{ vals }}) else cardinality(array_remove({{ vals }}, null)) end
{%- endmacro %}

{#
  V23: how far kVAh is from the root of kWh² + kvarh², %. A load that changes in the day has more kVAh than its totals say, so where they do not
  agree, slot by slot. Leading kvarh counts as the meters are set (var leading_counts).
#}
{% macro apparent_off_pct() -%}
{%- set counts = var('leading_counts') -%}
{%- set by_totals -%}
abs(y.import_sum_vah - sqrt(y.sum_wh::double precision ^ 2 + (y.lagging_sum_varh{{ ' + y.leading_sum_varh' if counts }})::double precision ^ 2)) / greatest(y.import_sum_vah, 1) * 100
{%- endset -%}
case when {{ by_totals }} <= 1 then {{ by_totals }}
     else least({{ by_totals }}, abs(y.import_sum_vah - ops.apparent(y.import_wh, y.lagging_varh, {{ 'y.q4_varh' if counts else 'null' }})) / greatest(y.import_sum_vah, 1) * 100) end
{%- endmacro %}

{# V17: how far the peak stands above the third-highest interval, %; NULL below the floor, where small loads jump by nature. #}
{% macro spike_pct(max_wh, third_max_wh, interval_min) -%}
case when {{ max_wh }} >= {{ var('spike_floor_w') | int }} * {{ interval_min }} / 60.0 and {{ third_max_wh }} is not null
     then ({{ max_wh }} - {{ third_max_wh }})::double precision / greatest({{ third_max_wh }}, 1) * 100 end
{%- endmacro %}

{#
  V31: the longest run of one value that is not 0, 0 where none can be as long as `frozen_slots`. In the values in rising order such a run covers two
  neighbours of every half of that, so a few comparisons clear most days.
#}
{% macro frozen_slots(vals, sorted_vals) -%}
{%- set half = var('frozen_slots') | int // 2 -%}
case when {% for at in range(half, 48 - half + 1, half) %}{{ 'or ' if not loop.first }}{{ sorted_vals }}[{{ at }}] = {{ sorted_vals }}[{{ at + half }}] and {{ sorted_vals }}[{{ at }}] <> 0 {% endfor -%}
          or cardinality({{ sorted_vals }}) > 48 and (
              {% for at in range(48 // half * half, 96, half) %}{{ sorted_vals }}[{{ at }}] = {{ sorted_vals }}[{{ at + half }}] and {{ sorted_vals }}[{{ at }}] <> 0 or {% endfor %}cardinality({{ sorted_vals }}) > 96)
     then ops.longest_run({{ vals }}) else 0 end
{%- endmacro %}

{# V27: slots that hold the maximum of a type. `at_most`, the highest value or a sum, clears most days. #}
{% macro overflow_slots(sorted_vals, at_most) -%}
{%- set maxima = var('overflow_values') -%}
case when {{ at_most }} >= {{ maxima | min }}
     then {% for m in maxima %}width_bucket({{ m }}, {{ sorted_vals }}) - width_bucket({{ m - 1 }}, {{ sorted_vals }}){{ ' + ' if not loop.last }}{% endfor %} else 0 end
{%- endmacro %}
