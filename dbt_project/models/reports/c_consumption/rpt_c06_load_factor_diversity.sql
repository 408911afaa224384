{#
  Load factor = mean kW / highest kW of the month. Diversity factor = the sum of the members' own peaks / the group's peak, on the day of the group's peak: the consumers of a
  category at an office and of a DT, the DTs and HT consumers of a feeder.
#}
select g.discom_id, {{ office_columns() }}, 'month' as period, g.period_start, g.kind, g.head, g.category, g.interval_min,
       (g.energy_wh * 0.001)::numeric(18, 3) as energy_kwh,
       (g.energy_wh / nullif(g.hours, 0) / 1000)::numeric(15, 3) as mean_kw,
       (g.peak_w / 1000)::numeric(15, 3) as peak_kw,
       {{ slot_starts_at('g.peak_day', 'g.peak_slot', 'g.interval_min') }} as peak_at,
       {{ steady('g.energy_wh / nullif(g.hours, 0) / nullif(g.peak_w, 0)') }} as load_factor,
       (g.members_w / 1000)::numeric(15, 3) as members_peak_kw,
       {{ steady('case when g.peak_w > 0 then g.members_w / g.peak_w end') }} as diversity_factor,
       {{ pct('g.present_slots', 'g.due_slots') }} as coverage_pct,
       a.data_as_of, now() as generated_at
from (
    select p.discom_id, p.period_start, 'category' as kind, n.code as head, c.category, c.head_id as office_id, c.interval_min, c.energy_wh, c.hours, c.peak[1] as peak_w,
           date '2000-01-01' - c.peak[2]::integer as peak_day, -c.peak[3] as peak_slot, c.peak[4] as members_w, c.present_slots, c.due_slots
    from {{ built_periods(['month']) }} p
    cross join lateral (
        select c.head_id, c.category, c.interval_min, sum(c.energy_wh)::double precision as energy_wh, sum(c.power_slots * c.interval_min) / 60.0::double precision as hours,
               {{ peak_of_days('c', 'c.max_w', 'c.max_w_slot', 'c.members_peak_w') }} as peak,
               sum(c.present_slots) as present_slots, sum(c.due_slots) as due_slots
        from {{ ref('load_curve') }} c
        where {{ in_period('c') }} and c.kind = 'category'
        group by c.head_id, c.category, c.interval_min
    ) c
    join {{ source('registry', 'office') }} n on n.discom_id = p.discom_id and n.office_id = c.head_id
    union all
    select p.discom_id, p.period_start, 'feeder', f.code, 'feeder', f.office_id, c.interval_min, c.energy_wh, c.hours, c.peak[1],
           date '2000-01-01' - c.peak[2]::integer, -c.peak[3], nullif(coalesce(d.peaks_w, 0) + coalesce(h.peaks_w, 0), 0), c.present_slots, c.due_slots
    from {{ built_periods(['month']) }} p
    cross join lateral (
        select c.head_id, c.interval_min, sum(c.energy_wh)::double precision as energy_wh, sum(c.power_slots * c.interval_min) / 60.0::double precision as hours,
               {{ peak_of_days('c', 'c.max_w', 'c.max_w_slot') }} as peak, sum(c.present_slots) as present_slots, sum(c.due_slots) as due_slots
        from {{ ref('load_curve') }} c
        where {{ in_period('c') }} and c.kind = 'feeder'
        group by c.head_id, c.interval_min
    ) c
    join {{ source('registry', 'feeder') }} f on f.discom_id = p.discom_id and f.feeder_id = c.head_id
    left join lateral (
        select w.feeder_id, l.day, sum(l.kw_max) * 1000 as peaks_w
        from {{ ref('dt_load_day') }} l
        join {{ source('registry', 'dt') }} w on w.discom_id = l.discom_id and w.dt_id = l.dt_id
        where {{ in_period('l') }}
        group by w.feeder_id, l.day
    ) d on d.feeder_id = c.head_id and d.day = date '2000-01-01' - c.peak[2]::integer
    left join lateral (
        select c.head_id, c.day, c.members_peak_w::double precision as peaks_w from {{ ref('load_curve') }} c where {{ in_period('c') }} and c.kind = 'ht'
    ) h on h.head_id = c.head_id and h.day = date '2000-01-01' - c.peak[2]::integer
    union all
    select p.discom_id, p.period_start, 'dt', t.code, 'dt', t.office_id, c.slot_min, c.energy_wh, c.hours, c.peak[1],
           date '2000-01-01' - c.peak[2]::integer, -c.peak[3], m.peaks_w, c.present_slots, c.due_slots
    from {{ built_periods(['month']) }} p
    cross join lateral (
        select c.dt_id, c.slot_min, sum(c.load_factor * c.kw_max * c.present_slots * c.slot_min / 60) * 1000 as energy_wh,
               sum(c.present_slots * c.slot_min) / 60.0::double precision as hours,
               {{ peak_of_days('c', 'c.kw_max * 1000', 'c.kva_max_slot') }} as peak, sum(c.present_slots) as present_slots, sum(c.slots) as due_slots
        from {{ ref('dt_load_day') }} c
        where {{ in_period('c') }}
        group by c.dt_id, c.slot_min
    ) c
    join {{ source('registry', 'dt') }} t on t.discom_id = p.discom_id and t.dt_id = c.dt_id
    left join lateral (
        select c.head_id, c.day, c.members_peak_w::double precision as peaks_w from {{ ref('load_curve') }} c where {{ in_period('c') }} and c.kind = 'dt'
    ) m on m.head_id = c.dt_id and m.day = date '2000-01-01' - c.peak[2]::integer
) g
join {{ source('registry', 'discom') }} z on z.discom_id = g.discom_id
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = g.discom_id and o.office_id = g.office_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = g.discom_id
