{#
  Rows A-L of the CEA/PFC table (domain 4.1) by both methods. CEA_2017_CAPPED takes collection efficiency as at most 100 %, of subsidy no more than was booked,
  and counts open access as input and sale. MOP_2023 leaves open access out of both, takes all subsidy received and collection efficiency as it is.

  A of the DISCOM's top office is what was purchased, where that is given for a month of which every day is built; of all else, what the feeders took in.
  The difference is B. Money comes from bills and receipts of the consumers that are tagged to the office's feeders, for months without any from revenue_month.
  Bills count as energy sold once every day of their month is built: both sides must be of the same days. What rooftops put in is input, so where bills are net of it it is sold too.
#}
with feeder_month as (
    select d.discom_id, d.feeder_id, d.office_id, date_trunc('month', d.day)::date as month, count(*) as days,
           sum(d.input_wh + d.rooftop_export_wh) as input_wh,
           sum(d.rooftop_export_wh) filter (where d.input_wh is not null) as rooftop_wh,
           sum(d.billed_wh) filter (where d.input_wh is not null) as metered_wh,
           coalesce(sum(d.unmetered_wh + d.street_light_wh) filter (where d.input_wh is not null), 0) as assessed_wh,
           coalesce(sum(d.open_access_wh) filter (where d.input_wh is not null), 0) as open_access_wh,
           sum(d.consumers) as consumer_days, sum(d.consumers_complete) as consumer_days_complete
    from {{ ref('feeder_day') }} d
    join {{ source('registry', 'feeder') }} f on f.discom_id = d.discom_id and f.feeder_id = d.feeder_id
    -- An incomer brings what the feeders of its substation take in.
    where f.feeds_substation_id is null
    group by d.discom_id, d.feeder_id, d.office_id, date_trunc('month', d.day)
),

energy as (
    {%- for scope in ['office', 'feeder'] %}
    select m.discom_id, '{{ scope }}' as scope, {{ 't.ancestor_id' if scope == 'office' else 'm.feeder_id' }} as place_id, m.month, max(m.days) as days,
           {%- for e in ['input_wh', 'rooftop_wh', 'metered_wh', 'assessed_wh', 'open_access_wh', 'consumer_days', 'consumer_days_complete'] %}
           sum(m.{{ e }}) as {{ e }}{{ ',' if not loop.last }}
           {%- endfor %}
    from feeder_month m
    {%- if scope == 'office' %}
    join {{ ref('stg_registry__office_tree') }} t on t.discom_id = m.discom_id and t.office_id = m.office_id
    {%- endif %}
    group by m.discom_id, place_id, m.month
    {{- ' union all' if not loop.last }}
    {%- endfor %}
),

billed as (
    {%- for scope in ['office', 'feeder'] %}
    select m.discom_id, '{{ scope }}' as scope, {{ 't.ancestor_id' if scope == 'office' else 'm.feeder_id' }} as place_id, m.month,
           {%- for e in ['bills', 'billed_wh', 'unmetered_wh', 'amount_inr', 'subsidy_booked_inr', 'payment_inr', 'arrears_inr', 'subsidy_received_inr'] %}
           sum(m.{{ e }}) as {{ e }}{{ ',' if not loop.last }}
           {%- endfor %}
    from {{ ref('stg_billing__feeder_month') }} m
    {%- if scope == 'office' %}
    join {{ ref('stg_registry__office_tree') }} t on t.discom_id = m.discom_id and t.office_id = m.office_id
    {%- else %}
    where m.feeder_id is not null
    {%- endif %}
    group by m.discom_id, place_id, m.month
    having sum(m.bills) > 0
    {{- ' union all' if not loop.last }}
    {%- endfor %}
),

account as (
    select t.discom_id, t.ancestor_id as place_id, r.month, sum(r.revenue_inr) as revenue_inr, sum(r.subsidy_booked_inr) as subsidy_booked_inr,
           sum(r.subsidy_received_inr) as subsidy_received_inr, sum(r.opening_debtors_inr) as opening_debtors_inr, sum(r.closing_debtors_inr) as closing_debtors_inr
    from {{ source('registry', 'revenue_month') }} r
    join {{ ref('stg_registry__office_tree') }} t on t.discom_id = r.discom_id and t.office_id = r.office_id
    group by t.discom_id, t.ancestor_id, r.month
),

purchase as (
    select p.discom_id, o.office_id as place_id, p.month,
           sum(case p.kind when 'traded' then -p.energy_wh when 'open_access' then 0 else p.energy_wh end) as own_wh,
           sum(p.energy_wh) filter (where p.kind = 'open_access') as open_access_wh
    from {{ source('registry', 'energy_purchase') }} p
    join {{ source('registry', 'office') }} o on o.discom_id = p.discom_id and o.parent_id is null
    group by p.discom_id, o.office_id, p.month
),

place_month as (
    select e.discom_id, e.scope, e.place_id, e.month, e.consumer_days, e.consumer_days_complete,
           case when p.own_wh is not null then p.own_wh + coalesce(p.open_access_wh, e.open_access_wh) + coalesce(e.rooftop_wh, 0) else e.input_wh end as input_wh,
           e.input_wh as feeders_wh,
           case when p.own_wh is not null then coalesce(p.open_access_wh, e.open_access_wh) else e.open_access_wh end as wheeled_in_wh,
           e.open_access_wh as wheeled_out_wh,
           case when b.bills is not null and w.whole
                then b.billed_wh + greatest(e.assessed_wh, b.unmetered_wh){{ " + e.open_access_wh" if not var('bills_with_open_access') }}
                     {{- " + coalesce(e.rooftop_wh, 0)" if var('bills_net_of_export') }}
                else e.metered_wh + e.assessed_wh end as sold_wh,
           b.bills,
           coalesce(b.amount_inr, a.revenue_inr) as revenue_inr,
           case when b.bills is null then a.subsidy_booked_inr else b.subsidy_booked_inr end as subsidy_booked_inr,
           case when b.bills is null then a.subsidy_received_inr else b.subsidy_received_inr end as subsidy_received_inr,
           case when b.bills is null then a.revenue_inr - a.subsidy_booked_inr end as due_inr,
           case when b.bills is null then a.opening_debtors_inr end as opening_debtors_inr,
           case when b.bills is null then a.closing_debtors_inr end as closing_debtors_inr,
           b.payment_inr, b.arrears_inr
    from energy e
    cross join lateral (select e.days >= extract(day from e.month + interval '1 month - 1 day') as whole) w
    left join billed b on b.discom_id = e.discom_id and b.scope = e.scope and b.place_id = e.place_id and b.month = e.month
    left join account a on a.discom_id = e.discom_id and e.scope = 'office' and a.place_id = e.place_id and a.month = e.month
    left join purchase p on p.discom_id = e.discom_id and e.scope = 'office' and p.place_id = e.place_id and p.month = e.month and w.whole
    -- Of a feeder there are no debtors: without bills nothing is known of its money.
    where e.scope = 'office' or b.bills is not null
),

period as (
    select m.discom_id, m.scope, m.place_id, v.period, v.period_start,
           sum(m.input_wh) / 1e9 as input_mu, sum(m.feeders_wh) / 1e9 as feeders_mu, sum(m.wheeled_in_wh) / 1e9 as wheeled_in_mu,
           sum(m.wheeled_out_wh) / 1e9 as wheeled_out_mu, sum(m.sold_wh) / 1e9 as sold_mu,
           sum(m.bills)::integer as bills,
           sum(m.revenue_inr) as revenue_inr, sum(m.subsidy_booked_inr) as subsidy_booked_inr, sum(m.subsidy_received_inr) as subsidy_received_inr,
           (array_agg(m.opening_debtors_inr order by m.month) filter (where m.bills is null))[1] as opening_debtors_inr,
           (array_agg(m.closing_debtors_inr order by m.month desc) filter (where m.bills is null))[1] as closing_debtors_inr,
           bool_or(m.bills is null) as of_accounts,
           sum(m.due_inr) as due_inr, coalesce(sum(m.payment_inr), 0) as payment_inr, sum(m.arrears_inr) as arrears_inr,
           {{ pct('sum(m.consumer_days_complete)', 'sum(m.consumer_days)') }} as coverage_pct
    from place_month m
    cross join lateral (values ('month', m.month), ('quarter', date_trunc('quarter', m.month)::date),
                               ('financial_year', (date_trunc('year', m.month - interval '3 months') + interval '3 months')::date)) as v(period, period_start)
    group by m.discom_id, m.scope, m.place_id, v.period, v.period_start
),

statement as (
    select p.*, k.method, c.ce as collected_share,
           case when c.ce > k.cap then k.cap else c.ce end as ce,
           p.revenue_inr - p.subsidy_booked_inr + s.subsidy_inr as adjusted_inr,
           p.input_mu - k.without_wheeled * p.wheeled_in_mu as a_mu,
           p.input_mu - p.feeders_mu as b_mu,
           p.feeders_mu - k.without_wheeled * p.wheeled_in_mu as c_mu,
           p.sold_mu - k.without_wheeled * p.wheeled_out_mu as d_mu,
           c.realised_inr
    from period p
    cross join (values ('CEA_2017_CAPPED', 1, 0, true), ('MOP_2023', null, 1, false)) as k(method, cap, without_wheeled, of_booked)
    cross join lateral (
        select case when k.of_booked then least(p.subsidy_received_inr, p.subsidy_booked_inr) else p.subsidy_received_inr end as subsidy_inr
    ) s
    cross join lateral (
        select x.realised_inr, x.realised_inr / nullif(p.revenue_inr, 0) as ce
        from (
            select p.payment_inr + s.subsidy_inr + case when p.of_accounts then p.due_inr + p.opening_debtors_inr - p.closing_debtors_inr else 0 end as realised_inr
        ) x
    ) c
),

-- The monthly field form (SoP-014): whatever was collected, of whichever bills, counts.
sop as (
    select r.*, p.collected_inr, 100 * r.sold_mu / nullif(r.feeders_mu, 0) as billing_pct, 100 * p.collected_inr / nullif(r.revenue_inr, 0) as collection_pct
    from statement r
    cross join lateral (
        select r.realised_inr - case when r.method = 'CEA_2017_CAPPED' then least(r.subsidy_received_inr, r.subsidy_booked_inr) else r.subsidy_received_inr end
               + r.subsidy_received_inr + coalesce(r.arrears_inr, 0) as collected_inr
    ) p
)

select r.discom_id, {{ office_columns() }}, w.office_id, r.scope, r.place_id, f.code as feeder, r.period, r.period_start, r.method,
       r.a_mu::double precision as a_input_mu,
       r.b_mu::double precision as b_transmission_loss_mu,
       r.c_mu::double precision as c_net_input_mu,
       r.d_mu::double precision as d_sold_mu,
       r.revenue_inr::numeric(20, 2) as e_revenue_inr, r.adjusted_inr::numeric(20, 2) as f_adjusted_revenue_inr,
       r.opening_debtors_inr::numeric(20, 2) as g_opening_debtors_inr, r.closing_debtors_inr::numeric(20, 2) as h_closing_debtors_inr,
       (100 * r.ce)::double precision as i_collection_efficiency_pct,
       (r.d_mu * r.ce)::double precision as j_units_realised_mu,
       (r.c_mu - r.d_mu * r.ce)::double precision as k_units_unrealised_mu,
       (100 * (1 - r.d_mu / nullif(r.c_mu, 0) * r.ce))::double precision as l_atc_loss_pct,
       (100 * r.d_mu / nullif(r.c_mu, 0))::double precision as billing_efficiency_pct,
       r.realised_inr::numeric(20, 2), r.arrears_inr::numeric(20, 2), r.bills,
       {%- for name, value in [
           ('sop_a_input_mu', 'r.feeders_mu'), ('sop_b_billed_mu', 'r.sold_mu'), ('sop_c_billing_efficiency_pct', 'r.billing_pct'),
           ('sop_d_billed_lakh', 'r.revenue_inr / 1e5'), ('sop_e_collected_lakh', 'r.collected_inr / 1e5'), ('sop_f_collection_efficiency_pct', 'r.collection_pct'),
           ('sop_g_business_efficiency_pct', 'r.billing_pct * r.collection_pct / 100'), ('sop_h_loss_pct', '(100 - r.billing_pct * r.collection_pct / 100)')] %}
       case when r.period = 'month' then {{ value }} end::double precision as {{ name }},
       {%- endfor %}
       r.coverage_pct,
       a.data_as_of, now() as generated_at
from sop r
left join {{ source('registry', 'feeder') }} f on r.scope = 'feeder' and f.discom_id = r.discom_id and f.feeder_id = r.place_id
cross join lateral (select coalesce(f.office_id, r.place_id) as office_id) w
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = r.discom_id and o.office_id = w.office_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = r.discom_id
