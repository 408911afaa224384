{# Day type of domain 6.3: 0 weekday, 6 Saturday, 7 Sunday or holiday. Needs a CTE `holiday(day)`. #}
{% macro day_type(day) -%}
  case when extract(isodow from {{ day }}) = 7 or {{ day }} in (select holiday.day from holiday) then 7
       when extract(isodow from {{ day }}) = 6 then 6 else 0 end
{%- endmacro %}
