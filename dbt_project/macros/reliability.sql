{#
  Sums of interruptions by area and month, for reports G01 to G03: an area is an office with all below it, by kind of supply of its feeders and for all of them.
  Indices count the causes of var reliability_causes; momentary are those of up to var momentary_min minutes. An interruption that has no end yet counts, its time does not.
#}
{% macro reliability_areas() -%}
{%- set counted = "i.cause in ('" ~ var('reliability_causes') | join("', '") ~ "')" -%}
{%- set figures = ['interruptions', 'consumer_interruptions', 'consumer_min', 'lasting', 'momentary', 'consumer_momentary', 'planned', 'consumer_planned', 'planned_min',
                   'shedding', 'consumer_shedding', 'shedding_min'] %}
{%- set sustained = "(i.minutes is null or i.minutes > " ~ var('momentary_min') | int ~ ")" -%}
select p.discom_id, p.period_start as month, t.ancestor_id as office_id, k.supply,
       sum(m.consumers)::bigint as consumers,
       sum(m.consumer_days)::bigint as consumer_days, sum(m.complete_days)::bigint as complete_days, sum(m.consumer_hours) as consumer_hours,
       {%- for figure in figures + ['affected'] %}
       coalesce(sum(m.{{ figure }}), 0)::bigint as {{ figure }}{{ ',' if not loop.last }}
       {%- endfor %}
from {{ built_periods(['month']) }} p
cross join lateral (
    select f.*, i.affected, {% for figure in figures %}i.{{ figure }}{{ ', ' if not loop.last }}{% endfor %}
    from (
        select f.feeder_id, f.office_id, max(f.consumers) as consumers, sum(f.consumers) as consumer_days, sum(f.consumers_complete) as complete_days,
               sum(f.consumers::bigint * ops.minutes(f.day, d.timezone)) / 60.0 as consumer_hours
        from {{ ref('feeder_day') }} f
        join {{ source('registry', 'discom') }} d on d.discom_id = f.discom_id
        where f.discom_id = p.discom_id and f.day >= p.period_start and f.day < p.period_end
        group by f.feeder_id, f.office_id
    ) f
    left join (
        -- A consumer below two interruptions was affected once: the feeder's take in those of its DTs.
        select h.feeder_id, greatest(max(h.affected) filter (where h.dt_id is null), sum(h.affected) filter (where h.dt_id is not null)) as affected,
               {%- for figure in figures %}
               sum(h.{{ figure }}) as {{ figure }}{{ ',' if not loop.last }}
               {%- endfor %}
        from (
            select i.feeder_id, i.dt_id,
                   count(*) filter (where {{ counted }} and {{ sustained }}) as interruptions,
                   sum(i.consumers) filter (where {{ counted }} and {{ sustained }}) as consumer_interruptions,
                   sum(i.consumers * i.minutes) filter (where {{ counted }} and {{ sustained }}) as consumer_min,
                   count(*) filter (where {{ counted }} and i.minutes is null) as lasting,
                   max(i.consumers) filter (where {{ counted }} and {{ sustained }}) as affected,
                   count(*) filter (where {{ counted }} and not {{ sustained }}) as momentary,
                   sum(i.consumers) filter (where {{ counted }} and not {{ sustained }}) as consumer_momentary,
                   {%- for figure, cause in [('planned', 'planned'), ('shedding', 'load_shedding')] %}
                   count(*) filter (where i.cause = '{{ cause }}' and {{ sustained }}) as {{ figure }},
                   sum(i.consumers) filter (where i.cause = '{{ cause }}' and {{ sustained }}) as consumer_{{ figure }},
                   sum(i.consumers * i.minutes) filter (where i.cause = '{{ cause }}' and {{ sustained }}) as {{ figure }}_min{{ ',' if not loop.last }}
                   {%- endfor %}
            from {{ ref('interruption') }} i
            where i.discom_id = p.discom_id and i.day >= p.period_start and i.day < p.period_end
            group by i.feeder_id, i.dt_id
        ) h
        group by h.feeder_id
    ) i on i.feeder_id = f.feeder_id
) m
join {{ source('registry', 'feeder') }} f on f.discom_id = p.discom_id and f.feeder_id = m.feeder_id
join {{ ref('stg_registry__office_tree') }} t on t.discom_id = p.discom_id and t.office_id = m.office_id
cross join lateral (values (coalesce(f.supply, 'not known')), ('all')) k(supply)
group by p.discom_id, p.period_start, t.ancestor_id, k.supply
{%- endmacro %}

{# Hours that a feeder's interruptions took of each business day, as a multirange `span`. One without an end takes the rest of the day on which it began. #}
{% macro feeder_outage_days() -%}
select i.discom_id, i.feeder_id, g.day::date as day,
       range_agg(tstzrange(greatest(i.started_at, z.starts_at), least(coalesce(i.ended_at, z.ends_at), z.ends_at))) as span,
       (count(*) filter (where i.day = g.day::date))::integer as interruptions, bool_or(i.ended_at is null) as lasting
from {{ ref('interruption') }} i
join {{ source('registry', 'discom') }} d on d.discom_id = i.discom_id
cross join lateral generate_series(i.day, coalesce((i.ended_at at time zone d.timezone)::date, i.day), interval '1 day') as g(day)
cross join lateral (
    select g.day::date::timestamp at time zone d.timezone as starts_at, (g.day::date + 1)::timestamp at time zone d.timezone as ends_at
) z
where i.head = 'feeder' and z.starts_at < coalesce(i.ended_at, z.ends_at)
group by i.discom_id, i.feeder_id, g.day::date
{%- endmacro %}

{# Hours that a multirange covers. #}
{% macro hours_of(multirange) -%}
coalesce((select sum(extract(epoch from upper(part) - lower(part))) from unnest({{ multirange }}) part) / 3600.0, 0)
{%- endmacro %}
