{#
  How consumers are tagged today, of an office with all offices below it. Mismatched: of the latest month that was audited (meterhouse audit tags), as long as the tag is
  still the one that was suspected.
#}
with latest as (
    select discom_id, max(month) as month from {{ source('energy', 'audit_run') }} group by discom_id
),

own as (
    select p.discom_id, p.office_id,
           count(*) as consumers,
           count(*) filter (where x.state is null or x.state = 'UNTAGGED') as untagged,
           {%- for state in ['SURVEYED', 'INFERRED', 'VERIFIED', 'DISPUTED'] %}
           count(*) filter (where x.state = '{{ state }}') as {{ state | lower }},
           {%- endfor %}
           count(x.dt_id) filter (where x.state <> 'UNTAGGED') as tagged_dt,
           count(x.feeder_id) filter (where x.state <> 'UNTAGGED') as tagged_feeder,
           count(*) filter (where s.state = 'suspected') as mismatched,
           count(*) filter (where s.state = 'possible') as possibly_mismatched
    from {{ source('registry', 'service_point') }} p
    left join {{ source('registry', 'consumer_index') }} x
      on x.discom_id = p.discom_id and x.service_point_id = p.service_point_id and {{ valid_on('x', 'current_date') }}
    left join latest l on l.discom_id = p.discom_id
    left join {{ source('energy', 'suspected_tag') }} s
      on s.discom_id = p.discom_id and s.service_point_id = p.service_point_id and s.month = l.month and s.tagged_dt_id = x.dt_id
    group by p.discom_id, p.office_id
),

total as (
    select t.discom_id, t.ancestor_id as office_id
           {%- for c in ['consumers', 'untagged', 'surveyed', 'inferred', 'verified', 'disputed', 'tagged_dt', 'tagged_feeder', 'mismatched', 'possibly_mismatched'] %}
           , sum(w.{{ c }}) as {{ c }}
           {%- endfor %}
    from own w
    join {{ ref('stg_registry__office_tree') }} t on t.discom_id = w.discom_id and t.office_id = w.office_id
    group by t.discom_id, t.ancestor_id
)

select r.discom_id, {{ office_columns() }}, r.office_id,
       r.consumers::integer as consumers,
       (r.tagged_dt + r.tagged_feeder)::integer as tagged,
       r.tagged_dt::integer as tagged_dt,
       r.tagged_feeder::integer as tagged_feeder,
       r.untagged::integer as untagged,
       r.surveyed::integer as surveyed,
       r.inferred::integer as inferred,
       r.verified::integer as verified,
       r.disputed::integer as disputed,
       {{ pct('r.verified', 'r.consumers') }} as verified_pct,
       r.mismatched::integer as mismatched,
       r.possibly_mismatched::integer as possibly_mismatched,
       {{ pct('r.mismatched', '(r.tagged_dt)') }} as mismatched_pct,
       l.month as audited_month,
       {{ pct('(r.tagged_dt + r.tagged_feeder)', 'r.consumers') }} as coverage_pct,
       a.data_as_of, now() as generated_at
from total r
left join latest l on l.discom_id = r.discom_id
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = r.discom_id and o.office_id = r.office_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = r.discom_id
