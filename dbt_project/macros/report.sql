{# Columns that every report opens and closes with. Needs an office path `o` and stg_raw__data_as_of `a`. #}
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
