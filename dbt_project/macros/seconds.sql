{# A period as seconds of the business day `d` (starts_at, ends_at), counted from its first instant; cut at its ends, begun seconds count whole. #}
{% macro seconds_of_day(from_at, to_at) -%}
int4range(floor(extract(epoch from greatest({{ from_at }}, d.starts_at) - d.starts_at))::integer, ceil(extract(epoch from least({{ to_at }}, d.ends_at) - d.starts_at))::integer)
{%- endmacro %}

{# Received, give or take what a time zone may be off, on the day after one of the partition. A bound for an index; the exact day is asked besides. #}
{% macro received_around_partition(alias) -%}
{{ alias }}.received_at >= '{{ var('from_day') }}'::date and {{ alias }}.received_at < '{{ var('to_day') }}'::date + 3
{%- endmacro %}

{# A transformation ratio as people write it: 200/5, 200:5 or 40. NULL where it is none. #}
{% macro ratio(text) -%}
case when {{ text }} ~ '^\s*\d+(\.\d+)?\s*$' then nullif({{ text }}::numeric, 0)
     when {{ text }} ~ '^\s*\d+(\.\d+)?\s*[/:]\s*0*[1-9]\d*(\.\d+)?\s*$'
     then nullif(regexp_replace({{ text }}, '[/:].*', '')::numeric / regexp_replace({{ text }}, '.*[/:]', '')::numeric, 0) end
{%- endmacro %}
