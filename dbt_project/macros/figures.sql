{# Figures of one channel of one meter-day, shared by vee.measure and vee.estimated_measure. #}
{% macro import_figures(vals, limit) -%}
select count(w)::integer as present_slots,
       (count(*) filter (where w < 0))::integer as negative_slots,
       (count(*) filter (where w = 0))::integer as zero_slots,
       (count(*) filter (where w > {{ limit }}))::integer as over_limit_slots,
       sum(w)::bigint as sum_wh, min(w) as min_wh, max(w) as max_wh,
       (sort_desc(array_remove({{ vals }}, null)))[3] as third_max_wh
from unnest({{ vals }}) w
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
