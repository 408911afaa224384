{#
  Technical loss by macro dt_technical_loss; of a feeder its own line's (3 R I², of its head meter's kVA) and all its DTs'. Commercial = the loss of the balance - the technical
  loss of the same days. What points to the commercial part stands beside it as counts; ranks are by commercial kWh, within the month.
#}
{%- set tampers = "('" ~ var('tamper_families') | join("', '") ~ "')" -%}
select r.discom_id, {{ office_columns() }}, 'month' as period, r.period_start, r.level, r.code, r.feeder, r.dt, r.capacity_kva::numeric(8, 2) as capacity_kva, r.days, r.days_balanced,
       r.input_kwh::numeric(18, 3) as input_kwh, r.loss_kwh::numeric(18, 3) as loss_kwh,
       {%- for part in ['no_load', 'load', 'line', 'unbalance', 'ht_line', 'technical', 'commercial'] %}
       r.{{ part }}::numeric(18, 3) as {{ part }}_kwh,
       {%- endfor %}
       {{ steady('100 * r.technical_balanced / nullif(r.input_kwh, 0)') }} as technical_pct,
       {{ steady('100 * r.commercial / nullif(r.input_kwh, 0)') }} as commercial_pct,
       r.method, r.confidence,
       case when r.commercial is not null
            then (rank() over (partition by r.discom_id, r.period_start, r.level, r.commercial is null order by r.commercial::numeric(18, 3) desc))::integer end as commercial_rank,
       coalesce(r.tamper_events, 0) as tamper_events, coalesce(r.tampered_meters, 0) as tampered_meters, coalesce(r.neutral_meters, 0) as neutral_meters,
       coalesce(r.zero_meters, 0) as zero_meters, coalesce(r.disputed_tags, 0) as disputed_tags,
       coalesce(r.suspected_tags, 0) as suspected_tags, coalesce(r.missing_tags, 0) as missing_tags, coalesce(r.negative_days, 0) as negative_days,
       {{ pct('r.present_slots', 'r.slots') }} as coverage_pct,
       a.data_as_of, now() as generated_at
from (
    {%- for level in ['dt', 'feeder'] %}
    select p.discom_id, p.period_start, '{{ level }}' as level, m.*, v.tamper_events, v.tampered_meters, v.neutral_meters, v.zero_meters, v.disputed_tags, g.suspected_tags, g.missing_tags
    from {{ built_periods(['month']) }} p
    cross join lateral (
        {%- if level == 'dt' %}
        select n.dt_id as head_id, n.code, f.code as feeder, n.code as dt, n.office_id, n.capacity_kva, e.days, e.days_balanced, e.input_kwh, e.loss_kwh,
               e.no_load, e.load, e.line, e.unbalance, null::double precision as ht_line, e.technical, e.technical_balanced,
               case when e.days_balanced > 0 then e.loss_kwh - e.technical_balanced end as commercial,
               e.method, e.confidence, e.present_slots, e.slots, y.negative_days
        from ({{ dt_technical_loss() }}) e
        join {{ source('registry', 'dt') }} n on n.discom_id = p.discom_id and n.dt_id = e.dt_id
        join {{ source('registry', 'feeder') }} f on f.discom_id = n.discom_id and f.feeder_id = n.feeder_id
        left join (
            select b.dt_id, (count(*) filter (where b.loss_wh < 0))::integer as negative_days from {{ ref('dt_day') }} b where {{ in_period('b') }} group by b.dt_id
        ) y on y.dt_id = e.dt_id
        {%- else %}
        select f.feeder_id as head_id, f.code, f.code as feeder, null::text as dt, f.office_id, null::numeric, b.days, b.days_balanced, b.input_kwh, b.loss_kwh,
               t.no_load, t.load, t.line, t.unbalance, h.ht_line, coalesce(h.ht_line, 0) + t.technical,
               (coalesce(h.ht_line, 0) + t.technical) * b.days_balanced / b.days,
               case when b.days_balanced > 0 then b.loss_kwh - (coalesce(h.ht_line, 0) + t.technical) * b.days_balanced / b.days end,
               case when h.ht_line is null then 'dts' else 'line and dts' end,
               case when h.ht_line is null or t.unknown > 0 then 'low' when t.confident = t.dts then 'high' else 'medium' end,
               coalesce(h.present_slots, 0), coalesce(h.slots, 0), b.negative_days
        from (
            select b.feeder_id, count(*)::integer as days, count(b.loss_wh)::integer as days_balanced,
                   sum(b.input_wh + b.rooftop_export_wh) filter (where b.loss_wh is not null) / 1000.0::double precision as input_kwh,
                   sum(b.loss_wh) / 1000.0::double precision as loss_kwh, (count(*) filter (where b.loss_wh < 0))::integer as negative_days
            from {{ ref('feeder_day') }} b
            where {{ in_period('b') }}
            group by b.feeder_id
        ) b
        join {{ source('registry', 'feeder') }} f on f.discom_id = p.discom_id and f.feeder_id = b.feeder_id
        join (
            select n.feeder_id, sum(e.no_load) as no_load, sum(e.load) as load, sum(e.line) as line, sum(e.unbalance) as unbalance, sum(e.technical) as technical,
                   count(*) as dts, count(*) filter (where e.method = 'none') as unknown, count(*) filter (where e.confidence = 'high') as confident
            from ({{ dt_technical_loss() }}) e
            join {{ source('registry', 'dt') }} n on n.discom_id = p.discom_id and n.dt_id = e.dt_id
            group by n.feeder_id
        ) t on t.feeder_id = b.feeder_id
        left join (
            select c.head_id, sum(c.present_slots) as present_slots, sum(c.due_slots) as slots,
                   w.line_ohm * sum(c.kva2_h) / w.voltage_kv::double precision ^ 2 * sum(c.slots) / nullif(sum(c.power_slots), 0) / 1000 as ht_line
            from {{ ref('load_curve') }} c
            join {{ source('registry', 'feeder') }} w on w.discom_id = c.discom_id and w.feeder_id = c.head_id
            where {{ in_period('c') }} and c.kind = 'feeder'
            group by c.head_id, w.line_ohm, w.voltage_kv
        ) h on h.head_id = b.feeder_id
        {%- endif %}
    ) m
    -- Meters, each by the place that it is indexed to at the end of the month.
    left join lateral (
        select {{ 'x.dt_id' if level == 'dt' else 'coalesce(x.feeder_id, n.feeder_id)' }} as head_id,
               sum(k.tamper_events)::integer as tamper_events, (count(*) filter (where k.tamper_events > 0))::integer as tampered_meters,
               (count(*) filter (where k.neutral_days > 0))::integer as neutral_meters, (count(*) filter (where k.zero_days > 0))::integer as zero_meters,
               (sum(k.disputed))::integer as disputed_tags
        from (
            select w.service_point_id, sum(w.tamper_events) as tamper_events, sum(w.neutral_days) as neutral_days, sum(w.zero_days) as zero_days, max(w.disputed) as disputed
            from (
                select i.service_point_id, v.occurrences as tamper_events, 0 as neutral_days, 0 as zero_days, 0 as disputed
                from {{ ref('event_day') }} v
                join {{ source('registry', 'installation') }} i on i.discom_id = v.discom_id and i.meter_id = v.meter_id and {{ valid_on('i', 'v.day') }}
                where {{ in_period('v') }} and v.family in {{ tampers }}
                union all
                select v.service_point_id, 0, 1, 0, 0 from {{ ref('neutral_day') }} v where {{ in_period('v') }}
                union all
                select i.service_point_id, 0, 0, 1, 0
                from {{ source('vee', 'exception') }} v
                join {{ source('registry', 'installation') }} i on i.discom_id = v.discom_id and i.meter_id = v.meter_id and {{ valid_on('i', 'v.day') }}
                where {{ in_period('v') }} and v.rule = 'V13' and v.stage = 'initial'
                union all
                select x.service_point_id, 0, 0, 0, 1
                from {{ source('registry', 'consumer_index') }} x
                where x.discom_id = p.discom_id and x.state = 'DISPUTED' and x.valid_from < p.period_end and (x.valid_to is null or x.valid_to > p.period_start)
            ) w
            where w.service_point_id is not null
            group by w.service_point_id
        ) k
        join {{ source('registry', 'consumer_index') }} x on x.discom_id = p.discom_id and x.service_point_id = k.service_point_id and {{ valid_on('x', '(p.period_end - 1)') }}
        {%- if level == 'feeder' %}
        left join {{ source('registry', 'dt') }} n on n.discom_id = x.discom_id and n.dt_id = x.dt_id
        {%- endif %}
        where {{ 'x.dt_id is not null' if level == 'dt' else 'true' }}
        group by 1
    ) v on v.head_id = m.head_id
    -- Wrong tags that the month's audit suspects (meterhouse audit tags): consumers that are tagged here and hang elsewhere, or the other way round.
    left join lateral (
        select {{ 'w.dt_id' if level == 'dt' else 'n.feeder_id' }} as head_id,
               (count(*) filter (where w.tagged))::integer as suspected_tags, (count(*) filter (where not w.tagged))::integer as missing_tags
        from (
            select s.tagged_dt_id as dt_id, true as tagged from {{ source('energy', 'suspected_tag') }} s
            where s.discom_id = p.discom_id and s.month = p.period_start and s.state = 'suspected'
            union all
            select s.better_dt_id, false from {{ source('energy', 'suspected_tag') }} s where s.discom_id = p.discom_id and s.month = p.period_start and s.state = 'suspected'
        ) w
        {%- if level == 'feeder' %}
        join {{ source('registry', 'dt') }} n on n.discom_id = p.discom_id and n.dt_id = w.dt_id
        {%- endif %}
        group by 1
    ) g on g.head_id = m.head_id
    {{ 'union all' if not loop.last }}
    {%- endfor %}
) r
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = r.discom_id and o.office_id = r.office_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = r.discom_id
