{#
  Meter-days that a rule holds, flags or could not mend: what was measured on them is questionable. One row each, by the first rule that says so:
  not by DISTINCT, which would keep whatever is joined with them to one core.
#}
{% macro doubted_days() -%}
{%- set doubts = ".stage = 'initial' and %s.action in ('hold', 'flag', 'estimate') and %s.state = 'open'" -%}
select e.discom_id, e.day, e.meter_id from {{ source('vee', 'exception') }} e
where e{{ doubts | replace('%s', 'e') }} and not exists (
    select 1 from {{ source('vee', 'exception') }} o
    where o.discom_id = e.discom_id and o.day = e.day and o.meter_id = e.meter_id and o.rule < e.rule and o{{ doubts | replace('%s', 'o') }}
)
{%- endmacro %}
