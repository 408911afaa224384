{# The offices above a row, which open every report. Needs stg_registry__office_path as `o`. #}
{% macro office_columns(alias='o') -%}
{{ alias }}.zone, {{ alias }}.circle, {{ alias }}.division, {{ alias }}.subdivision, {{ alias }}.office
{%- endmacro %}

{# The period rows that a day counts in: the day itself and its month. #}
{% macro day_and_month(day) -%}
(values ('day', {{ day }}), ('month', date_trunc('month', {{ day }})::date))
{%- endmacro %}

{% macro pct(part, whole) -%}
(100.0 * {{ part }} / nullif({{ whole }}, 0))::double precision
{%- endmacro %}

{# Wh as kWh, to the Wh. Multiplied, because numeric division costs several times as much. #}
{% macro kwh(wh) -%}
({{ wh }} * 0.001)::numeric(18, 3)
{%- endmacro %}
