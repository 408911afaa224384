{#
  Totals of the final meter-days of the partition's service points, DTs or feeders (`place`), in Wh that flowed there: the multiplying factor is applied, to
  the whole Wh. From the installation itself: stg_registry__meter_place knows more, which costs more joins of every meter.
#}
{% macro placed_day_totals(place) -%}
select i.{{ place }}_id, f.discom_id, f.day, f.meter_id, f.missing_slots, f.weakest_quality,
       round(f.import_day_wh * i.mf)::bigint as import_wh,
       round(coalesce(f.export_day_wh, 0) * i.mf)::bigint as export_wh,
       round(f.estimated_wh * i.mf)::bigint as estimated_wh
from {{ ref('day_total') }} f
join {{ source('registry', 'installation') }} i on i.discom_id = f.discom_id and i.meter_id = f.meter_id and {{ valid_in_partition('i', 'f.day') }}
where {{ in_partition('f') }} and f.place = '{{ 'consumer' if place == 'service_point' else place }}' and i.{{ place }}_id is not null
{%- endmacro %}

{# Totals of the consumers by day and the DT or feeder (`head`) that they are indexed to. Of DTs, those that are built anew. #}
{% macro consumer_energy(head) -%}
select f.day, c.{{ head }}_id,
       count(*)::integer as consumers,
       (count(*) filter (where f.missing_slots = 0))::integer as consumers_complete,
       coalesce(sum(f.import_wh), 0)::bigint as import_wh,
       coalesce(sum(f.export_wh), 0)::bigint as export_wh,
       coalesce(sum(f.estimated_wh), 0)::bigint as estimated_wh,
       max(f.weakest_quality) as weakest_quality
from ({{ placed_day_totals('service_point') }}) f
join {{ source('registry', 'consumer_index') }} c on c.discom_id = f.discom_id and c.service_point_id = f.service_point_id and {{ valid_in_partition('c', 'f.day') }}
where c.{{ head }}_id is not null{{ of_changed_dt('c.dt_id', 'f.day') if head == 'dt' }}
group by f.day, c.{{ head }}_id
{%- endmacro %}

{# Energy of the meters at the head of a network, by day and `place`_id. A meter of which slots are missing does not say what came in: no balance. #}
{% macro head_energy(place) -%}
select day, {{ place }}_id,
       case when max(missing_slots) = 0 then sum(import_wh)::bigint end as import_wh,
       case when max(missing_slots) = 0 then sum(export_wh)::bigint end as export_wh,
       sum(estimated_wh)::bigint as estimated_wh, max(weakest_quality) as weakest_quality
from ({{ placed_day_totals(place) }}) f
{%- if place == 'dt' %}
where true{{ of_changed_dt('dt_id', 'day') }}
{%- endif %}
group by day, {{ place }}_id
{%- endmacro %}
