{#
  For models that join every meter of a partition with every other table's: the planner knows too little of a CTE's size, takes it for a few rows and
  loops (77 s for 27,600 meter-days, against 0.2 s with hash joins). Look-ups by LATERAL still loop, as they must.
#}
{% macro join_whole_partitions() -%}
set local enable_nestloop = off
{%- endmacro %}
