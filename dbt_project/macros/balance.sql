{# Final meter-days of the partition with the place of the meter, in Wh that flowed there: the multiplying factor is applied, to the whole Wh. #}
{% macro placed_final_days() -%}
select p.place, p.service_point_id, p.dt_id, p.feeder_id, f.discom_id, f.day, f.meter_id, f.missing_slots, f.weakest_quality,
       round(f.import_day_wh * p.mf)::bigint as import_wh,
       round(coalesce(f.export_day_wh, 0) * p.mf)::bigint as export_wh,
       round(f.estimated_wh * p.mf)::bigint as estimated_wh
from {{ ref('final_day') }} f
join {{ ref('stg_registry__meter_place') }} p on p.discom_id = f.discom_id and p.meter_id = f.meter_id and {{ valid_on('p', 'f.day') }}
where {{ in_partition('f') }}
{%- endmacro %}

{# Energy of the meters at the head of a network, by day and `place`_id. A meter of which slots are missing does not say what came in: no balance. #}
{% macro head_energy(place, relation) -%}
select day, {{ place }}_id,
       case when max(missing_slots) = 0 then sum(import_wh)::bigint end as import_wh,
       case when max(missing_slots) = 0 then sum(export_wh)::bigint end as export_wh,
       sum(estimated_wh)::bigint as estimated_wh, max(weakest_quality) as weakest_quality
from {{ relation }}
where place = '{{ place }}'
group by day, {{ place }}_id
{%- endmacro %}
