{{ config(key=['discom_id', 'day', 'feeder_id']) }}
{#
  The balance of an 11 kV feeder (domain 4.2): E_in = (import - export) x MF; E_out = DTs (import - export) + HT consumers; loss_HT = E_in - E_out.
  billed = what consumers below the feeder were metered at; loss_total = E_in - (billed - rooftop export).
#}
with head as (
    {{ head_energy('feeder') }}
),

ht as (
    {{ consumer_energy('feeder') }}
),

dts as (
    select d.day, d.feeder_id, count(*)::integer as dts, (count(*) filter (where d.dt_import_wh is not null))::integer as dts_metered,
           coalesce(sum(d.dt_import_wh - d.dt_export_wh), 0)::bigint as net_wh,
           coalesce(sum(d.consumer_import_wh), 0)::bigint as consumer_import_wh,
           coalesce(sum(d.consumer_export_wh), 0)::bigint as consumer_export_wh,
           coalesce(sum(d.consumers), 0)::integer as consumers,
           coalesce(sum(d.consumers_complete), 0)::integer as consumers_complete,
           coalesce(sum(d.estimated_wh), 0)::bigint as estimated_wh,
           max(d.weakest_quality) as weakest_quality
    from {{ ref('dt_day') }} d
    where {{ in_partition('d') }}
    group by d.day, d.feeder_id
)

select f.discom_id, g.day::date as day, f.feeder_id, f.office_id,
       h.import_wh - h.export_wh as input_wh,
       coalesce(d.net_wh, 0) as dt_wh,
       coalesce(t.import_wh, 0) - coalesce(t.export_wh, 0) as ht_wh,
       h.import_wh - h.export_wh - coalesce(d.net_wh, 0) - (coalesce(t.import_wh, 0) - coalesce(t.export_wh, 0)) as loss_ht_wh,
       (100.0 * (h.import_wh - h.export_wh - coalesce(d.net_wh, 0) - (coalesce(t.import_wh, 0) - coalesce(t.export_wh, 0)))
           / nullif(h.import_wh - h.export_wh, 0))::double precision as loss_ht_pct,
       coalesce(d.consumer_import_wh, 0) + coalesce(t.import_wh, 0) as billed_wh,
       coalesce(d.consumer_export_wh, 0) + coalesce(t.export_wh, 0) as rooftop_export_wh,
       h.import_wh - h.export_wh + coalesce(d.consumer_export_wh, 0) + coalesce(t.export_wh, 0)
           - coalesce(d.consumer_import_wh, 0) - coalesce(t.import_wh, 0) as loss_wh,
       (100.0 * (h.import_wh - h.export_wh + coalesce(d.consumer_export_wh, 0) + coalesce(t.export_wh, 0)
           - coalesce(d.consumer_import_wh, 0) - coalesce(t.import_wh, 0))
           / nullif(h.import_wh - h.export_wh + coalesce(d.consumer_export_wh, 0) + coalesce(t.export_wh, 0), 0))::double precision as loss_pct,
       coalesce(d.dts, 0) as dts,
       coalesce(d.dts_metered, 0) as dts_metered,
       coalesce(d.consumers, 0) + coalesce(t.consumers, 0) as consumers,
       coalesce(d.consumers_complete, 0) + coalesce(t.consumers_complete, 0) as consumers_complete,
       (coalesce(h.estimated_wh, 0) + coalesce(d.estimated_wh, 0) + coalesce(t.estimated_wh, 0))::bigint as estimated_wh,
       greatest(coalesce(h.weakest_quality, 9), d.weakest_quality, t.weakest_quality)::smallint as weakest_quality
from {{ source('registry', 'feeder') }} f
cross join generate_series('{{ var('from_day') }}'::date, '{{ var('to_day') }}'::date, interval '1 day') as g(day)
left join head h on h.feeder_id = f.feeder_id and h.day = g.day::date
left join dts d on d.feeder_id = f.feeder_id and d.day = g.day::date
left join ht t on t.feeder_id = f.feeder_id and t.day = g.day::date
where f.discom_id = {{ var('discom_id') | int }}
