{{ config(key=['discom_id', 'day', 'meter_id']) }}
{#-
  Months end on few days: a build of others reads nothing. Days of the month that are not built yet do not count.
#}
{%- set day = modules.datetime.timedelta(days=1) %}
{%- set first = modules.datetime.date.fromisoformat(var('from_day')) %}
{%- set ends = [] %}
{%- for n in range((modules.datetime.date.fromisoformat(var('to_day')) - first).days + 1) %}
{%- set d = first + n * day %}
{%- if (d + day).day == 1 %}{% do ends.append(d) %}{% endif %}
{%- endfor %}
{%- set month_of_day = "(date_trunc('month', x.day) + interval '1 month - 1 day')::date" %}
with built as (
    {%- if ends %}
    select {{ month_of_day }} as day, x.meter_id,
           (count(*) filter (where x.present_slots = x.slots))::integer as complete_days,
           sum(x.sum_wh) filter (where x.present_slots = x.slots) as usage_wh,
           max(x.register_open_wh) filter (where extract(day from x.day) = 1) as register_open_wh,
           max(x.register_close_wh) filter (where x.day = {{ month_of_day }}) as register_close_wh
    from {{ ref('measure') }} x
    where x.discom_id = {{ var('discom_id') | int }} and x.day between '{{ ends[0].replace(day=1) }}'::date and '{{ ends[-1] }}'::date
          {%- if var('changed_only') %}
          and x.meter_id in (select c.meter_id from ops.changed_meter c where {{ in_partition('c') }})
          {%- endif %}
    group by 1, 2
    {%- else %}
    select null::date as day, null::integer as meter_id, null::integer as complete_days, null::bigint as usage_wh, null::bigint as register_open_wh,
           null::bigint as register_close_wh
    where false
    {%- endif %}
),

month as (
    select day, meter_id, complete_days, case when complete_days >= {{ var('usage_days') | int }} then usage_wh::double precision / complete_days end as daily_wh,
           case when complete_days = extract(day from day) then usage_wh - (register_close_wh - register_open_wh) end::bigint as month_diff_wh,
           register_close_wh - register_open_wh as advance_wh
    from built
),

history as (
    select day, meter_id, daily_wh from month
    union all
    select h.day, h.meter_id, h.daily_wh
    from {{ this }} h
    where h.discom_id = {{ var('discom_id') | int }} and h.day >= '{{ first }}'::date - 370 and h.day < '{{ first }}'::date
      {{- " and false" if not ends }}
      {%- if var('changed_only') %}
      and h.meter_id in (select c.meter_id from ops.changed_meter c where {{ in_partition('c') }})
      {%- endif %}
),

compared as (
    select m.day, m.meter_id,
           avg(h.daily_wh) filter (where h.day > m.day - 100) as before_wh,
           count(h.daily_wh) filter (where h.day > m.day - 100) as months,
           max(h.daily_wh) filter (where h.day < m.day - 350) as year_before_wh
    from month m
    join history h on h.meter_id = m.meter_id
     and (h.day < m.day and h.day > m.day - 100 or date_trunc('month', h.day) = date_trunc('month', m.day - interval '1 year'))
    group by m.day, m.meter_id
)

select x.discom_id, x.day, x.meter_id, x.place, x.category, x.tariff, x.phases, x.dt, x.meter_category, x.office_id, m.complete_days, m.daily_wh,
       c.before_wh, c.year_before_wh,
       case when c.before_wh >= {{ var('usage_floor_wh') | int }} then m.daily_wh / c.before_wh * 100 end as usage_pct,
       case when c.year_before_wh >= {{ var('usage_floor_wh') | int }} then m.daily_wh / c.year_before_wh * 100 end as usage_year_pct,
       case when m.advance_wh >= 0 then m.month_diff_wh end as month_diff_wh,
       case when m.advance_wh >= 0 and m.month_diff_wh is not null
            then ops.sum_diff_pct(m.month_diff_wh + m.advance_wh, m.advance_wh, x.register_lsb_wh) end as month_diff_pct
from {{ built_rows(ref('measure')) }} x
join month m on m.day = x.day and m.meter_id = x.meter_id
left join (
    select day, meter_id, case when months = 3 then before_wh end as before_wh, year_before_wh from compared
) c on c.day = x.day and c.meter_id = x.meter_id
{{ 'where false' if not ends }}
