{# A schema is called what the project says: vee, not <target>_vee. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
  {{ custom_schema_name or target.schema }}
{%- endmacro %}

{#
  Rows of the partition that is being built, with literals, so that the planner prunes and compressed chunks can be deleted from. A single day is an
  equality: that, and not a range, the planner carries over to every table that is joined by day, so what lies before the day costs nothing.
#}
{% macro in_partition(alias) -%}
  {{ alias }}.discom_id = {{ var('discom_id') | int }} and {{ days_of_partition(alias ~ '.day') }}
{%- endmacro %}

{# Of the partition, the meter-days that are built anew: all of them, or those of the meters that late data changed. #}
{% macro in_build(alias) -%}
  {{ in_partition(alias) }}{{ of_changed_meter(alias ~ '.meter_id', alias ~ '.day') }}
{%- endmacro %}

{# First day of the part of a month (eight days: from the 1st, 9th, 17th and 25th) that a day is in. #}
{% macro part_of(day) -%}
(date_trunc('month', {{ day }}::timestamp)::date + least((extract(day from {{ day }})::integer - 1) / 8, 3) * 8)
{%- endmacro %}

{# Days of the parts of a month that the partition's days are in, of the meters that are built anew. For rows of parts as for rows of days. #}
{% macro in_parts(alias) -%}
  {%- set first, last = "'" ~ var('from_day') ~ "'::date", "'" ~ var('to_day') ~ "'::date" -%}
  {{ alias }}.discom_id = {{ var('discom_id') | int }} and {{ alias }}.day >= {{ part_of(first) }}
  and {{ alias }}.day <= least({{ part_of(last) }} + 7, (date_trunc('month', {{ last }}::timestamp) + interval '1 month - 1 day')::date)
  {%- if var('changed_only') %}
  and {{ alias }}.meter_id in (select c.meter_id from ops.changed_meter c where {{ in_partition('c') }})
  {%- endif -%}
{%- endmacro %}

{# These rows as something to select from. Changed meters are looked up one by one, which the planner would not see through a view of many joins. #}
{% macro built_rows(relation) -%}
  {%- if var('changed_only') -%}
  (
      select y.* from ops.changed_meter c
      cross join lateral (select * from {{ relation }} y where y.discom_id = c.discom_id and y.day = c.day and y.meter_id = c.meter_id offset 0) y
      where {{ in_partition('c') }}
  )
  {%- else -%}
  (select * from {{ relation }} y where {{ in_partition('y') }})
  {%- endif -%}
{%- endmacro %}

{#
  The same as a further condition on a meter and a day. For a single day the meter alone says it.
  Of DTs: the balances in which a changed meter takes part. No source(): unit tests would have to give its rows, and they build every meter.
#}
{% macro of_changed_meter(meter_id, day) -%}
  {%- if not var('changed_only') -%}
  {%- elif var('from_day') == var('to_day') %}
  and {{ meter_id }} in (select c.meter_id from ops.changed_meter c where {{ in_partition('c') }})
  {%- else %}
  and ({{ meter_id }}, {{ day }}) in (select c.meter_id, c.day from ops.changed_meter c where {{ in_partition('c') }})
  {%- endif -%}
{%- endmacro %}

{% macro of_changed_dt(dt_id, day) -%}
  {%- if var('changed_only') %}
  and ({{ dt_id }}, {{ day }}) in (
      select coalesce(i.dt_id, x.dt_id), c.day
      from ops.changed_meter c
      join {{ source('registry', 'installation') }} i on i.discom_id = c.discom_id and i.meter_id = c.meter_id and {{ valid_on('i', 'c.day') }}
      left join {{ source('registry', 'consumer_index') }} x on x.discom_id = c.discom_id and x.service_point_id = i.service_point_id and {{ valid_on('x', 'c.day') }}
      where {{ in_partition('c') }} and coalesce(i.dt_id, x.dt_id) is not null
  )
  {%- endif -%}
{%- endmacro %}

{% macro days_of_partition(day, before=0) -%}
  {%- set back = ' - ' ~ before if before else '' -%}
  {%- if var('from_day') == var('to_day') -%}
  {{ day }} = '{{ var('from_day') }}'::date{{ back }}
  {%- else -%}
  {{ day }} between '{{ var('from_day') }}'::date{{ back }} and '{{ var('to_day') }}'::date{{ back }}
  {%- endif -%}
{%- endmacro %}

{#
  The last word on the midnight registers of the partition's days, or of so many days before: of several readings the latest received stands.
  An anti-join, and not a sort as in stg_raw__register_reading, because every core can take part in it.
#}
{% macro midnight_registers(before=0) -%}
{%- if var('changed_only') -%}
select r.day, r.meter_id, r.import_wh, r.export_wh, r.import_vah{{ ', r.md_import_w, r.md_import_at' if not before }}
from ops.changed_meter c
cross join lateral (
    select * from {{ source('raw', 'register_reading') }} r
    where r.discom_id = c.discom_id and r.day = c.day - {{ before }} and r.meter_id = c.meter_id
    order by {{ register_order('r') }} desc limit 1
) r
where {{ in_partition('c') }}
{%- else -%}
select r.day, r.meter_id, r.import_wh, r.export_wh, r.import_vah{{ ', r.md_import_w, r.md_import_at' if not before }}
from {{ source('raw', 'register_reading') }} r
where r.discom_id = {{ var('discom_id') | int }} and {{ days_of_partition('r.day', before) }}
  and not exists (
      select 1 from {{ source('raw', 'register_reading') }} l
      where l.discom_id = {{ var('discom_id') | int }} and {{ days_of_partition('l.day', before) }} and l.day = r.day and l.meter_id = r.meter_id
        and {{ register_order('l') }} > {{ register_order('r') }}
  )
{%- endif -%}
{%- endmacro %}

{# Receipt, then line, then content, so that the order of landing does not matter; the batch only where all else is the same. #}
{% macro register_order(alias) -%}
({{ alias }}.received_at, {{ alias }}.seq, coalesce({{ alias }}.import_wh, 0), coalesce({{ alias }}.export_wh, 0), coalesce({{ alias }}.import_vah, 0), {{ alias }}.batch_id)
{%- endmacro %}

{#
  The installation `i` of a row of vee.meter_month or meter_part. BETWEEN and not =, for two equalities are taken for independent of each other: the planner would expect few rows where there
  is one for each meter, and look up each.
#}
{% macro installation_of(f) -%}
  i.discom_id = {{ f }}.discom_id and i.meter_id = {{ f }}.meter_id and i.valid_from between {{ f }}.installed_from and {{ f }}.installed_from
{%- endmacro %}

{# The registry row that was valid on a day. Periods are half-open. #}
{% macro valid_on(alias, day) -%}
  {{ alias }}.valid_from <= {{ day }} and ({{ alias }}.valid_to is null or {{ day }} < {{ alias }}.valid_to)
{%- endmacro %}

{# The same for a day of the partition. A single day is a literal, of which the planner knows how many rows are valid on it: nearly all, and not a ninth. #}
{% macro valid_in_partition(alias, day) -%}
  {%- if var('from_day') == var('to_day') -%}
  {{ valid_on(alias, "'" ~ var('from_day') ~ "'::date") }}
  {%- else -%}
  {{ valid_on(alias, day) }}
  {%- endif -%}
{%- endmacro %}
