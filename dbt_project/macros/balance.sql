{#
  Totals of the final meter-days of the partition's service points, DTs or feeders (`place`), in Wh that flowed there: the multiplying factor is applied, to
  the whole Wh. From the installation itself: stg_registry__meter_place knows more, which costs more joins of every meter. `only`: a further condition on
  the installation `i`.
#}
{% macro placed_day_totals(place, only=none) -%}
select i.{{ place }}_id, f.discom_id, f.day, f.meter_id, f.missing_slots, f.weakest_quality,
       round(f.import_day_wh * i.mf)::bigint as import_wh,
       round(coalesce(f.export_day_wh, 0) * i.mf)::bigint as export_wh,
       round(f.estimated_wh * i.mf)::bigint as estimated_wh
from {{ ref('day_total') }} f
join {{ source('registry', 'installation') }} i on i.discom_id = f.discom_id and i.meter_id = f.meter_id and {{ valid_in_partition('i', 'f.day') }}
where {{ in_partition('f') }} and f.place = '{{ 'consumer' if place == 'service_point' else place }}' and i.{{ place }}_id is not null
  {{- ' and ' ~ only if only }}
{%- endmacro %}

{# Totals of the consumers by day and the DT or feeder (`head`) that they are indexed to. Of DTs, those that are built anew. `only`: a further condition on the index `c`. #}
{% macro consumer_energy(head, only=none) -%}
select f.day, c.{{ head }}_id,
       count(*)::integer as consumers,
       (count(*) filter (where f.missing_slots = 0))::integer as consumers_complete,
       coalesce(sum(f.import_wh), 0)::bigint as import_wh,
       coalesce(sum(f.export_wh), 0)::bigint as export_wh,
       coalesce(sum(f.estimated_wh), 0)::bigint as estimated_wh,
       coalesce(sum(f.import_wh - f.estimated_wh) filter (where f.missing_slots = 0), 0)::bigint as actual_wh,
       max(f.weakest_quality) as weakest_quality
from ({{ placed_day_totals('service_point') }}) f
join {{ source('registry', 'consumer_index') }} c on c.discom_id = f.discom_id and c.service_point_id = f.service_point_id and {{ valid_in_partition('c', 'f.day') }}
where c.{{ head }}_id is not null{{ of_changed_dt('c.dt_id', 'f.day') if head == 'dt' }}{{ ' and ' ~ only if only }}
group by f.day, c.{{ head }}_id
{%- endmacro %}

{# Energy of the meters at the head of a network, by day and `place`_id. A meter of which slots are missing does not say what came in: no balance. #}
{% macro head_energy(place, only=none) -%}
select day, {{ place }}_id,
       case when max(missing_slots) = 0 then sum(import_wh)::bigint end as import_wh,
       case when max(missing_slots) = 0 then sum(export_wh)::bigint end as export_wh,
       sum(estimated_wh)::bigint as estimated_wh, max(weakest_quality) as weakest_quality
from ({{ placed_day_totals(place, only) }}) f
{%- if place == 'dt' %}
where true{{ of_changed_dt('dt_id', 'day') }}
{%- endif %}
group by day, {{ place }}_id
{%- endmacro %}

{# A day's share of what is known of a month alone (bigint): the same each day, the Wh that remain on its first days, so that the days add up to the month. #}
{% macro share_of_day(month_wh, day) -%}
({{ month_wh }} / {{ days_of_month(day) }} + case when extract(day from {{ day }}) <= {{ month_wh }} % {{ days_of_month(day) }} then 1 else 0 end)
{%- endmacro %}

{% macro days_of_month(day) -%}
extract(day from date_trunc('month', {{ day }}) + interval '1 month' - interval '1 day')::integer
{%- endmacro %}

{# Supply without a meter, as assessed for the month, by day and DT. #}
{% macro assessed_energy() -%}
select g.day::date as day, a.dt_id,
       coalesce(sum({{ share_of_day('a.energy_wh', 'g.day') }}) filter (where a.kind <> 'street_light'), 0)::bigint as unmetered_wh,
       coalesce(sum({{ share_of_day('a.energy_wh', 'g.day') }}) filter (where a.kind = 'street_light'), 0)::bigint as street_light_wh
from {{ source('registry', 'assessed_supply') }} a
join generate_series('{{ var('from_day') }}'::date, '{{ var('to_day') }}'::date, interval '1 day') as g(day) on a.month = date_trunc('month', g.day)::date
where a.discom_id = {{ var('discom_id') | int }}
group by g.day, a.dt_id
{%- endmacro %}

{# What consumers bought elsewhere and were only brought, by day and feeder: below its DTs (lt) and at 11 kV and above (ht). #}
{% macro wheeled_energy() -%}
select g.day::date as day, coalesce(c.feeder_id, d.feeder_id) as feeder_id,
       coalesce(sum({{ share_of_day('a.energy_wh', 'g.day') }}) filter (where c.dt_id is not null), 0)::bigint as lt_wh,
       coalesce(sum({{ share_of_day('a.energy_wh', 'g.day') }}) filter (where c.feeder_id is not null), 0)::bigint as ht_wh
from {{ source('registry', 'open_access') }} a
join generate_series('{{ var('from_day') }}'::date, '{{ var('to_day') }}'::date, interval '1 day') as g(day) on a.month = date_trunc('month', g.day)::date
join {{ source('registry', 'consumer_index') }} c on c.discom_id = a.discom_id and c.service_point_id = a.service_point_id and {{ valid_on('c', 'g.day::date') }}
left join {{ source('registry', 'dt') }} d on d.discom_id = c.discom_id and d.dt_id = c.dt_id
where a.discom_id = {{ var('discom_id') | int }}
group by g.day, coalesce(c.feeder_id, d.feeder_id)
{%- endmacro %}

{# Sums over the feeder-days of an area (energy.feeder_day as `d`). Energy is that of feeder-days with a balance: what a feeder without one sold is told apart. #}
{% macro area_sums() -%}
       count(*)::integer as feeders,
       (count(*) filter (where d.loss_wh is not null))::integer as feeders_balanced,
       {%- for n in ['dts', 'dts_metered', 'consumers', 'consumers_complete'] %}
       sum(d.{{ n }})::integer as {{ n }},
       {%- endfor %}
       {%- for e in area_energies() %}
       (sum(d.{{ e }}) filter (where d.loss_wh is not null))::bigint as {{ e }},
       {%- endfor %}
       (sum(d.billed_wh) filter (where d.loss_wh is null))::bigint as unbalanced_billed_wh,
       max(d.weakest_quality) as weakest_quality
{%- endmacro %}

{% macro area_energies() -%}
{{ return(['input_wh', 'rooftop_export_wh', 'billed_wh', 'unmetered_wh', 'street_light_wh', 'open_access_wh', 'loss_ht_wh', 'loss_wh', 'actual_wh', 'estimated_wh', 'read_wh']) }}
{%- endmacro %}

{#
  The periods in which days were built, first day and the day after the last: what a report of periods begins with. Laterals that take their days from
  here read the partitions of the periods that are asked for, and no others. A financial year begins in April.
#}
{% macro built_periods(periods) -%}
{%- set first_day = {
    'day': 'b.day',
    'month': "date_trunc('month', b.day)::date",
    'quarter': "date_trunc('quarter', b.day)::date",
    'financial_year': "(date_trunc('year', b.day - interval '3 months') + interval '3 months')::date",
} -%}
(
    {%- for period in periods %}
    {%- set step = {'day': '1 day', 'month': '1 month', 'quarter': '3 months', 'financial_year': '1 year'}[period] %}
    select b.discom_id, '{{ period }}' as period, {{ first_day[period] }} as period_start, ({{ first_day[period] }} + interval '{{ step }}')::date as period_end
    from {{ source('ops', 'day_build') }} b
    group by b.discom_id, {{ first_day[period] }}
    {{- ' union all' if not loop.last }}
    {%- endfor %}
)
{%- endmacro %}

{# That a row of `alias` lies in the period `p`. #}
{% macro in_period(alias) -%}
{{ alias }}.discom_id = p.discom_id and {{ alias }}.day >= p.period_start and {{ alias }}.day < p.period_end
{%- endmacro %}

{# Whether so few of the consumers' days are complete, or so little of what they were metered at was measured, that a loss says little (domain 4.2). Shares in %. #}
{% macro low_coverage(complete_pct, measured_pct) -%}
coalesce(least({{ complete_pct }}, {{ measured_pct }}) < {{ var('coverage_min_pct') }}, false)
{%- endmacro %}

{#
  The balance of one network head slot by slot, for whoever asks for one DT or feeder (`head`) and a few days: all of them would read every array.
  `takers`: what hangs below it, as rows of a meter (NULL where it has none), its multiplying factor and what it is counted as. A taker whose slots have
  another length takes no part; coverage says so. Assessed supply is known of months alone and is part of the loss here.
#}
{% macro interval_balance(head, takers, whole) -%}
select b.discom_id, b.day, n.{{ head }}_id, {{ 'n.feeder_id, ' if head == 'dt' }}n.office_id, s.interval_min, s.slot,
       (b.day::timestamp at time zone z.timezone) + make_interval(mins => s.slot * s.interval_min) as starts_at,
       s.import_wh, s.export_wh, s.taken_wh, s.given_wh,
       s.import_wh - s.export_wh - s.taken_wh + s.given_wh as loss_wh,
       {{ pct('(s.import_wh - s.export_wh - s.taken_wh + s.given_wh)', whole) }} as loss_pct,
       s.takers, s.takers_present,
       {{ pct('s.takers_present', 's.takers') }} as coverage_pct,
       s.weakest_quality
from {{ source('ops', 'day_build') }} b
join {{ source('registry', 'discom') }} z on z.discom_id = b.discom_id
join {{ source('registry', head) }} n on n.discom_id = b.discom_id{{ ' and n.feeds_substation_id is null' if head == 'feeder' }}
cross join lateral (
    select r.interval_min, t.slot, r.takers,
           -- A head of which the slot is missing does not say what came in.
           case when bool_and(r.import_wh[t.slot + 1] is not null) filter (where r.is_head)
                then (sum(round(r.import_wh[t.slot + 1] * r.mf)) filter (where r.is_head))::bigint end as import_wh,
           coalesce(sum(round(r.export_wh[t.slot + 1] * r.mf)) filter (where r.is_head), 0)::bigint as export_wh,
           coalesce(sum(round(r.import_wh[t.slot + 1] * r.mf)) filter (where not r.is_head), 0)::bigint as taken_wh,
           coalesce(sum(round(r.export_wh[t.slot + 1] * r.mf)) filter (where not r.is_head), 0)::bigint as given_wh,
           (count(r.import_wh[t.slot + 1]) filter (where not r.is_head))::integer as takers_present,
           max(case when r.import_wh[t.slot + 1] is null then 9 else coalesce(r.quality[t.slot + 1], r.day_quality) end)::smallint as weakest_quality
    from (
        select m.is_head, m.mf, (count(*) filter (where not m.is_head) over ())::integer as takers, f.interval_min, f.slots, f.import_wh, f.export_wh, f.quality, f.day_quality
        from (
            select i.meter_id, i.mf, true as is_head
            from {{ source('registry', 'installation') }} i
            where i.discom_id = b.discom_id and i.{{ head }}_id = n.{{ head }}_id and {{ valid_on('i', 'b.day') }}
            union all
            {{ takers }}
        ) m
        left join lateral (select * from {{ ref('final_day') }} f where f.discom_id = b.discom_id and f.day = b.day and f.meter_id = m.meter_id offset 0) f on true
    ) r
    cross join lateral generate_series(0, r.slots - 1) as t(slot)
    group by r.interval_min, t.slot, r.takers
    having bool_or(r.is_head)
) s
{%- endmacro %}

{# Meters of the consumers that are indexed to the DT or feeder `n` on the day of `b`. #}
{% macro consumer_meters(head) -%}
select i.meter_id, i.mf, false
from {{ source('registry', 'consumer_index') }} c
left join {{ source('registry', 'installation') }} i on i.discom_id = c.discom_id and i.service_point_id = c.service_point_id and {{ valid_on('i', 'b.day') }}
where c.discom_id = b.discom_id and c.{{ head }}_id = n.{{ head }}_id and {{ valid_on('c', 'b.day') }}
{%- endmacro %}

{# Meters of the DTs of the feeder `n`. #}
{% macro dt_meters() -%}
select i.meter_id, i.mf, false
from {{ source('registry', 'dt') }} d
left join {{ source('registry', 'installation') }} i on i.discom_id = d.discom_id and i.dt_id = d.dt_id and {{ valid_on('i', 'b.day') }}
where d.discom_id = b.discom_id and d.feeder_id = n.feeder_id
{%- endmacro %}

{#
  Months of the `heads` (dt, feeder) with their loss, that of the month before, and in how many of the last months (var loss_abnormal_periods, this one
  counted) it was abnormal: above var loss_abnormal_pct, or below 0. One row a head and month that has a balance.
#}
{% macro loss_months(heads) -%}
{%- set months_back = var('loss_abnormal_periods') | int - 1 -%}
select p.discom_id, p.period, p.period_start, m.*
from {{ built_periods(['month']) }} p
cross join lateral (
    select x.kind, x.head_id, x.dt_id, x.feeder_id, x.office_id,
           {%- for e in ['input_wh', 'loss_wh', 'billed_wh', 'supplied_wh', 'actual_wh', 'estimated_wh', 'read_wh', 'consumer_days', 'consumer_days_complete', 'days', 'days_balanced', 'consumers',
                         'weakest_quality'] %}
           max(x.{{ e }}) filter (where x.month = p.period_start) as {{ e }},
           {%- endfor %}
           max({{ pct('x.loss_wh', 'x.input_wh') }}) filter (where x.month = p.period_start) as loss_pct,
           max({{ pct('x.loss_wh', 'x.input_wh') }}) filter (where x.month = (p.period_start - interval '1 month')::date) as previous_loss_pct,
           (count(*) filter (where {{ pct('x.loss_wh', 'x.input_wh') }} > {{ var('loss_abnormal_pct') }} or x.loss_wh < 0))::integer as months_abnormal
    from (
        {%- for head in heads %}
        {%- set input = 'd.input_wh' if head == 'dt' else '(d.input_wh + d.rooftop_export_wh)' %}
        {%- set billed = 'd.consumer_import_wh' if head == 'dt' else 'd.billed_wh' %}
        select '{{ head }}' as kind, d.{{ head }}_id as head_id, {{ 'd.dt_id' if head == 'dt' else 'null::integer as dt_id' }}, d.feeder_id, d.office_id,
               date_trunc('month', d.day)::date as month,
               sum({{ input }}) filter (where d.loss_wh is not null) as input_wh,
               sum(d.loss_wh) as loss_wh,
               sum({{ billed }}) filter (where d.loss_wh is not null) as billed_wh,
               sum({{ billed }} + d.unmetered_wh + d.street_light_wh) filter (where d.loss_wh is not null) as supplied_wh,
               sum(d.actual_wh) filter (where d.loss_wh is not null) as actual_wh,
               sum(d.estimated_wh) filter (where d.loss_wh is not null) as estimated_wh,
               sum({{ 'd.consumer_import_wh + d.dt_import_wh' if head == 'dt' else 'd.read_wh' }}) filter (where d.loss_wh is not null) as read_wh,
               sum(d.consumers) as consumer_days, sum(d.consumers_complete) as consumer_days_complete,
               count(*)::integer as days, count(d.loss_wh)::integer as days_balanced, max(d.consumers) as consumers, max(d.weakest_quality) as weakest_quality
        from {{ ref(head ~ '_day') }} d
        where d.discom_id = p.discom_id and d.day >= (p.period_start - interval '{{ months_back }} months')::date and d.day < p.period_end
        group by {{ 'd.dt_id, ' if head == 'dt' }}d.feeder_id, d.office_id, date_trunc('month', d.day)
        {{- ' union all' if not loop.last }}
        {%- endfor %}
    ) x
    group by x.kind, x.head_id, x.dt_id, x.feeder_id, x.office_id
) m
where m.loss_wh is not null
{%- endmacro %}

{# Wh as million kWh, exact until it is printed. #}
{% macro million_units(wh) -%}
(({{ wh }}) * 0.000000001)::double precision
{%- endmacro %}

{# The level of form P4 that a voltage belongs to. #}
{% macro voltage_level(kv) -%}
case when {{ kv }} <= 22 then '11 kV' when {{ kv }} <= 33 then '33 kV' else '> 33 kV' end
{%- endmacro %}
