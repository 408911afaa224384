{#
  Points for each piece of evidence (vars theft_*), at most 100; a consumer below theft_min_score is not listed, from theft_suspect_score on it is suspected.
  The fall is that of the second half of the month's days against the first, as near to it as vee.meter_part divides the month, less what the consumer's category did as a whole. Expected is the highest of what was metered, the use
  before the fall carried on, and what the neutral carried.
#}
with span as (
    select b.discom_id, date_trunc('month', b.day)::date as month, {{ part_of('(min(b.day) + (max(b.day) - min(b.day) + 1) / 2 + 4)') }} as half
    from {{ source('ops', 'day_build') }} b
    group by b.discom_id, date_trunc('month', b.day)
),

own as (
    select f.discom_id, f.month, f.meter_id, i.service_point_id, max(p.category) as category, max(p.office_id) as office_id,
           sum(f.days) as days, sum(f.due_slots) as due, sum(f.due_slots - f.missing_slots) as present, sum(f.zero_days) as zero_days,
           sum(f.import_wh * i.mf) as import_wh,
           sum(f.import_wh * i.mf) filter (where f.day < s.half) / nullif(sum(f.import_days) filter (where f.day < s.half), 0) as before_wh,
           sum(f.import_wh * i.mf) filter (where f.day >= s.half) / nullif(sum(f.import_days) filter (where f.day >= s.half), 0) as after_wh
    from {{ ref('meter_part') }} f
    join span s on s.discom_id = f.discom_id and s.month = f.month
    join {{ source('registry', 'installation') }} i on {{ installation_of('f') }}
    join {{ source('registry', 'service_point') }} p on p.discom_id = f.discom_id and p.service_point_id = i.service_point_id
    group by f.discom_id, f.month, f.meter_id, i.service_point_id
),

peers as (
    select o.*, (sum(o.after_wh) over category / nullif(sum(o.before_wh) over category, 0))::double precision as peer_change
    from own o
    window category as (partition by o.discom_id, o.month, o.category)
),

tamper as (
    select e.discom_id, date_trunc('month', e.day)::date as month, e.meter_id, count(distinct (e.family, e.occurred_at)) as events,
           string_agg(distinct e.family, ', ' order by e.family) as families
    from {{ ref('stg_raw__event') }} e
    where e.role <> 'restoration' and e.family in ({{ "'" ~ var('tamper_families') | join("', '") ~ "'" }})
    group by e.discom_id, date_trunc('month', e.day), e.meter_id
),

dt as (
    select d.discom_id, date_trunc('month', d.day)::date as month, d.dt_id, sum(d.loss_wh) as loss_wh, sum(d.input_wh) filter (where d.loss_wh is not null) as input_wh
    from {{ ref('dt_day') }} d
    group by d.discom_id, date_trunc('month', d.day), d.dt_id
),

evidence as (
    select p.*, x.dt_id, sp.sanctioned_load_w, t.families,
           coalesce(t.events, 0)::integer as events,
           (100 * (n.neutral_ah / nullif(n.phase_ah, 0) - 1))::double precision as excess_pct,
           case when p.before_wh >= {{ var('usage_floor_wh') | int }} and p.peer_change > 0 and p.after_wh is not null
                     and p.days >= {{ var('theft_fall_days') | int }}
                then (100 * (1 - p.after_wh / p.before_wh / p.peer_change))::double precision end as fall_pct,
           (100 * p.import_wh / nullif(sp.sanctioned_load_w * 24.0 * p.days, 0))::double precision as use_pct,
           100.0 * d.loss_wh / nullif(d.input_wh, 0) as dt_loss_pct, d.loss_wh as dt_loss_wh
    from peers p
    join {{ source('registry', 'service_point') }} sp on sp.discom_id = p.discom_id and sp.service_point_id = p.service_point_id
    left join {{ source('registry', 'consumer_index') }} x
      on x.discom_id = p.discom_id and x.service_point_id = p.service_point_id and {{ valid_on('x', 'p.month') }}
    left join tamper t on t.discom_id = p.discom_id and t.month = p.month and t.meter_id = p.meter_id
    left join {{ source('energy', 'current_mismatch') }} n on n.discom_id = p.discom_id and n.month = p.month and n.meter_id = p.meter_id
    left join dt d on d.discom_id = p.discom_id and d.month = p.month and d.dt_id = x.dt_id
),

pointed as (
    select e.*, v.*,
           case when e.dt_loss_pct >= {{ var('theft_dt_loss_pct') }} then {{ var('theft_dt_loss_points') | int }} else 0 end as dt_points,
           greatest(e.import_wh,
                    case when v.fall_points > 0 then e.before_wh * e.days * least(e.peer_change, 1) end,
                    case when v.neutral_points > 0 then e.import_wh * (1 + e.excess_pct / 100) end) as expected_wh
    from evidence e
    cross join lateral (
        select case when e.events > 0 then least({{ var('theft_tamper_points') | int }} + 5 * (e.events - 1), {{ var('theft_tamper_points') | int + 20 }}) else 0 end as tamper_points,
               case when e.excess_pct >= {{ var('theft_neutral_pct') }} then {{ var('theft_neutral_points') | int }} else 0 end as neutral_points,
               case when e.fall_pct >= {{ var('theft_fall_pct') }} then {{ var('theft_fall_points') | int }} else 0 end as fall_points,
               case when e.zero_days >= {{ var('theft_zero_days') | int }} then {{ var('theft_zero_points') | int }} else 0 end as zero_points,
               case when e.use_pct < {{ var('theft_low_use_pct') }} then {{ var('theft_low_use_points') | int }} else 0 end as low_points
    ) v
)

select r.discom_id, {{ office_columns() }}, 'month' as period, r.month as period_start, c.consumer_id, c.code as consumer, r.category, m.serial, t.code as dt,
       s.score,
       s.score >= {{ var('theft_suspect_score') | int }} as suspected,
       concat_ws('; ',
           case when r.tamper_points > 0 then r.events || ' tamper events (' || r.families || ')' end,
           case when r.neutral_points > 0 then 'neutral carries ' || round(r.excess_pct::numeric) || ' % more than the phase' end,
           case when r.fall_points > 0 then 'use fell by ' || round(r.fall_pct::numeric) || ' % against its category' end,
           case when r.zero_points > 0 then r.zero_days || ' days without use' end,
           case when r.low_points > 0 then 'uses ' || round(r.use_pct::numeric, 1) || ' % of its sanctioned load' end,
           case when r.dt_points > 0 then 'its DT loses ' || round(r.dt_loss_pct::numeric, 1) || ' %' end) as reasons,
       r.events as tamper_events,
       r.excess_pct as neutral_excess_pct,
       r.fall_pct,
       r.zero_days::integer as zero_days,
       r.use_pct as use_of_sanctioned_pct,
       {{ kwh('r.import_wh') }} as metered_kwh,
       {{ kwh('b.energy_wh') }} as billed_kwh,
       {{ kwh('r.expected_wh') }} as expected_kwh,
       {{ kwh('(r.expected_wh - coalesce(b.energy_wh, r.import_wh))') }} as not_billed_kwh,
       r.dt_loss_pct::double precision as dt_loss_pct,
       case when r.dt_loss_wh > 0 then {{ pct('(r.expected_wh - r.import_wh)', 'r.dt_loss_wh') }} end as share_of_dt_loss_pct,
       {{ pct('r.present', 'r.due') }} as coverage_pct,
       a.data_as_of, now() as generated_at
from pointed r
cross join lateral (
    select least(100, r.tamper_points + r.neutral_points + r.fall_points + r.zero_points + r.low_points + r.dt_points) as score
) s
join {{ source('registry', 'meter') }} m on m.discom_id = r.discom_id and m.meter_id = r.meter_id
join {{ source('registry', 'consumer') }} c
  on c.discom_id = r.discom_id and c.service_point_id = r.service_point_id and {{ valid_on('c', "(r.month + interval '1 month - 1 day')::date") }}
left join {{ source('billing', 'bill') }} b on b.discom_id = r.discom_id and b.consumer_id = c.consumer_id and b.month = r.month
left join {{ source('registry', 'dt') }} t on t.discom_id = r.discom_id and t.dt_id = r.dt_id
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = r.discom_id and o.office_id = r.office_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = r.discom_id
where s.score >= {{ var('theft_min_score') | int }}
