{#
  Offices with all below them, each feeder once, in its own office; and towns, of whatever offices their feeders are. Each day is summed over the area
  first, so that counts are those of a day.
#}
{%- set counts = ['feeders', 'feeders_balanced', 'dts', 'dts_metered', 'consumers', 'consumers_complete'] %}
{%- set energies = area_energies() + ['unbalanced_billed_wh'] %}
select r.discom_id, {{ office_columns() }}, r.level, r.area, r.area_name, r.period, r.period_start, r.days,
       r.feeders::integer as feeders, r.feeder_days::integer as feeder_days, r.feeder_days_balanced::integer as feeder_days_balanced,
       r.dts::integer as dts, r.dts_metered::integer as dts_metered, r.consumers::integer as consumers,
       {{ kwh('r.input_wh') }} as input_kwh,
       {{ kwh('r.rooftop_export_wh') }} as rooftop_export_kwh,
       {{ kwh('r.billed_wh') }} as billed_kwh,
       {{ kwh('r.unmetered_wh') }} as unmetered_kwh,
       {{ kwh('r.street_light_wh') }} as street_light_kwh,
       {{ kwh('r.open_access_wh') }} as open_access_kwh,
       {{ kwh('r.loss_ht_wh') }} as loss_ht_kwh,
       {{ kwh('r.loss_wh') }} as loss_kwh,
       {{ pct('r.loss_wh', '(r.input_wh + r.rooftop_export_wh)') }} as loss_pct,
       {{ kwh('r.unbalanced_billed_wh') }} as unbalanced_billed_kwh,
       {{ pct('r.consumer_days_complete', 'r.consumer_days') }} as coverage_pct,
       {{ pct('r.actual_wh', '(r.billed_wh + r.unmetered_wh + r.street_light_wh)') }} as coverage_energy_pct,
       {{ low_coverage(pct('r.consumer_days_complete', 'r.consumer_days'), pct('r.actual_wh', 'r.billed_wh')) }} as low_coverage,
       {{ pct('r.estimated_wh', 'r.read_wh') }} as estimated_share_pct,
       q.letter as weakest_quality,
       a.data_as_of, now() as generated_at
from (
    select p.discom_id, p.period, p.period_start, s.*
    from {{ built_periods(['day', 'month', 'quarter', 'financial_year']) }} p
    cross join lateral (
        select y.level, y.area, y.area_name, y.office_id, count(*)::integer as days,
               max(y.feeders) as feeders, sum(y.feeders) as feeder_days, sum(y.feeders_balanced) as feeder_days_balanced,
               max(y.dts) as dts, max(y.dts_metered) as dts_metered, max(y.consumers) as consumers,
               sum(y.consumers) as consumer_days, sum(y.consumers_complete) as consumer_days_complete,
               {%- for e in energies %}
               sum(y.{{ e }}) as {{ e }},
               {%- endfor %}
               max(y.weakest_quality) as weakest_quality
        from (
            select n.level, n.code as area, n.name as area_name, n.office_id, d.day,
                   {%- for s in counts + energies %}
                   sum(d.{{ s }}) as {{ s }},
                   {%- endfor %}
                   max(d.weakest_quality) as weakest_quality
            from {{ ref('office_day') }} d
            join {{ ref('stg_registry__office_tree') }} t on t.discom_id = d.discom_id and t.office_id = d.office_id
            join {{ source('registry', 'office') }} n on n.discom_id = t.discom_id and n.office_id = t.ancestor_id
            where {{ in_period('d') }}
            group by n.level, n.code, n.name, n.office_id, d.day
            union all
            select 'town', d.town, d.town, null, d.day,
                   {%- for s in counts + energies %}
                   d.{{ s }},
                   {%- endfor %}
                   d.weakest_quality
            from {{ ref('town_day') }} d
            where {{ in_period('d') }}
        ) y
        group by y.level, y.area, y.area_name, y.office_id
    ) s
) r
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = r.discom_id and o.office_id = r.office_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = r.discom_id
left join {{ ref('code_quality') }} q on q.quality = r.weakest_quality
