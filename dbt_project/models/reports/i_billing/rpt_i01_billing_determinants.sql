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
    select coalesce(b.discom_id, c.discom_id) as discom_id, coalesce(b.month, c.period_start) as month, coalesce(b.consumer_id, c.consumer_id) as consumer_id,
           coalesce(b.consumer, c.consumer) as consumer, coalesce(b.category, c.category) as category, coalesce(b.serial, c.serial) as serial,
           coalesce(o.zone, c.zone) as zone, coalesce(o.circle, c.circle) as circle, coalesce(o.division, c.division) as division,
           coalesce(o.subdivision, c.subdivision) as subdivision, coalesce(o.office, c.office) as office,
           b.import_wh as billed_wh, b.import_vah, b.export_wh, b.z1_wh, b.z2_wh, b.z3_wh, b.z4_wh, b.z5_wh, b.z6_wh, b.z7_wh, b.z8_wh,
           coalesce({{ kwh('b.closing_wh') }}, c.closing_kwh) as closing_kwh, b.md_w, b.md_at, b.md_va, b.md_va_at, b.power_factor_milli,
           c.import_kwh as c_import_kwh, c.import_kvah as c_import_kvah, c.export_kwh as c_export_kwh, c.md_kw as c_md_kw, c.power_factor as c_power_factor,
           c.coverage_pct as c_coverage_pct
    from (select * from billed) b
    full join (select * from {{ ref('rpt_c01_consumption') }} where period = 'month') c
      on c.discom_id = b.discom_id and c.period_start = b.month and c.consumer_id = b.consumer_id and c.serial = b.serial
    left join {{ ref('stg_registry__office_path') }} o on o.discom_id = b.discom_id and o.office_id = b.office_id
) k
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = k.discom_id
