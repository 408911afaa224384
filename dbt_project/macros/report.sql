{# The offices above a row, which open every report. Needs stg_registry__office_path as `o`. #}
{% macro office_columns(alias='o') -%}
{{ alias }}.zone, {{ alias }}.circle, {{ alias }}.division, {{ alias }}.subdivision, {{ alias }}.office
{%- endmacro %}

{# The period rows that a day counts in: the day itself and its month. #}
{% macro day_and_month(day) -%}
(values ('day', {{ day }}), ('month', date_trunc('month', {{ day }})::date))
{%- endmacro %}

{% macro pct(part, whole) -%}
(100.0 * {{ part }} / nullif({{ whole }}, 0))::double precision
{%- endmacro %}

{# Wh as kWh, to the Wh. Multiplied, because numeric division costs several times as much. #}
{% macro kwh(wh) -%}
({{ wh }} * 0.001)::numeric(18, 3)
{%- endmacro %}

{# Of rows that are of no office: who is limited to some sees none. Nobody else is limited, dbt neither. #}
{% macro of_the_whole_discom() -%}
where (select ops.whole_tenant())
{%- endmacro %}

{# A report that nothing feeds yet: its columns as its YAML declares them, and no row. The YAML's meta says what would feed it (unfed). #}
{% macro unfed_report() -%}
select {% for c in model.columns.values() %}null::{{ c.data_type }} as {{ c.name }}{{ ', ' if not loop.last }}{% endfor %}
where false
{%- endmacro %}

{# The category of a BEE form (4.5) of a service point's. #}
{% macro bee_category(category, ht) -%}
case when {{ category }} in ('{{ var('bee_residential') | join("', '") }}') then 'Residential'
     when {{ category }} in ('{{ var('bee_agricultural') | join("', '") }}') then 'Agricultural'
     when {{ category }} in ('{{ var('bee_business') | join("', '") }}') then case when {{ ht }} then 'Commercial/Industrial-HT' else 'Commercial/Industrial-LT' end
     else 'Others' end
{%- endmacro %}
