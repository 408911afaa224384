{# A schema is called what the project says: vee, not <target>_vee. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
  {{ custom_schema_name or target.schema }}
{%- endmacro %}

{# Rows of the partition that is being built, with literals, so that the planner prunes and compressed chunks can be deleted from. #}
{% macro in_partition(alias) -%}
  {{ alias }}.discom_id = {{ var('discom_id') | int }} and {{ alias }}.day between '{{ var('from_day') }}'::date and '{{ var('to_day') }}'::date
{%- endmacro %}

{# The registry row that was valid on a day. Periods are half-open. #}
{% macro valid_on(alias, day) -%}
  {{ alias }}.valid_from <= {{ day }} and ({{ alias }}.valid_to is null or {{ day }} < {{ alias }}.valid_to)
{%- endmacro %}
