{# A schema is called what the project says: vee, not <target>_vee. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
  {{ custom_schema_name or target.schema }}
{%- endmacro %}

{#
  Rows of the partition that is being built, with literals, so that the planner prunes and compressed chunks can be deleted from. A single day is an
  equality: that, and not a range, the planner carries over to every table that is joined by day, so what lies before the day costs nothing.
#}
{% macro in_partition(alias) -%}
  {{ alias }}.discom_id = {{ var('discom_id') | int }} and {{ days_of_partition(alias ~ '.day') }}
{%- endmacro %}

{% macro days_of_partition(day, before=0) -%}
  {%- if before == 0 and var('from_day') == var('to_day') -%}
  {{ day }} = '{{ var('from_day') }}'::date
  {%- else -%}
  {{ day }} between '{{ var('from_day') }}'::date{% if before %} - {{ before }}{% endif %} and '{{ var('to_day') }}'::date
  {%- endif -%}
{%- endmacro %}

{# The last midnight registers of the partition's days, and of the day before, which opens them. #}
{% macro boundary_registers() -%}
select * from {{ ref('stg_raw__register_reading') }} r
where r.discom_id = {{ var('discom_id') | int }} and {{ days_of_partition('r.day', before=1) }}
{%- endmacro %}

{# The registry row that was valid on a day. Periods are half-open. #}
{% macro valid_on(alias, day) -%}
  {{ alias }}.valid_from <= {{ day }} and ({{ alias }}.valid_to is null or {{ day }} < {{ alias }}.valid_to)
{%- endmacro %}
