{{ config(key=['discom_id', 'day', 'dt_id'], built_by='dt') }}
{#
  The energy balance of the LT network below a DT (domain 4.2):
  E_in = DT import x MF + rooftop export; E_out = consumers' import + unmetered + DT export x MF; loss = E_in - E_out, exact in Wh.
#}
with consumers as (
    {{ consumer_energy('dt') }}
),

head as (
    {{ head_energy('dt') }}
)

select d.discom_id, g.day::date as day, d.dt_id, d.feeder_id, d.office_id,
       h.import_wh as dt_import_wh,
       h.export_wh as dt_export_wh,
       coalesce(c.import_wh, 0) as consumer_import_wh,
       coalesce(c.export_wh, 0) as consumer_export_wh,
       0::bigint as unmetered_wh,
       h.import_wh + coalesce(c.export_wh, 0) as input_wh,
       coalesce(c.import_wh, 0) + h.export_wh as output_wh,
       h.import_wh + coalesce(c.export_wh, 0) - coalesce(c.import_wh, 0) - h.export_wh as loss_wh,
       (100.0 * (h.import_wh + coalesce(c.export_wh, 0) - coalesce(c.import_wh, 0) - h.export_wh)
           / nullif(h.import_wh + coalesce(c.export_wh, 0), 0))::double precision as loss_pct,
       coalesce(c.consumers, 0) as consumers,
       coalesce(c.consumers_complete, 0) as consumers_complete,
       (100.0 * c.consumers_complete / nullif(c.consumers, 0))::double precision as coverage_consumers_pct,
       coalesce(c.estimated_wh, 0) + coalesce(h.estimated_wh, 0) as estimated_wh,
       (100.0 * (coalesce(c.estimated_wh, 0) + coalesce(h.estimated_wh, 0)) / nullif(coalesce(c.import_wh, 0) + coalesce(h.import_wh, 0), 0))::double precision
           as estimated_share_pct,
       greatest(coalesce(h.weakest_quality, 9), coalesce(c.weakest_quality, 0))::smallint as weakest_quality
from {{ source('registry', 'dt') }} d
cross join generate_series('{{ var('from_day') }}'::date, '{{ var('to_day') }}'::date, interval '1 day') as g(day)
left join head h on h.dt_id = d.dt_id and h.day = g.day::date
left join consumers c on c.dt_id = d.dt_id and c.day = g.day::date
where d.discom_id = {{ var('discom_id') | int }}{{ of_changed_dt('d.dt_id', 'g.day::date') }}
