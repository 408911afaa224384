{#
  Of meters whose billing rows of a month and of the month before have landed, what they say; else the final layer (report C01): energies, the highest interval as maximum demand.
  Which of both stands in `basis`; a billing row without the one before gives its demand, power factor and closing register. With the multiplying factor.
#}
with billing_row as (
    {{ billing_rows() }}
),

billed as (
    select r.discom_id, r.month, n.consumer_id, n.code as consumer, p.category, p.office_id, m.serial, r.day,
           {{ billed_usage('import_wh') }} * i.mf as import_wh,
           {{ billed_usage('import_vah') }} * i.mf as import_vah,
           {{ billed_usage('export_wh') }} * i.mf as export_wh,
           {%- for zone in range(1, 9) %}
           {{ billed_usage('z' ~ zone ~ '_wh') }} * i.mf as z{{ zone }}_wh,
           {%- endfor %}
           r.import_wh * i.mf as closing_wh,
           r.md_import_w[1]::bigint * i.mf as md_w, to_timestamp(r.md_import_w[2]) as md_at, r.md_import_va[1]::bigint * i.mf as md_va, to_timestamp(r.md_import_va[2]) as md_va_at,
           r.power_factor_milli
    from billing_row r
    left join billing_row b on b.discom_id = r.discom_id and b.meter_id = r.meter_id and b.month = (r.month - interval '1 month')::date
    join {{ source('registry', 'meter') }} m on m.discom_id = r.discom_id and m.meter_id = r.meter_id
    join {{ source('registry', 'installation') }} i on i.discom_id = r.discom_id and i.meter_id = r.meter_id and {{ valid_on('i', 'r.day') }}
    join {{ source('registry', 'consumer') }} n on n.discom_id = r.discom_id and n.service_point_id = i.service_point_id and {{ valid_on('n', 'r.day') }}
    join {{ source('registry', 'service_point') }} p on p.discom_id = r.discom_id and p.service_point_id = n.service_point_id
)

select k.discom_id, {{ office_columns('k') }}, 'month' as period, k.month as period_start, k.consumer_id, k.consumer, k.category, k.serial,
       case when k.billed_wh is not null then 'billing profile' else 'final intervals' end as basis,
       k.closing_kwh,
       coalesce({{ kwh('k.billed_wh') }}, k.c_import_kwh) as import_kwh,
       case when k.billed_wh is not null then {{ kwh('k.import_vah') }} else k.c_import_kvah end as import_kvah,
       {%- for zone in range(1, 9) %}
       {{ kwh('k.z' ~ zone ~ '_wh') }} as tz{{ zone }}_kwh,
       {%- endfor %}
       coalesce({{ kwh('k.md_w') }}, k.c_md_kw) as md_kw, k.md_at, {{ kwh('k.md_va') }} as md_kva, k.md_va_at,
       coalesce(k.power_factor_milli / 1000.0::double precision, case when k.billed_wh is not null then (k.billed_wh / nullif(k.import_vah, 0))::double precision else k.c_power_factor end) as power_factor,
       case when k.billed_wh is not null then {{ kwh('k.export_wh') }} else k.c_export_kwh end as export_kwh,
       case when k.billed_wh is not null then 100::double precision else k.c_coverage_pct end as coverage_pct,
       a.data_as_of, now() as generated_at
from (
    -- Both by consumer and month, and not a full join: a month that is asked for is looked for in each.
    select u.discom_id, u.month, u.consumer_id, max(u.consumer) as consumer, max(u.category) as category, u.serial,
           max(u.zone) as zone, max(u.circle) as circle, max(u.division) as division, max(u.subdivision) as subdivision, max(u.office) as office,
           max(u.billed_wh) as billed_wh, max(u.import_vah) as import_vah, max(u.export_wh) as export_wh,
           {%- for zone in range(1, 9) %}
           max(u.z{{ zone }}_wh) as z{{ zone }}_wh,
           {%- endfor %}
           coalesce({{ kwh('max(u.closing_wh)') }}, max(u.c_closing_kwh)::numeric(18, 3)) as closing_kwh, max(u.md_w) as md_w, max(u.md_at) as md_at, max(u.md_va) as md_va, max(u.md_va_at) as md_va_at,
           max(u.power_factor_milli) as power_factor_milli,
           max(u.c_import_kwh)::numeric(18, 3) as c_import_kwh, max(u.c_import_kvah)::numeric(18, 3) as c_import_kvah, max(u.c_export_kwh)::numeric(18, 3) as c_export_kwh, max(u.c_md_kw)::numeric(18, 3) as c_md_kw,
           max(u.c_power_factor) as c_power_factor, max(u.c_coverage_pct) as c_coverage_pct
    from (
        select b.discom_id, b.month, b.consumer_id, b.consumer, b.category, b.serial, o.zone, o.circle, o.division, o.subdivision, o.office,
               b.import_wh as billed_wh, b.import_vah, b.export_wh, b.z1_wh, b.z2_wh, b.z3_wh, b.z4_wh, b.z5_wh, b.z6_wh, b.z7_wh, b.z8_wh,
               b.closing_wh, b.md_w, b.md_at, b.md_va, b.md_va_at, b.power_factor_milli,
               null::numeric as c_closing_kwh, null::numeric as c_import_kwh, null::numeric as c_import_kvah, null::numeric as c_export_kwh, null::numeric as c_md_kw,
               null::double precision as c_power_factor, null::double precision as c_coverage_pct
        from billed b
        left join {{ ref('stg_registry__office_path') }} o on o.discom_id = b.discom_id and o.office_id = b.office_id
        union all
        select c.discom_id, c.period_start, c.consumer_id, c.consumer, c.category, c.serial, c.zone, c.circle, c.division, c.subdivision, c.office,
               null, null, null, null, null, null, null, null, null, null, null,
               null, null, null, null, null, null,
               c.closing_kwh, c.import_kwh, c.import_kvah, c.export_kwh, c.md_kw, c.power_factor, c.coverage_pct
        from {{ ref('rpt_c01_consumption') }} c
        where c.period = 'month'
    ) u
    group by u.discom_id, u.month, u.consumer_id, u.serial
) k
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = k.discom_id
