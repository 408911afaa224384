{# Figures of one channel of one meter-day, shared by vee.measure and vee.estimated_measure; `vals` are the values in rising order (ops.sorted). #}
{% macro import_figures(vals, limit) -%}
       cardinality({{ vals }}) as present_slots,
       width_bucket(-1, {{ vals }}) as negative_slots,
       width_bucket(0, {{ vals }}) - width_bucket(-1, {{ vals }}) as zero_slots,
       coalesce(cardinality({{ vals }}) - width_bucket(least({{ limit }}, 2147483647)::integer, {{ vals }}), 0) as over_limit_slots,
       ops.total({{ vals }}) as sum_wh,
       ({{ vals }})[1] as min_wh,
       ({{ vals }})[cardinality({{ vals }})] as max_wh,
       ({{ vals }})[cardinality({{ vals }}) - 2] as third_max_wh
{%- endmacro %}

{# V17: how far the peak stands above the third-highest interval, %; NULL below the floor, where small loads jump by nature. #}
{% macro spike_pct(max_wh, third_max_wh, interval_min) -%}
case when {{ max_wh }} >= {{ var('spike_floor_w') | int }} * {{ interval_min }} / 60.0 and {{ third_max_wh }} is not null
     then ({{ max_wh }} - {{ third_max_wh }})::double precision / greatest({{ third_max_wh }}, 1) * 100 end
{%- endmacro %}

{# V19: what one register step does not explain of sum - advance, as % of the advance; NULL where either is NULL. #}
{% macro sum_diff_pct(sum_wh, advance_wh, lsb_wh) -%}
(abs({{ sum_wh }} - {{ advance_wh }}) - least(abs({{ sum_wh }} - {{ advance_wh }}), {{ lsb_wh }}))::double precision / greatest(abs({{ advance_wh }}), 1) * 100
{%- endmacro %}
