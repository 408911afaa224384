{# The partition's days: time zone, minutes in the day (clocks may change), and when its data is due (SLA-01). #}
{% macro partition_days() -%}
(
    select g.day::date as day, d.timezone, ops.minutes(g.day::date, d.timezone) as minutes,
           (g.day::date + 1)::timestamp at time zone d.timezone + interval '{{ var('late_after_hours') | int }} hours' as due_at
    from {{ source('registry', 'discom') }} d
    cross join generate_series('{{ var('from_day') }}'::date, '{{ var('to_day') }}'::date, interval '1 day') as g(day)
    where d.discom_id = {{ var('discom_id') | int }}
)
{%- endmacro %}

{# Columns of a day that are arrays of its slots. #}
{% macro channels() -%}
{{ return(['import_wh', 'export_wh', 'import_vah', 'export_vah', 'import_varh', 'voltage_dv', 'current_ma', 'quality']) }}
{%- endmacro %}
