{{ config(key=['discom_id', 'day', 'feeder_id']) }}
{#
  The balance of a feeder that goes out to consumers (domain 4.2): E_in = (import - export) x MF + what other feeders passed on to it - what it passed on;
  E_out = DTs (import - export) + HT consumers; loss_HT = E_in - E_out. billed = what consumers below the feeder were metered at;
  loss_total = E_in + rooftop export - billed - assessed supply - street light.
  Incomers of substations bring the same energy once more: they stand in energy.substation_day.
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
           {%- for e in ['dt_import_wh', 'consumer_import_wh', 'consumer_export_wh', 'unmetered_wh', 'street_light_wh', 'actual_wh', 'estimated_wh'] %}
           coalesce(sum(d.{{ e }}), 0)::bigint as {{ e }},
           {%- endfor %}
           coalesce(sum(d.consumers), 0)::integer as consumers,
           coalesce(sum(d.consumers_complete), 0)::integer as consumers_complete,
           max(d.weakest_quality) as weakest_quality
    from {{ ref('dt_day') }} d
    where {{ in_partition('d') }}
    group by d.day, d.feeder_id
),

passed as (
    select y.day, y.feeder_id, sum(y.in_wh)::bigint as in_wh, sum(y.out_wh)::bigint as out_wh
    from (
        select t.day, t.to_feeder_id as feeder_id, t.energy_wh as in_wh, 0 as out_wh from {{ source('registry', 'feeder_transfer') }} t where {{ in_partition('t') }}
        union all
        select t.day, t.from_feeder_id, 0, t.energy_wh from {{ source('registry', 'feeder_transfer') }} t where {{ in_partition('t') }}
    ) y
    group by y.day, y.feeder_id
),

wheeled as (
    {{ wheeled_energy() }}
)

select b.discom_id, b.day, b.feeder_id, b.office_id, b.metered_wh, b.transfer_in_wh, b.transfer_out_wh,
       b.input_wh, b.dt_wh, b.ht_wh,
       b.input_wh - b.dt_wh - b.ht_wh as loss_ht_wh,
       {{ pct('(b.input_wh - b.dt_wh - b.ht_wh)', 'b.input_wh') }} as loss_ht_pct,
       b.billed_wh, b.ht_billed_wh, b.unmetered_wh, b.street_light_wh, b.open_access_wh, b.ht_open_access_wh, b.rooftop_export_wh,
       b.input_wh + b.rooftop_export_wh - b.billed_wh - b.unmetered_wh - b.street_light_wh as loss_wh,
       {{ pct('(b.input_wh + b.rooftop_export_wh - b.billed_wh - b.unmetered_wh - b.street_light_wh)', '(b.input_wh + b.rooftop_export_wh)') }} as loss_pct,
       b.dts, b.dts_metered, b.consumers, b.consumers_complete,
       {{ pct('b.consumers_complete', 'b.consumers') }} as coverage_consumers_pct,
       b.actual_wh,
       {{ pct('b.actual_wh', '(b.billed_wh + b.unmetered_wh + b.street_light_wh)') }} as coverage_energy_pct,
       b.estimated_wh, b.read_wh,
       {{ pct('b.estimated_wh', 'b.read_wh') }} as estimated_share_pct,
       b.head_estimated_wh, b.head_quality, b.weakest_quality
from (
    select f.discom_id, g.day::date as day, f.feeder_id, f.office_id,
           h.import_wh - h.export_wh as metered_wh,
           coalesce(x.in_wh, 0) as transfer_in_wh,
           coalesce(x.out_wh, 0) as transfer_out_wh,
           h.import_wh - h.export_wh + coalesce(x.in_wh, 0) - coalesce(x.out_wh, 0) as input_wh,
           coalesce(d.net_wh, 0) as dt_wh,
           coalesce(t.import_wh, 0) - coalesce(t.export_wh, 0) as ht_wh,
           coalesce(d.consumer_import_wh, 0) + coalesce(t.import_wh, 0) as billed_wh,
           coalesce(t.import_wh, 0) as ht_billed_wh,
           coalesce(d.unmetered_wh, 0) as unmetered_wh,
           coalesce(d.street_light_wh, 0) as street_light_wh,
           coalesce(w.lt_wh, 0) + coalesce(w.ht_wh, 0) as open_access_wh,
           coalesce(w.ht_wh, 0) as ht_open_access_wh,
           coalesce(d.consumer_export_wh, 0) + coalesce(t.export_wh, 0) as rooftop_export_wh,
           coalesce(d.dts, 0) as dts,
           coalesce(d.dts_metered, 0) as dts_metered,
           coalesce(d.consumers, 0) + coalesce(t.consumers, 0) as consumers,
           coalesce(d.consumers_complete, 0) + coalesce(t.consumers_complete, 0) as consumers_complete,
           coalesce(d.actual_wh, 0) + coalesce(t.actual_wh, 0) as actual_wh,
           coalesce(h.estimated_wh, 0) + coalesce(d.estimated_wh, 0) + coalesce(t.estimated_wh, 0) as estimated_wh,
           coalesce(h.import_wh, 0) + coalesce(d.dt_import_wh, 0) + coalesce(d.consumer_import_wh, 0) + coalesce(t.import_wh, 0) as read_wh,
           coalesce(h.estimated_wh, 0) as head_estimated_wh,
           coalesce(h.weakest_quality, 9)::smallint as head_quality,
           greatest(coalesce(h.weakest_quality, 9), d.weakest_quality, t.weakest_quality)::smallint as weakest_quality
    from {{ source('registry', 'feeder') }} f
    cross join generate_series('{{ var('from_day') }}'::date, '{{ var('to_day') }}'::date, interval '1 day') as g(day)
    left join head h on h.feeder_id = f.feeder_id and h.day = g.day::date
    left join dts d on d.feeder_id = f.feeder_id and d.day = g.day::date
    left join ht t on t.feeder_id = f.feeder_id and t.day = g.day::date
    left join passed x on x.feeder_id = f.feeder_id and x.day = g.day::date
    left join wheeled w on w.feeder_id = f.feeder_id and w.day = g.day::date
    where f.discom_id = {{ var('discom_id') | int }} and f.feeds_substation_id is null
) b
