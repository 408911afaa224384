select r.discom_id, {{ office_columns() }}, r.period, r.period_start, s.code as substation, r.days, r.days_balanced, r.incomers, r.incomers_read, r.feeders, r.feeders_read,
       {{ kwh('r.input_wh') }} as input_kwh,
       {{ kwh('r.tapped_wh') }} as tapped_kwh,
       {{ kwh('r.output_wh') }} as output_kwh,
       {{ kwh('r.unbalance_wh') }} as unbalance_kwh,
       {{ pct('r.unbalance_wh', 'r.input_wh') }} as unbalance_pct,
       {{ pct('r.meter_days_read', 'r.meter_days') }} as coverage_pct,
       {{ pct('r.estimated_wh', 'r.read_wh') }} as estimated_share_pct,
       q.letter as weakest_quality,
       a.data_as_of, now() as generated_at
from (
    select p.period, p.period_start, d.*
    from {{ built_periods(['day', 'month']) }} p
    cross join lateral (
        select d.discom_id, d.substation_id, d.office_id,
               count(*)::integer as days, count(d.unbalance_wh)::integer as days_balanced,
               max(d.incomers) as incomers, max(d.incomers_read) as incomers_read, max(d.feeders) as feeders, max(d.feeders_read) as feeders_read,
               {%- for e in ['input_wh', 'tapped_wh', 'output_wh', 'unbalance_wh', 'estimated_wh', 'read_wh'] %}
               sum(d.{{ e }}) filter (where d.unbalance_wh is not null) as {{ e }},
               {%- endfor %}
               sum(d.incomers + d.feeders) as meter_days, sum(d.incomers_read + d.feeders_read) as meter_days_read,
               max(d.weakest_quality) as weakest_quality
        from {{ ref('substation_day') }} d
        where {{ in_period('d') }}
        group by d.discom_id, d.substation_id, d.office_id
    ) d
) r
join {{ source('registry', 'substation') }} s on s.discom_id = r.discom_id and s.substation_id = r.substation_id
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = r.discom_id and o.office_id = r.office_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = r.discom_id
left join {{ ref('code_quality') }} q on q.quality = r.weakest_quality
