{#
  replace_day: the rows of one DISCOM and a range of days are replaced in one transaction, with no temporary table.

  The first run creates the table from the model's enforced contract, partitioned by month of `day`, with row-level security; later runs add
  months as days come. Config: `key` = the columns of the primary key; `built_by` = meter or dt
  where a build for changed meters replaces only what they are part of, or part where a row stands for a part of a month. The model must give discom_id and day, and keep to vars discom_id,
  from_day and to_day. A column added to the contract is added to the table; any other change needs --full-refresh.
#}
{% materialization replace_day, adapter='postgres' %}
  {%- set target = this.incorporate(type='table') -%}
  {%- set key = config.require('key') -%}
  {%- set columns = model.columns.values() | list -%}
  {%- if not config.get('contract').enforced -%}
    {{ exceptions.raise_compiler_error("replace_day needs an enforced contract: the table is made from it (" ~ this ~ ")") }}
  {%- endif -%}
  {%- set existing = load_cached_relation(this) -%}

  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}

  {%- if existing is not none and (should_full_refresh() or not existing.is_table) -%}
    {{ adapter.drop_relation(existing) }}
    {%- set existing = none -%}
  {%- endif -%}

  {%- if existing is none -%}
    {% call statement('create') %}
      create table {{ target }} (
        {%- for c in columns %}
        {{ c.name }} {{ c.data_type }},
        {%- endfor %}
        primary key ({{ key | join(', ') }})
      ) partition by range (day);
      select ops.protect('{{ target }}');
    {% endcall %}
  {%- else -%}
    {%- set have = adapter.get_columns_in_relation(existing) | map(attribute='name') | list -%}
    {%- for gone in have if gone not in columns | map(attribute='name') | list -%}
      {{ exceptions.raise_compiler_error("column " ~ gone ~ " of " ~ target ~ " is not in the contract any more: build it with --full-refresh, then its days again") }}
    {%- endfor -%}
    {%- for c in columns if c.name not in have -%}
      {% call statement('add_' ~ c.name) %} alter table {{ target }} add column {{ c.name }} {{ c.data_type }} {% endcall %}
    {%- endfor -%}
  {%- endif -%}

  {%- set months = run_query("select to_char(m, 'YYYYMM'), m::date, (m + interval '1 month')::date from generate_series(date_trunc('month', '"
      ~ var('from_day') ~ "'::date), date_trunc('month', '" ~ var('to_day') ~ "'::date), interval '1 month') m where to_regclass('"
      ~ this.schema ~ "." ~ this.identifier ~ "_' || to_char(m, 'YYYYMM')) is null") -%}
  {%- for suffix, first, next in months.rows -%}
    {% call statement('partition_' ~ suffix) %}
      create table if not exists {{ this.schema }}.{{ this.identifier }}_{{ suffix }} partition of {{ target }}
        for values from ('{{ first }}') to ('{{ next }}');
      select ops.protect('{{ this.schema }}.{{ this.identifier }}_{{ suffix }}');
    {% endcall %}
  {%- endfor -%}

  {# Not before: a model may read its own earlier days. #}
  {{ get_assert_columns_equivalent(sql) }}

  {# ops.rows_of gives rows of the table's own shape, so its columns come in the table's own order. #}
  {%- set order = adapter.get_columns_in_relation(target) | map(attribute='name') | join(', ') -%}
  {% call statement('main') -%}
    {#- The rows of few meters are looked up: those that go, and where a model says so, those that come. -#}
    {%- set few = var('changed_only') and config.get('built_by') == 'meter' -%}
    {{ 'set local enable_nestloop = on;' if few }}
    delete from {{ target }} t where {{ rows_of_build('t', config.get('built_by')) }};
    {{ 'set local enable_nestloop = off;' if few and not config.get('looks_up') }}
    insert into {{ target }}
    select * from ops.rows_of(null::{{ target }}, $model$
    select {{ order }} from (
    {{ sql }}
    ) q
    $model$)
  {%- endcall %}

  {# Autovacuum would come too late: without statistics the next model joins a million rows in nested loops. #}
  {%- set written = run_query("select inhrelid::regclass::text from pg_inherits join pg_class c on c.oid = inhrelid where inhparent = '" ~ this.schema ~ "." ~ this.identifier
      ~ "'::regclass and right(c.relname, 6) between to_char('" ~ var('from_day') ~ "'::date, 'YYYYMM') and to_char('" ~ var('to_day') ~ "'::date, 'YYYYMM')") -%}
  {%- for partition in written.columns[0].values() -%}
    {% call statement('analyze') %} select ops.analyze_key('{{ target }}', '{{ partition }}', '{{ key | join(', ') }}') {% endcall %}
  {%- endfor -%}

  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {{ adapter.commit() }}
  {{ run_hooks(post_hooks, inside_transaction=False) }}
  {{ return({'relations': [target]}) }}
{% endmaterialization %}

{# The rows of a table that a build makes anew: those of the partition, or of changed meters or DTs where the table is built by them. #}
{% macro rows_of_build(alias, built_by) -%}
  {{ in_build(alias) if built_by == 'meter' else in_parts(alias) if built_by == 'part' else in_partition(alias) }}
  {%- if built_by == 'dt' -%} {{ of_changed_dt(alias ~ '.dt_id', alias ~ '.day') }} {%- endif -%}
{%- endmacro %}

{# Views run with the rights of who asks, so that row-level security holds behind them. #}
{% macro postgres__get_create_view_as_sql(relation, sql) %}
  {{- get_assert_columns_equivalent(sql) if config.get('contract').enforced -}}
  create view {{ relation }} with (security_invoker = true) as (
    {{ sql }}
  );
{% endmacro %}
