{{ config(materialized='view') }}
{#
  Raw, estimated and edited stand side by side; this is the last word on each slot. Estimates and edits are stored only where they differ, so a day that
  was measured and passed is read straight from vee.meter_day.
#}
with edit as (
    select distinct on (discom_id, day, meter_id, channel) discom_id, day, meter_id, channel, after
    from {{ source('vee', 'edit') }}
    where approved_at is not null
    order by discom_id, day, meter_id, channel, edit_id desc
),

edited as (
    select discom_id, day, meter_id,
           -- One edit a channel is left; max() of it is itself.
           max(after) filter (where channel = 'import_wh') as import_wh,
           max(after) filter (where channel = 'export_wh') as export_wh,
           max(after) filter (where channel = 'import_vah') as import_vah
    from edit
    group by discom_id, day, meter_id
),

doubted as (
    select distinct discom_id, day, meter_id from {{ source('vee', 'exception') }}
    where stage = 'initial' and action in ('hold', 'flag', 'estimate') and state = 'open'
)

select m.discom_id, m.day, m.meter_id, x.place, x.category, x.office_id, m.interval_min, m.slots,
       coalesce(d.import_wh, e.import_wh, m.import_wh) as import_wh,
       coalesce(d.export_wh, e.export_wh, m.export_wh) as export_wh,
       coalesce(d.import_vah, e.import_vah, m.import_vah) as import_vah,
       m.export_vah, m.import_varh, m.voltage_dv, m.current_ma,
       -- Per slot where it differs within the day, else NULL: day_quality holds for every slot.
       q.quality,
       b.base as day_quality,
       -- What was edited is no estimate any more.
       case when d.import_wh is null then e.method
            when e.method is not null
            then (select array_agg((case when k = 6 then e.method[s] else 0 end)::smallint order by s) from unnest(q.quality) with ordinality as u(k, s))
       end as method,
       case when d.import_wh is not null then (select sum(w) from unnest(d.import_wh) w)::bigint else coalesce(e.import_day_wh, x.sum_wh) end as import_day_wh,
       case when d.export_wh is not null then (select sum(w) from unnest(d.export_wh) w)::bigint else coalesce(e.export_day_wh, x.export_sum_wh) end as export_day_wh,
       case when d.import_vah is not null then (select sum(w) from unnest(d.import_vah) w)::bigint else coalesce(e.import_day_vah, x.import_sum_vah) end as import_day_vah,
       case when d.import_wh is not null then (select count(*) from unnest(q.quality) k where k = 6)::integer else coalesce(e.estimated_slots, 0) end as estimated_slots,
       case when d.import_wh is not null then (select count(*) from unnest(q.quality) k where k = 9)::integer else coalesce(e.missing_slots, x.missing_slots) end as missing_slots,
       case when d.import_wh is not null then (select coalesce(sum(w), 0) from unnest(d.import_wh, q.quality) as u(w, k) where k = 6)::bigint
            else coalesce(e.estimated_wh, 0) end as estimated_wh,
       greatest(coalesce((select max(k) from unnest(q.quality) k), b.base), case when d.meter_id is not null then 2 else 0 end)::smallint as weakest_quality
from {{ ref('meter_day') }} m
join {{ ref('measure') }} x using (discom_id, day, meter_id)
left join {{ ref('estimated_day') }} e using (discom_id, day, meter_id)
left join edited d using (discom_id, day, meter_id)
left join doubted p using (discom_id, day, meter_id)
cross join lateral (select (case when p.meter_id is not null and e.meter_id is null then 5 else 0 end)::smallint as base) b
cross join lateral (
    select case when d.import_wh is null and e.quality is not null then e.quality
                when d.import_wh is not null or m.quality is not null or x.missing_slots > 0
                then (select array_agg((case when (coalesce(d.import_wh, m.import_wh))[s] is null then 9
                                             when d.import_wh is not null and d.import_wh[s] is distinct from (coalesce(e.import_wh, m.import_wh))[s] then 2
                                             else coalesce(e.quality[s], greatest(m.quality[s], b.base)) end)::smallint order by s)
                      from generate_series(1, m.slots) s)
           end as quality
) q
