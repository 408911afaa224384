{#
  Form P5. A feeder's meter is AMI where intervals of it came in the period, defective where one is installed and none came, else the feeder is unmetered. Received
  by itself is a day of which nothing had to be estimated.
#}
select r.discom_id, {{ office_columns() }}, r.period, r.period_start, f.code as feeder, f.name as feeder_name, f.supply as feeder_type, f.voltage_kv,
       case when r.days_read > 0 then 'AMI' when i.installed then 'defective' else 'unmetered' end as meter_status,
       {{ pct('r.days_received', 'r.days') }} as received_automatically_pct,
       r.days, r.days_balanced, r.dts, r.consumers,
       {{ million_units('r.input_wh') }} as net_input_mu,
       {{ million_units('r.billed_wh') }} as billed_metered_mu,
       {{ million_units('r.assessed_wh') }} as billed_assessed_mu,
       {{ million_units('r.billed_wh + r.assessed_wh') }} as billed_mu,
       {{ million_units('r.loss_wh') }} as loss_mu,
       {{ pct('r.loss_wh', 'r.input_wh') }} as loss_pct,
       {{ pct('r.consumer_days_complete', 'r.consumer_days') }} as coverage_pct,
       {{ pct('r.actual_wh', '(r.billed_wh + r.assessed_wh)') }} as coverage_energy_pct,
       {{ pct('r.estimated_wh', 'r.read_wh') }} as estimated_share_pct,
       q.letter as weakest_quality,
       a.data_as_of, now() as generated_at
from (
    select p.period, p.period_start, p.period_end, d.*
    from {{ built_periods(['quarter', 'financial_year']) }} p
    cross join lateral (
        select d.discom_id, d.feeder_id, d.office_id,
               count(*)::integer as days, count(d.loss_wh)::integer as days_balanced,
               count(*) filter (where d.head_quality < 9) as days_read,
               count(d.metered_wh) filter (where d.head_quality not in (4, 6, 7, 9)) as days_received,
               sum(d.input_wh + d.rooftop_export_wh) filter (where d.loss_wh is not null) as input_wh,
               sum(d.unmetered_wh + d.street_light_wh) filter (where d.loss_wh is not null) as assessed_wh,
               {%- for e in ['billed_wh', 'loss_wh', 'actual_wh', 'estimated_wh', 'read_wh'] %}
               sum(d.{{ e }}) filter (where d.loss_wh is not null) as {{ e }},
               {%- endfor %}
               max(d.dts) as dts, max(d.consumers) as consumers, sum(d.consumers) as consumer_days, sum(d.consumers_complete) as consumer_days_complete,
               max(d.weakest_quality) as weakest_quality
        from {{ ref('feeder_day') }} d
        where {{ in_period('d') }}
        group by d.discom_id, d.feeder_id, d.office_id
    ) d
) r
join {{ source('registry', 'feeder') }} f on f.discom_id = r.discom_id and f.feeder_id = r.feeder_id
cross join lateral (
    select exists (
        select 1 from {{ source('registry', 'installation') }} n
        where n.discom_id = r.discom_id and n.feeder_id = r.feeder_id and n.valid_from < r.period_end and (n.valid_to is null or n.valid_to > r.period_start)
    ) as installed
) i
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = r.discom_id and o.office_id = r.office_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = r.discom_id
left join {{ ref('code_quality') }} q on q.quality = r.weakest_quality
