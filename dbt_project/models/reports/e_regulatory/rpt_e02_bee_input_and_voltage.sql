{#
  Forms P2 (where the energy came from) and P4 (what each voltage took in, sold, passed on and lost). A level's energy is that of the DTs (LT), feeders and
  substations (of their incomers' voltage) that have a balance: input + embedded generation = sale + passed on + loss. The summary gives open access its
  part of input and loss by its part of the sale.
#}
select r.discom_id, null::text as zone, null::text as circle, null::text as division, null::text as subdivision, null::text as office,
       r.period, r.period_start, r.form, r.kind, r.line, r.voltage,
       {{ million_units('r.input_wh') }} as input_mu,
       {{ million_units('r.embedded_wh') }} as embedded_generation_mu,
       {{ million_units('r.sale_wh - r.open_access_wh') }} as discom_sale_mu,
       {{ million_units('r.open_access_wh') }} as open_access_mu,
       {{ million_units('r.sale_wh') }} as sale_mu,
       {{ million_units('r.passed_wh') }} as passed_on_mu,
       {{ million_units('r.loss_wh') }} as loss_mu,
       {{ pct('r.loss_wh', '(r.input_wh + r.embedded_wh)') }} as loss_pct,
       r.remarks,
       {{ pct('r.balanced', 'r.due') }} as coverage_pct,
       a.data_as_of, now() as generated_at
from (
    select p.discom_id, p.period, p.period_start, 'P4' as form, x.*
    from {{ built_periods(['quarter', 'financial_year']) }} p
    cross join lateral (
        -- Energy of what has a balance, a row a voltage and kind of balance; `due` and `balanced` are days of DTs, feeders or substations.
        select 'level' as kind, v.voltage as line, v.voltage, sum(v.input_wh) as input_wh, sum(v.embedded_wh) as embedded_wh, sum(v.open_access_wh) as open_access_wh,
               sum(v.sale_wh) as sale_wh, sum(v.passed_wh) as passed_wh, sum(v.loss_wh) as loss_wh, sum(v.due) as due, sum(v.balanced) as balanced, null::text as remarks
        from (
            select 'LT' as voltage,
                   sum(d.dt_import_wh - d.dt_export_wh) filter (where d.loss_wh is not null) as input_wh,
                   sum(d.consumer_export_wh) filter (where d.loss_wh is not null) as embedded_wh,
                   0 as open_access_wh,
                   sum(d.consumer_import_wh + d.unmetered_wh + d.street_light_wh) filter (where d.loss_wh is not null) as sale_wh,
                   0 as passed_wh, sum(d.loss_wh) as loss_wh, count(*) as due, count(d.loss_wh) as balanced
            from {{ ref('dt_day') }} d
            where {{ in_period('d') }}
            having count(*) > 0
            union all
            select u.voltage, u.input_wh, u.embedded_wh, u.open_access_wh, u.sale_wh, u.passed_wh, u.loss_wh, u.due, u.balanced
            from (
                select {{ voltage_level('f.voltage_kv') }} as ht,
                       sum(d.input_wh) as ht_input_wh,
                       sum(d.ht_billed_wh - d.ht_wh) filter (where d.loss_wh is not null) as ht_embedded_wh,
                       sum(d.ht_open_access_wh) filter (where d.loss_wh is not null) as ht_open_access_wh,
                       sum(d.ht_billed_wh) filter (where d.loss_wh is not null) as ht_sale_wh,
                       sum(d.dt_wh) filter (where d.loss_wh is not null) as ht_passed_wh,
                       sum(d.loss_ht_wh) as ht_loss_wh,
                       sum(d.open_access_wh - d.ht_open_access_wh) as lt_open_access_wh,
                       count(*) as due, count(d.loss_wh) as balanced
                from {{ ref('feeder_day') }} d
                join {{ source('registry', 'feeder') }} f on f.discom_id = d.discom_id and f.feeder_id = d.feeder_id
                where {{ in_period('d') }}
                group by {{ voltage_level('f.voltage_kv') }}
            ) h
            cross join lateral (values
                (h.ht, h.ht_input_wh, h.ht_embedded_wh, h.ht_open_access_wh, h.ht_sale_wh, h.ht_passed_wh, h.ht_loss_wh, h.due, h.balanced),
                ('LT', 0, 0, h.lt_open_access_wh, 0, 0, 0, 0, 0)
            ) u(voltage, input_wh, embedded_wh, open_access_wh, sale_wh, passed_wh, loss_wh, due, balanced)
            union all
            select {{ voltage_level('n.voltage_kv') }}, sum(d.input_wh) filter (where d.unbalance_wh is not null), 0, 0, sum(d.tapped_wh) filter (where d.unbalance_wh is not null),
                   sum(d.output_wh) filter (where d.unbalance_wh is not null), sum(d.unbalance_wh), count(*), count(d.unbalance_wh)
            from {{ ref('substation_day') }} d
            join (
                select discom_id, feeds_substation_id, max(voltage_kv) as voltage_kv
                from {{ source('registry', 'feeder') }} where feeds_substation_id is not null group by discom_id, feeds_substation_id
            ) n on n.discom_id = d.discom_id and n.feeds_substation_id = d.substation_id
            where {{ in_period('d') }}
            group by {{ voltage_level('n.voltage_kv') }}
        ) v
        group by v.voltage
        union all
        select 'summary', w.line, 'all', t.input_wh * w.share, t.embedded_wh * w.share, w.open_access_wh, w.sale_wh, 0, t.loss_wh * w.share, t.due, t.balanced, null
        from (
            select sum(d.input_wh) as input_wh, sum(d.rooftop_export_wh) filter (where d.loss_wh is not null) as embedded_wh,
                   sum(d.billed_wh + d.unmetered_wh + d.street_light_wh) filter (where d.loss_wh is not null) as sale_wh,
                   sum(d.open_access_wh) filter (where d.loss_wh is not null) as open_access_wh,
                   sum(d.loss_wh) as loss_wh, count(*) as due, count(d.loss_wh) as balanced
            from {{ ref('feeder_day') }} d
            where {{ in_period('d') }}
        ) t
        cross join lateral (values
            ('All', t.sale_wh, t.open_access_wh, 1.0),
            ('Discom', t.sale_wh - t.open_access_wh, 0, (t.sale_wh - t.open_access_wh) / nullif(t.sale_wh, 0)),
            ('Open access', t.open_access_wh, t.open_access_wh, t.open_access_wh / nullif(t.sale_wh, 0))
        ) w(line, sale_wh, open_access_wh, share)
        where t.due > 0
    ) x
    union all
    select p.discom_id, p.period, p.period_start, 'P2', e.kind, e.source, trim_scale(e.voltage_kv) || ' kV', sum(e.energy_wh * case when e.kind = 'traded' then -1 else 1 end),
           null, null, null, null, null, null, null, string_agg(distinct e.remarks, '; ')
    from {{ built_periods(['quarter', 'financial_year']) }} p
    join {{ source('registry', 'energy_purchase') }} e on e.discom_id = p.discom_id and e.month >= p.period_start and e.month < p.period_end
    group by p.discom_id, p.period, p.period_start, e.kind, e.source, e.voltage_kv
) r
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = r.discom_id
