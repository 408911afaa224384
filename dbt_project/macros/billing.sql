{#
  Billing rows of meters: what each row's registers say, by meter and the month that the row closes. Of several rows of a month the last counts, of one that came again the
  latest receipt; maximum demands, which begin anew with each row, are the highest of the month. As the meter counts, with the day that the last row closes.
#}
{% macro billing_rows(totals=true, zones=true) -%}
select v.discom_id, date_trunc('month', v.day::timestamp)::date as month, v.meter_id, max(v.day) as day, min(v.read_at) = max(v.read_at) as one_row
       {%- if totals %}
       {%- for q in ['import_wh', 'import_vah', 'export_wh', 'usage_import_wh', 'usage_import_vah', 'usage_export_wh', 'power_factor_milli'] %},
       {{ last_billing_value(q, 0) }} as {{ q }}
       {%- endfor %}
       {%- for q in ['md_import_w', 'md_import_va'] %},
       max(array[v.value, date_part('epoch', v.occurred_at)]) filter (where v.quantity = '{{ q }}' and v.zone = 0) as {{ q }}
       {%- endfor %}
       {%- endif %}
       {%- if zones %}
       {%- for zone in range(1, 9) %},
       {{ last_billing_value('import_wh', zone) }} as z{{ zone }}_wh,
       {{ last_billing_value('usage_import_wh', zone) }} as usage_z{{ zone }}_wh
       {%- endfor %}
       {%- endif %}
from {{ source('raw', 'meter_value') }} v
where v.profile = 'billing'{{ " and v.zone = 0" if not zones }}{{ " and v.zone > 0" if not totals }}
group by v.discom_id, date_trunc('month', v.day::timestamp)::date, v.meter_id
{%- endmacro %}

{% macro last_billing_value(quantity, zone) -%}
(max(array[date_part('epoch', v.read_at), date_part('epoch', v.received_at), v.value]) filter (where v.quantity = '{{ quantity }}' and v.zone = {{ zone }}))[3]::bigint
{%- endmacro %}

{#
  What was used in the month that the row `r` closes: the advance since the row `b` of the month before, else what the source says was used. A register that fell says nothing,
  and of several rows none tells the usage of the month.
#}
{% macro billed_usage(column) -%}
coalesce(case when r.{{ column }} >= b.{{ column }} then r.{{ column }} - b.{{ column }} end, case when r.one_row then r.usage_{{ column }} end)
{%- endmacro %}
