{#- Groups are few, of which the planner cannot know: it would sort a million wide rows. #}
{{ config(key=['discom_id', 'day', 'kind', 'head_id', 'category', 'interval_min'], pre_hook='set local enable_sort = off') }}
{#
  Load curves of groups: feeders by the meters at their head, consumers by office and category; and of each DT, and
  of the HT consumers of each feeder, what their peaks add up to.

  Consumers are added up in one pass, an expression a slot, which every core takes part in: unnesting a million days to forty-eight million rows takes many times as long. By
  multiplying factor, so that whole Wh are added. There are so many slots as the shortest interval of the DISCOM's meters makes of 25 hours; no source(), of which a unit test would make a fixture that this question cannot see.
#}
{%- set shortest = run_query("select min(interval_min) from registry.meter where discom_id = " ~ (var('discom_id') | int)).columns[0][0] if execute else none -%}
{%- set most = 1500 // (shortest or 15) | int -%}
with taken as (
    {%- for edits in [false, true] %}
    select f.day, f.office_id, f.category, f.interval_min, f.slots, coalesce(i.mf, 1) as mf,
           count(*)::integer as meters,
           sum(f.slots - f.missing_slots) as present_slots,
           sum(f.max_wh) as max_wh
           {%- for s in range(1, most + 1) %},
           sum(f.import_wh[{{ s }}] - coalesce(f.export_wh[{{ s }}], 0)) as w{{ s }}, sum(f.import_vah[{{ s }}]) as a{{ s }}
           {%- endfor %}
    from ({{ final_consumers(edits, ['import_wh', 'export_wh', 'import_vah']) }}) f
    -- Few have a factor: a join with all would write out the arrays of those.
    left join {{ source('registry', 'installation') }} i
      on i.discom_id = {{ var('discom_id') | int }} and i.meter_id = f.meter_id and i.mf <> 1 and {{ valid_in_partition('i', 'f.day') }}
    group by f.day, f.office_id, f.category, f.interval_min, f.slots, coalesce(i.mf, 1)
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

peaking as (
    {%- for edits in [false, true] %}
    select f.day, c.dt_id, c.feeder_id, min(f.interval_min) as interval_min, max(f.slots) as slots, count(*) as meters, sum(f.slots - f.missing_slots) as present_slots,
           sum(f.max_wh * i.mf * 60 / f.interval_min) as members_peak_w
    from ({{ final_consumers(edits, []) }}) f
    join {{ source('registry', 'installation') }} i on i.discom_id = {{ var('discom_id') | int }} and i.meter_id = f.meter_id and {{ valid_in_partition('i', 'f.day') }}
    join {{ source('registry', 'consumer_index') }} c
      on c.discom_id = {{ var('discom_id') | int }} and c.service_point_id = i.service_point_id and {{ valid_in_partition('c', 'f.day') }}
    group by f.day, c.dt_id, c.feeder_id
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

curve as (
    select t.day, 'category' as kind, t.office_id as head_id, t.category, t.interval_min, t.slots, sum(t.meters)::integer as meters, sum(t.present_slots)::bigint as present_slots,
           round(sum(t.max_wh * t.mf) * 60 / t.interval_min)::bigint as members_peak_w,
           (array[{% for s in range(1, most + 1) %}round(sum(t.w{{ s }} * t.mf) * 60 / t.interval_min)::bigint{{ ', ' if not loop.last }}{% endfor %}])[:t.slots] as power_w,
           (array[{% for s in range(1, most + 1) %}round(sum(t.a{{ s }} * t.mf) * 60 / t.interval_min)::bigint{{ ', ' if not loop.last }}{% endfor %}])[:t.slots] as apparent_va,
           null::integer[] as voltage_dv
    from taken t
    group by t.day, t.office_id, t.category, t.interval_min, t.slots
    union all
    -- Meters of several intervals are one row.
    {%- for kind, head in [('dt', 'dt_id'), ('ht', 'feeder_id')] %}
    select g.day, '{{ kind }}', g.{{ head }}, '{{ kind }}', min(g.interval_min), max(g.slots), sum(g.meters)::integer, sum(g.present_slots)::bigint,
           round(sum(g.members_peak_w))::bigint, null, null, null
    from peaking g
    where g.{{ head }} is not null
    group by g.day, g.{{ head }}
    union all
    {%- endfor %}
    -- A slot that one of several meters lacks is missing.
    select u.day, 'feeder', u.feeder_id, 'feeder', u.interval_min, u.slots, max(u.meters)::integer, sum(u.present)::bigint, null,
           array_agg(u.power_w order by u.slot),
           case when count(u.apparent_va) > 0 then array_agg(u.apparent_va order by u.slot) end,
           case when count(u.voltage_dv) > 0 then array_agg(u.voltage_dv order by u.slot) end
    from (
        select f.day, i.feeder_id, f.interval_min, f.slots, v.slot, count(*) as meters, count(v.import_wh) as present,
               case when count(v.import_wh) = count(*) then round(sum((v.import_wh - coalesce(v.export_wh, 0)) * i.mf) * 60 / f.interval_min)::bigint end as power_w,
               case when count(v.import_vah) = count(*)
                    then round(sum((v.import_vah + coalesce(v.export_vah, v.export_wh, 0)) * i.mf) * 60 / f.interval_min)::bigint end as apparent_va,
               min(v.voltage_dv) as voltage_dv
        from {{ ref('final_day') }} f
        join {{ source('registry', 'installation') }} i on i.discom_id = f.discom_id and i.meter_id = f.meter_id and {{ valid_in_partition('i', 'f.day') }}
        cross join lateral unnest(f.import_wh, f.export_wh, f.import_vah, f.export_vah, f.voltage_dv)
            with ordinality as v(import_wh, export_wh, import_vah, export_vah, voltage_dv, slot)
        where {{ in_partition('f') }} and f.place = 'feeder' and i.feeder_id is not null
        group by f.day, i.feeder_id, f.interval_min, f.slots, v.slot
    ) u
    group by u.day, u.feeder_id, u.interval_min, u.slots
)

select {{ var('discom_id') | int }}::smallint as discom_id, c.day, c.kind, c.head_id, c.category, c.interval_min::smallint as interval_min, c.slots, c.meters, c.present_slots,
       c.meters::bigint * c.slots as due_slots, c.members_peak_w, c.power_w, c.apparent_va, c.voltage_dv,
       p.energy_wh, p.max_w, p.max_w_slot, p.max_va,
       p.va2 * c.interval_min / 60 / 1000000 as kva2_h,
       p.power_slots
from curve c
left join lateral (
    select round(sum(u.w) * c.interval_min / 60)::bigint as energy_wh, max(u.w) as max_w, (-(max(array[u.w, -u.slot]) filter (where u.w is not null))[2])::integer as max_w_slot,
           max(u.va) as max_va, sum(u.va::numeric * u.va)::double precision as va2, count(u.w)::integer as power_slots
    from unnest(c.power_w, c.apparent_va) with ordinality as u(w, va, slot)
) p on c.power_w is not null
