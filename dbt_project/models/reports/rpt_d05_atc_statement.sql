{#
  Rows A-L of the CEA/PFC table (domain 4.1) by both methods: CEA_2017_CAPPED takes collection efficiency as at most 100 %, MOP_2023 takes it as it is.
  A is what the feeders of the office took in, so transmission losses (B) lie before the meter and are 0.
#}
with energy as (
    select t.discom_id, t.ancestor_id as office_id, date_trunc('month', d.day)::date as month,
           sum(d.input_wh + d.rooftop_export_wh) as input_wh, sum(d.billed_wh) filter (where d.input_wh is not null) as billed_wh,
           sum(d.consumers) as consumer_days, sum(d.consumers_complete) as consumer_days_complete
    from {{ ref('feeder_day') }} d
    join {{ ref('stg_registry__office_tree') }} t on t.discom_id = d.discom_id and t.office_id = d.office_id
    group by t.discom_id, t.ancestor_id, date_trunc('month', d.day)
),

money as (
    select t.discom_id, t.ancestor_id as office_id, r.month, sum(r.revenue_inr) as revenue_inr, sum(r.subsidy_booked_inr) as subsidy_booked_inr,
           sum(r.subsidy_received_inr) as subsidy_received_inr, sum(r.opening_debtors_inr) as opening_debtors_inr, sum(r.closing_debtors_inr) as closing_debtors_inr
    from {{ source('registry', 'revenue_month') }} r
    join {{ ref('stg_registry__office_tree') }} t on t.discom_id = r.discom_id and t.office_id = r.office_id
    group by t.discom_id, t.ancestor_id, r.month
),

period as (
    select e.discom_id, e.office_id, v.period, v.period_start,
           sum(e.input_wh) / 1e9 as a_input_mu,
           sum(e.billed_wh) / 1e9 as d_sold_mu,
           sum(m.revenue_inr) as e_revenue_inr,
           sum(m.revenue_inr - m.subsidy_booked_inr + m.subsidy_received_inr) as f_adjusted_revenue_inr,
           (array_agg(m.opening_debtors_inr order by e.month))[1] as g_opening_debtors_inr,
           (array_agg(m.closing_debtors_inr order by e.month desc))[1] as h_closing_debtors_inr,
           {{ pct('sum(e.consumer_days_complete)', 'sum(e.consumer_days)') }} as coverage_pct
    from energy e
    left join money m using (discom_id, office_id, month)
    cross join lateral (values ('month', e.month), ('quarter', date_trunc('quarter', e.month)::date),
                               ('financial_year', (date_trunc('year', e.month - interval '3 months') + interval '3 months')::date)) as v(period, period_start)
    group by e.discom_id, e.office_id, v.period, v.period_start
),

efficiency as (
    select p.*, k.method, case when c.ce > k.cap then k.cap else c.ce end as ce
    from period p
    cross join lateral (
        select (p.f_adjusted_revenue_inr + p.g_opening_debtors_inr - p.h_closing_debtors_inr) / nullif(p.e_revenue_inr, 0) as ce
    ) c
    cross join (values ('CEA_2017_CAPPED', 1), ('MOP_2023', null)) as k(method, cap)
)

select r.discom_id, {{ office_columns() }}, r.office_id, r.period, r.period_start, r.method,
       r.a_input_mu::double precision as a_input_mu,
       0::double precision as b_transmission_loss_mu,
       r.a_input_mu::double precision as c_net_input_mu,
       r.d_sold_mu::double precision as d_sold_mu,
       r.e_revenue_inr::numeric(20, 2), r.f_adjusted_revenue_inr::numeric(20, 2), r.g_opening_debtors_inr::numeric(20, 2), r.h_closing_debtors_inr::numeric(20, 2),
       (100 * r.ce)::double precision as i_collection_efficiency_pct,
       (r.d_sold_mu * r.ce)::double precision as j_units_realised_mu,
       (r.a_input_mu - r.d_sold_mu * r.ce)::double precision as k_units_unrealised_mu,
       (100 * (1 - r.d_sold_mu / nullif(r.a_input_mu, 0) * r.ce))::double precision as l_atc_loss_pct,
       (100 * r.d_sold_mu / nullif(r.a_input_mu, 0))::double precision as billing_efficiency_pct,
       r.coverage_pct,
       a.data_as_of, now() as generated_at
from efficiency r
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = r.discom_id and o.office_id = r.office_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = r.discom_id
