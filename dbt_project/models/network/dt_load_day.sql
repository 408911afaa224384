{{ config(key=['discom_id', 'day', 'dt_id'], built_by='dt') }}
{#
  Load and health of a DT, from the intervals of the meters at its head. Several meters at one DT are added up slot by slot; a slot that one of them lacks is missing.

  kVA of a slot = (import kVAh + export kVAh) / h, else the sum of V x I of the phases. Currents are of the DT: the multiplying factor of an LT meter is the ratio of its CTs.
  A meter behind voltage transformers says nothing of them.
#}
{%- set phases = ['r', 'y', 'b'] -%}
with reading as (
    select f.day, i.dt_id, count(*) over (partition by f.day, i.dt_id) as heads, i.mf::double precision as mf, f.interval_min, f.slots, f.import_wh, f.export_wh, f.import_vah, f.export_vah,
           f.voltage_dv as v_r, f.current_ma as i_r,
           {%- for to_column, channel in [('v_y', 'voltage_y_dv'), ('v_b', 'voltage_b_dv'), ('i_y', 'current_y_ma'), ('i_b', 'current_b_ma'), ('i_n', 'current_n_ma')] %}
           coalesce(p.{{ channel }}, s.{{ channel }}) as {{ to_column }},
           {%- endfor %}
           -- Phase to neutral. A meter behind voltage transformers says nothing of the LT side.
           case when coalesce(m.voltage_v, {{ var('lt_nominal_v') }}) between 200 and 260 then coalesce(m.voltage_v, {{ var('lt_nominal_v') }})
                when m.voltage_v between 350 and 450 then m.voltage_v / sqrt(3.0) end::double precision as nominal_v
    from {{ ref('final_day') }} f
    join {{ source('registry', 'installation') }} i on i.discom_id = f.discom_id and i.meter_id = f.meter_id and {{ valid_in_partition('i', 'f.day') }}
    join {{ source('registry', 'meter') }} m on m.discom_id = f.discom_id and m.meter_id = f.meter_id
    join {{ ref('measure') }} x on x.discom_id = f.discom_id and x.day = f.day and x.meter_id = f.meter_id and x.place = 'dt' and {{ in_partition('x') }}
    left join {{ source('raw', 'profile_fragment') }} p
      on p.discom_id = f.discom_id and p.day = f.day and p.meter_id = f.meter_id and p.batch_id = x.batch_id and p.seq = x.seq and {{ in_partition('p') }}
    left join ({{ scattered_channels('dt', ['voltage_y_dv', 'voltage_b_dv', 'current_y_ma', 'current_b_ma', 'current_n_ma']) }}) s on s.day = f.day and s.meter_id = f.meter_id
    where {{ in_partition('f') }} and f.place = 'dt' and i.dt_id is not null{{ of_changed_dt('i.dt_id', 'f.day') }}
),

-- Whole Wh, VAh, mA and dV: their sums are the same in whatever order they are added. Nearly every DT has one meter, and nothing to add up.
slot as (
    {%- for several in [false, true] %}
    {%- set sum, end, least, every = ('sum(', ')', 'min(', 'count(%s) = count(*)') if several else ('(', ')', '(', '%s is not null') %}
    select r.day, r.dt_id, u.slot, {{ 'max(r.interval_min) as slot_min, max(r.nominal_v) as nominal_v' if several else 'r.interval_min as slot_min, r.nominal_v' }},
           case when {{ every % 'u.import_wh' }} then {{ sum }}round((u.import_wh - coalesce(u.export_wh, 0)) * r.mf){{ end }}::bigint end as net_wh,
           case when {{ every % 'u.import_wh' }} then {{ sum }}round(u.import_wh * r.mf){{ end }}::bigint end as import_wh,
           case when {{ every % 'coalesce(u.import_vah, u.i_r)' }} then {{ sum }}round(
               r.mf * coalesce(u.import_vah + coalesce(u.export_vah, u.export_wh, 0),
                               (u.v_r::double precision * u.i_r{% for p in phases[1:] %} + coalesce(u.v_{{ p }}, u.v_r)::double precision * coalesce(u.i_{{ p }}, u.i_r){% endfor %})
                               / 10000 * r.interval_min / 60)){{ end }}::bigint end as vah,
           case when {{ every % 'u.import_vah' }} then {{ sum }}round(u.import_vah * r.mf){{ end }}::bigint end as import_vah,
           {%- for p in phases + ['n'] %}
           {{ sum }}round(case when r.nominal_v is not null then u.i_{{ p }} end * r.mf){{ end }}::bigint as i_{{ p }},
           {%- endfor %}
           {{ least }}u.v_r) as v_r, {{ least }}u.v_y) as v_y, {{ least }}u.v_b) as v_b
    from reading r
    cross join lateral unnest(r.import_wh, r.export_wh, r.import_vah, r.export_vah, r.v_r, r.v_y, r.v_b, r.i_r, r.i_y, r.i_b, r.i_n)
        with ordinality as u(import_wh, export_wh, import_vah, export_vah, v_r, v_y, v_b, i_r, i_y, i_b, i_n, slot)
    where r.heads {{ '> 1' if several else '= 1' }}
    {%- if several %}
    group by r.day, r.dt_id, u.slot
    {%- else %}
    union all
    {%- endif %}
    {%- endfor %}
),

figure as (
    select s.day, s.dt_id, s.slot::integer as slot, s.slot_min, s.import_wh, s.import_vah, s.net_wh, s.vah, s.i_r, s.i_y, s.i_b, s.i_n,
           s.vah * 60.0::double precision / s.slot_min / 10 / t.capacity_kva::double precision as loading_pct,
           t.capacity_kva::double precision as capacity_kva,
           s.import_wh::double precision / nullif(s.import_vah, 0) as pf,
           v.low_dv, v.high_dv, v.sum_dv, s.nominal_v,
           s.i_r + s.i_y + s.i_b as phases_ma,
           -- Unbalance of a small load says nothing: below a share of the rated current.
           case when s.i_r + s.i_y + s.i_b >= {{ var('unbalance_floor_pct') }} / 100.0 * t.capacity_kva * 1000000 / coalesce(s.nominal_v, {{ var('lt_nominal_v') }})
                then 100.0::double precision * greatest(abs(2 * s.i_r - s.i_y - s.i_b), abs(2 * s.i_y - s.i_r - s.i_b), abs(2 * s.i_b - s.i_r - s.i_y))
                     / nullif(s.i_r + s.i_y + s.i_b, 0) end as unbalance_pct
    from slot s
    join {{ source('registry', 'dt') }} t on t.discom_id = {{ var('discom_id') | int }} and t.dt_id = s.dt_id
    -- A phase without voltage has no supply, which is no low voltage.
    cross join lateral (
        select least({% for p in phases %}{{ ', ' if not loop.first }}case when s.v_{{ p }} > {{ var('no_supply_pct') }} / 10.0 * s.nominal_v then s.v_{{ p }} end{% endfor %}) as low_dv,
               greatest({% for p in phases %}{{ ', ' if not loop.first }}case when s.v_{{ p }} > {{ var('no_supply_pct') }} / 10.0 * s.nominal_v then s.v_{{ p }} end{% endfor %}) as high_dv,
               (s.v_r + coalesce(s.v_y, s.v_r) + coalesce(s.v_b, s.v_r))::bigint as sum_dv
    ) v
),

day_figure as (
    select g.day, g.dt_id, count(*)::integer as slots, max(g.slot_min)::smallint as slot_min, max(g.slot_min) / 60.0::double precision as slot_h,
           count(g.net_wh)::integer as present_slots, max(g.capacity_kva) as capacity_kva, max(g.nominal_v) as nominal_v,
           sum(g.import_wh)::bigint as import_wh, sum(g.import_vah)::bigint as import_vah,
           sum(g.import_wh) filter (where g.import_vah is not null)::double precision as wh_of_vah,
           sum(g.net_wh)::double precision as net_wh, max(g.net_wh)::double precision as net_max_wh,
           sum(g.vah)::double precision as vah, max(g.vah)::double precision as max_vah, count(g.vah) as vah_slots, sum(g.vah::numeric * g.vah)::double precision as vah2,
           (max(array[g.vah, -g.slot]) filter (where g.vah is not null))[2] as peak_slot,
           {%- for limit in [80, 100, 120] %}
           count(*) filter (where g.loading_pct > {{ limit }}) as slots_over_{{ limit }},
           {%- endfor %}
           {%- for p in phases + ['n'] %}
           sum(g.i_{{ p }})::double precision / nullif(count(g.i_{{ p }}), 0) as i_{{ p }}, max(g.i_{{ p }}) as i_{{ p }}_max,
           {%- endfor %}
           count(g.phases_ma)::integer as current_slots,
           sum(g.i_r ^ 2::numeric + g.i_y ^ 2::numeric + g.i_b ^ 2::numeric)::double precision as phase_ma2,
           sum(g.i_n ^ 2::numeric)::double precision as neutral_ma2,
           sum(g.phases_ma ^ 2::numeric)::double precision as sum_ma2,
           -- In thousandths, whole, for the same reason.
           sum(round(1000 * g.unbalance_pct)::bigint)::double precision / nullif(count(g.unbalance_pct), 0) / 1000 as unbalance_avg_pct,
           max(g.unbalance_pct) as unbalance_max_pct,
           count(*) filter (where g.unbalance_pct > {{ var('unbalance_limit_pct') }}) as slots_unbalanced,
           min(g.low_dv) as low_dv, max(g.high_dv) as high_dv, count(g.low_dv)::integer as voltage_slots,
           sum(g.sum_dv) filter (where g.low_dv is not null)::double precision as sum_dv,
           sum(g.sum_dv * g.sum_dv) filter (where g.low_dv is not null)::double precision as sum_dv2,
           {%- set below = "g.low_dv < g.nominal_v * (10 - " ~ var('lt_voltage_limit_pct') ~ " / 10.0)" -%}
           {%- set above = "g.high_dv > g.nominal_v * (10 + " ~ var('lt_voltage_limit_pct') ~ " / 10.0)" %}
           count(*) filter (where {{ below }}) as slots_v_low, count(*) filter (where {{ above }}) as slots_v_high,
           count(*) filter (where {{ below }} or {{ above }}) as slots_v_out,
           count(*) filter (where g.net_wh <> 0) as energy_slots,
           count(g.import_vah) as import_vah_slots,
           count(*) filter (where g.pf < {{ var('pf_limit') }} and g.loading_pct >= {{ var('pf_floor_pct') }}) as slots_pf_low
    from figure g
    group by g.day, g.dt_id
)

select {{ var('discom_id') | int }}::smallint as discom_id, d.day, d.dt_id, d.slots, d.slot_min, d.present_slots, d.import_wh, d.import_vah,
       d.net_max_wh / d.slot_h / 1000 as kw_max,
       d.max_vah / d.slot_h / 1000 as kva_max,
       d.vah / nullif(d.vah_slots, 0) / d.slot_h / 1000 as kva_avg,
       -d.peak_slot::integer as kva_max_slot,
       d.max_vah / d.slot_h / 10 / d.capacity_kva as loading_max_pct,
       {%- for limit in [80, 100, 120] %}
       d.slots_over_{{ limit }} * d.slot_h as hours_over_{{ limit }},
       {%- endfor %}
       d.vah2 / d.slot_h / 1000000 as kva2_h,
       {%- for p in phases + ['n'] %}
       d.i_{{ p }} / 1000 as i_{{ p }}_a, d.i_{{ p }}_max / 1000.0::double precision as i_{{ p }}_max_a,
       {%- endfor %}
       d.current_slots,
       d.phase_ma2 * d.slot_h / 1000000 as phase_a2_h,
       d.neutral_ma2 * d.slot_h / 1000000 as neutral_a2_h,
       d.sum_ma2 / 9 * d.slot_h / 1000000 as mean_a2_h,
       d.unbalance_avg_pct, d.unbalance_max_pct,
       case when d.current_slots > 0 then d.slots_unbalanced * d.slot_h end as hours_unbalanced,
       d.low_dv / 10.0::double precision as v_min_v, d.high_dv / 10.0::double precision as v_max_v,
       d.sum_dv / 30 / nullif(d.voltage_slots, 0) as v_avg_v,
       d.voltage_slots,
       {%- for h in ['low', 'high', 'out'] %}
       case when d.voltage_slots > 0 then d.slots_v_{{ h }} * d.slot_h end as hours_v_{{ h }},
       {%- endfor %}
       coalesce(d.sum_dv2 / 900 / d.nominal_v ^ 2, d.energy_slots) * d.slot_h as iron_h,
       d.wh_of_vah / nullif(d.import_vah, 0) as pf_avg,
       case when d.import_vah_slots > 0 then d.slots_pf_low * d.slot_h end as hours_pf_low,
       d.net_wh / nullif(d.present_slots, 0) / nullif(d.net_max_wh, 0) as load_factor
from day_figure d
