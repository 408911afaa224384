{{ config(key=['discom_id', 'day', 'dt_id'], built_by='dt') }}
{#
  The energy balance of the LT network below a DT (domain 4.2):
  E_in = DT import x MF + rooftop export; E_out = consumers' import + assessed supply + street light + DT export x MF; loss = E_in - E_out, exact in Wh.
#}
with consumers as (
    {{ consumer_energy('dt') }}
),

head as (
    {{ head_energy('dt') }}
),

assessed as (
    {{ assessed_energy() }}
)

select b.discom_id, b.day, b.dt_id, b.feeder_id, b.office_id, b.dt_import_wh, b.dt_export_wh, b.consumer_import_wh, b.consumer_export_wh, b.unmetered_wh, b.street_light_wh,
       b.input_wh, b.output_wh,
       b.input_wh - b.output_wh as loss_wh,
       {{ pct('(b.input_wh - b.output_wh)', 'b.input_wh') }} as loss_pct,
       b.consumers, b.consumers_complete,
       {{ pct('b.consumers_complete', 'b.consumers') }} as coverage_consumers_pct,
       b.actual_wh,
       {{ pct('b.actual_wh', '(b.consumer_import_wh + b.unmetered_wh + b.street_light_wh)') }} as coverage_energy_pct,
       b.estimated_wh,
       {{ pct('b.estimated_wh', '(b.consumer_import_wh + coalesce(b.dt_import_wh, 0))') }} as estimated_share_pct,
       b.weakest_quality
from (
    select d.discom_id, g.day::date as day, d.dt_id, d.feeder_id, d.office_id,
           h.import_wh as dt_import_wh,
           h.export_wh as dt_export_wh,
           coalesce(c.import_wh, 0) as consumer_import_wh,
           coalesce(c.export_wh, 0) as consumer_export_wh,
           coalesce(a.unmetered_wh, 0) as unmetered_wh,
           coalesce(a.street_light_wh, 0) as street_light_wh,
           h.import_wh + coalesce(c.export_wh, 0) as input_wh,
           coalesce(c.import_wh, 0) + coalesce(a.unmetered_wh, 0) + coalesce(a.street_light_wh, 0) + h.export_wh as output_wh,
           coalesce(c.consumers, 0) as consumers,
           coalesce(c.consumers_complete, 0) as consumers_complete,
           coalesce(c.actual_wh, 0) as actual_wh,
           coalesce(c.estimated_wh, 0) + coalesce(h.estimated_wh, 0) as estimated_wh,
           greatest(coalesce(h.weakest_quality, 9), coalesce(c.weakest_quality, 0))::smallint as weakest_quality
    from {{ source('registry', 'dt') }} d
    cross join generate_series('{{ var('from_day') }}'::date, '{{ var('to_day') }}'::date, interval '1 day') as g(day)
    left join head h on h.dt_id = d.dt_id and h.day = g.day::date
    left join consumers c on c.dt_id = d.dt_id and c.day = g.day::date
    left join assessed a on a.dt_id = d.dt_id and a.day = g.day::date
    where d.discom_id = {{ var('discom_id') | int }}{{ of_changed_dt('d.dt_id', 'g.day::date') }}
) b
