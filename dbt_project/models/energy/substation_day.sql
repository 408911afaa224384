{{ config(key=['discom_id', 'day', 'substation_id']) }}
{#
  The bus of a substation: what its incomers brought, less what HT consumers took off them on the way, against what left on its feeders, by their own meters
  (what feeders pass on to each other lies behind those). An incomer that comes from another substation is an outgoing feeder there. No balance where one of
  the meters at the bus has no reading of the day.
#}
{%- set incomers = 'in (select n.feeder_id from ' ~ source('registry', 'feeder') ~ ' n where n.discom_id = ' ~ (var('discom_id') | int) ~ ' and n.feeds_substation_id is not null)' %}
with incomer as (
    select g.day::date as day, f.feeds_substation_id, nullif(f.substation_id, f.feeds_substation_id) as from_substation_id,
           h.import_wh - h.export_wh as net_wh, coalesce(t.import_wh, 0) - coalesce(t.export_wh, 0) as tapped_wh,
           coalesce(h.estimated_wh, 0) as estimated_wh, coalesce(h.weakest_quality, 9) as quality
    from {{ source('registry', 'feeder') }} f
    cross join generate_series('{{ var('from_day') }}'::date, '{{ var('to_day') }}'::date, interval '1 day') as g(day)
    left join ({{ head_energy('feeder', only='i.feeder_id ' ~ incomers) }}) h on h.feeder_id = f.feeder_id and h.day = g.day::date
    left join ({{ consumer_energy('feeder', only='c.feeder_id ' ~ incomers) }}) t on t.feeder_id = f.feeder_id and t.day = g.day::date
    where f.discom_id = {{ var('discom_id') | int }} and f.feeds_substation_id is not null
),

leg as (
    select i.day, i.feeds_substation_id as substation_id, 1 as comes_in, i.net_wh, i.tapped_wh, i.estimated_wh, i.quality from incomer i
    union all
    select i.day, i.from_substation_id, 0, i.net_wh, 0, i.estimated_wh, i.quality from incomer i where i.from_substation_id is not null
    union all
    select d.day, f.substation_id, 0, d.metered_wh, 0, d.head_estimated_wh, d.head_quality
    from {{ ref('feeder_day') }} d
    join {{ source('registry', 'feeder') }} f on f.discom_id = d.discom_id and f.feeder_id = d.feeder_id
    where {{ in_partition('d') }}
),

bus as (
    select day, substation_id,
           (count(*) filter (where comes_in = 1))::integer as incomers,
           (count(net_wh) filter (where comes_in = 1))::integer as incomers_read,
           (count(*) filter (where comes_in = 0))::integer as feeders,
           (count(net_wh) filter (where comes_in = 0))::integer as feeders_read,
           case when count(*) filter (where comes_in = 1) = count(net_wh) filter (where comes_in = 1) then (sum(net_wh) filter (where comes_in = 1))::bigint end as input_wh,
           case when count(*) filter (where comes_in = 0) = count(net_wh) filter (where comes_in = 0) then (sum(net_wh) filter (where comes_in = 0))::bigint end as output_wh,
           sum(tapped_wh)::bigint as tapped_wh, sum(estimated_wh)::bigint as estimated_wh, coalesce(sum(net_wh), 0)::bigint as read_wh, max(quality)::smallint as weakest_quality
    from leg
    group by day, substation_id
)

select s.discom_id, b.day, s.substation_id, s.office_id, b.incomers, b.incomers_read, b.feeders, b.feeders_read, b.input_wh, b.tapped_wh, b.output_wh,
       b.input_wh - b.tapped_wh - b.output_wh as unbalance_wh,
       {{ pct('(b.input_wh - b.tapped_wh - b.output_wh)', 'b.input_wh') }} as unbalance_pct,
       {{ pct('(b.incomers_read + b.feeders_read)', '(b.incomers + b.feeders)') }} as coverage_pct,
       b.estimated_wh, b.read_wh,
       {{ pct('b.estimated_wh', 'b.read_wh') }} as estimated_share_pct,
       b.weakest_quality
from {{ source('registry', 'substation') }} s
join bus b on b.substation_id = s.substation_id
where s.discom_id = {{ var('discom_id') | int }}
