{#
  Where the meter of a row hung on a day: joins that give the installation as `i` and the office that looks after it as {{ office_of() }}. From the registry and not from
  vee.measure, so that who asks for few rows of a long time reads no meter-days. `e` is the row's alias, with discom_id and meter_id.
#}
{% macro join_place(e, day, kind='left join') -%}
{{ kind }} {{ source('registry', 'installation') }} i on i.discom_id = {{ e }}.discom_id and i.meter_id = {{ e }}.meter_id and {{ valid_on('i', day) }}
left join {{ source('registry', 'service_point') }} i_sp on i_sp.discom_id = i.discom_id and i_sp.service_point_id = i.service_point_id
left join {{ source('registry', 'dt') }} i_dt on i_dt.discom_id = i.discom_id and i_dt.dt_id = i.dt_id
left join {{ source('registry', 'feeder') }} i_f on i_f.discom_id = i.discom_id and i_f.feeder_id = i.feeder_id
{%- endmacro %}

{% macro office_of() -%}
coalesce(i_sp.office_id, i_dt.office_id, i_f.office_id)
{%- endmacro %}

{#
  A meter that is installed and not commissioned on a day is not due to send (domain 3.3). Without a date of commissioning its state says it; a meter without either is due.
  `r` is the alias of registry.meter.
#}
{% macro not_commissioned(r, day) -%}
(coalesce({{ r }}.commissioned_on > {{ day }}, {{ r }}.state in ('{{ var('not_commissioned_states') | join("', '") }}'), false))
{%- endmacro %}

{# The midnight that ends a business day, in the DISCOM's time zone. #}
{% macro end_of_day(day, timezone) -%}
(({{ day }} + 1)::timestamp at time zone {{ timezone }})
{%- endmacro %}

{# Hours from one instant to another. #}
{% macro hours_between(from_at, to_at) -%}
(extract(epoch from {{ to_at }} - {{ from_at }}) / 3600)::double precision
{%- endmacro %}

{#
  Meter-days with whether the meter was due to send and whether anything of the day came: a block or the midnight register. Not due: not commissioned yet, and of which nothing came where the
  events prove that there was no supply all day. `since` is a bound on the day for who reads but the last ones.
#}
{% macro due_meters(since=none) -%}
select d.*, not d.not_commissioned and not d.without_supply as due
from (
    select m.discom_id, m.day, m.meter_id, m.office_id, m.place, m.dt, m.slots, m.present_slots, r.serial, r.hes_id, r.medium,
           m.present_slots > 0 or m.register_close_wh is not null as came,
           {{ not_commissioned('r', 'm.day') }} as not_commissioned,
           m.present_slots = 0 and m.register_close_wh is null and e.meter_id is not null as without_supply
    from {{ ref('measure') }} m
    join {{ source('registry', 'meter') }} r on r.discom_id = m.discom_id and r.meter_id = m.meter_id
    left join (
        select discom_id, day, meter_id from {{ ref('evidence') }} where outage_slots = slots{{ ' and day >= ' ~ since if since }}
    ) e on e.discom_id = m.discom_id and e.day = m.day and e.meter_id = m.meter_id
    {{ 'where m.day >= ' ~ since if since }}
) d
{%- endmacro %}

{# In place of office_columns() where a row belongs to no office. #}
{% macro no_office_columns() -%}
null::text as zone, null::text as circle, null::text as division, null::text as subdivision, null::text as office
{%- endmacro %}
