{#
  Meters of a consumer that were changed, with what each counted in the month of the change: the old one from the month's start (or its own) to the day before, the new one from that
  day on to the end of the month. By registers where both of the old one are known, else by the final intervals. Few meters change, so their days are looked up one by one.
#}
with change as (
    select n.discom_id, n.valid_from as day, n.service_point_id, l.meter_id as old_meter_id, n.meter_id as new_meter_id, l.mf as old_mf, n.mf as new_mf,
           greatest(l.valid_from, date_trunc('month', n.valid_from)::date) as old_from,
           least(n.valid_to, (date_trunc('month', n.valid_from) + interval '1 month')::date) as new_to
    from {{ source('registry', 'installation') }} n
    join {{ source('registry', 'installation') }} l on l.discom_id = n.discom_id and l.service_point_id = n.service_point_id and l.valid_to = n.valid_from and l.meter_id <> n.meter_id
),

part as (
    select c.discom_id, c.day, c.service_point_id, c.old_meter_id, c.new_meter_id,
           {%- for meter, from, to in [('old', 'c.old_from', 'c.day'), ('new', 'c.day', 'c.new_to')] %}
           {{ meter }}.import_wh * c.{{ meter }}_mf as {{ meter }}_wh, {{ meter }}.days as {{ meter }}_days,
           {{ meter }}.opening_wh * c.{{ meter }}_mf as {{ meter }}_opening_wh, {{ meter }}.closing_wh * c.{{ meter }}_mf as {{ meter }}_closing_wh,
           {{ meter }}.due as {{ meter }}_due, {{ meter }}.present as {{ meter }}_present{{ ',' if not loop.last }}
           {%- endfor %}
    from change c
    {%- for meter, from, to in [('old', 'c.old_from', 'c.day'), ('new', 'c.day', 'c.new_to')] %}
    cross join lateral (
        select sum(f.import_day_wh) as import_wh, count(f.meter_id)::integer as days, sum(f.slots) as due, sum(f.slots - f.missing_slots) as present,
               max(f.register_open_wh) filter (where g.day = {{ from }}) as opening_wh,
               {%- if meter == 'old' %}
               max(f.register_close_wh) filter (where g.day = c.day - 1) as closing_wh
               {%- else %}
               (max(array[f.day - date '2000-01-01', f.register_close_wh]) filter (where f.register_close_wh is not null))[2] as closing_wh
               {%- endif %}
        from (select s::date as day from generate_series({{ from }}, {{ to }} - 1, interval '1 day') s) g
        left join lateral (
            select t.* from {{ ref('day_total') }} t where t.discom_id = c.discom_id and t.day = g.day and t.meter_id = c.{{ meter }}_meter_id offset 0
        ) f on true
    ) {{ meter }}
    {%- endfor %}
)

select p.discom_id, {{ office_columns() }}, p.day, n.consumer_id, n.code as consumer, sp.category, m.serial as old_serial, w.serial as new_serial,
       {{ kwh('p.old_opening_wh') }} as old_opening_kwh, {{ kwh('p.old_closing_wh') }} as old_closing_kwh, p.old_days,
       {{ kwh('p.new_opening_wh') }} as new_opening_kwh, {{ kwh('p.new_closing_wh') }} as new_closing_kwh, p.new_days,
       {{ kwh('u.old_wh') }} as old_kwh, {{ kwh('p.new_wh') }} as new_kwh, {{ kwh('(coalesce(u.old_wh, 0) + coalesce(p.new_wh, 0))') }} as total_kwh,
       {{ pct('(coalesce(p.old_present, 0) + coalesce(p.new_present, 0))', '(coalesce(p.old_due, 0) + coalesce(p.new_due, 0))') }} as coverage_pct,
       a.data_as_of, now() as generated_at
from part p
cross join lateral (select case when p.old_closing_wh >= p.old_opening_wh then p.old_closing_wh - p.old_opening_wh else p.old_wh end as old_wh) u
join {{ source('registry', 'meter') }} m on m.discom_id = p.discom_id and m.meter_id = p.old_meter_id
join {{ source('registry', 'meter') }} w on w.discom_id = p.discom_id and w.meter_id = p.new_meter_id
join {{ source('registry', 'service_point') }} sp on sp.discom_id = p.discom_id and sp.service_point_id = p.service_point_id
join {{ source('registry', 'consumer') }} n on n.discom_id = p.discom_id and n.service_point_id = p.service_point_id and {{ valid_on('n', 'p.day') }}
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = p.discom_id and o.office_id = sp.office_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = p.discom_id
