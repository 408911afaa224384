{# Meter-days that a rule holds, flags or could not mend: what was measured on them is questionable. #}
{% macro doubted_days() -%}
select distinct discom_id, day, meter_id from {{ source('vee', 'exception') }}
where stage = 'initial' and action in ('hold', 'flag', 'estimate') and state = 'open'
{%- endmacro %}
