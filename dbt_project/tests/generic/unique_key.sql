{# The grain of a model: no two rows of the partition share the key. #}
{% test unique_key(model, columns) %}
select {{ columns | join(', ') }}, count(*) as n
from {{ built_rows(model) if 'meter_id' in columns else model }} t
where {{ in_partition('t') }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}

{# The same for a model without a day: over the whole DISCOM. #}
{% test unique_columns(model, columns) %}
select {{ columns | join(', ') }}, count(*) as n
from {{ model }}
where discom_id = {{ var('discom_id') | int }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}

{# A report of periods: the rows of the partition's days. Its months are groups by the same key. #}
{% test unique_in_day(model, columns) %}
select {{ columns | join(', ') }}, count(*) as n
from {{ model }} t
where t.discom_id = {{ var('discom_id') | int }} and t.period = 'day' and {{ days_of_partition('t.period_start') }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
