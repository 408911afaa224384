{#
  A view is made where what it says has changed, and else left alone: every day's build passes by all of them. The fingerprint of what it says stands in its comment.
  What it reads and is made anew takes it along (cascade), and then it is not there.
#}
{% materialization view, adapter='postgres' %}
  {%- set existing = load_cached_relation(this) -%}
  {%- set target = this.incorporate(type='view') -%}
  {%- set fingerprint = local_md5(sql ~ model.columns) -%}
  {%- set as_is = existing is not none and existing.is_view and not should_full_refresh()
      and run_query("select obj_description(to_regclass('" ~ this.schema ~ "." ~ this.identifier ~ "'))").columns[0][0] == fingerprint -%}
  {%- if as_is -%}
    {% do store_raw_result('main', message='unchanged', code='UNCHANGED', rows_affected=0) %}
  {%- else -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- if existing is not none -%} {{ drop_relation_if_exists(existing) }} {%- endif -%}
    {% call statement('main') %} {{ get_create_view_as_sql(target, sql) }} {% endcall %}
    {% call statement('fingerprint') %} comment on view {{ target }} is '{{ fingerprint }}' {% endcall %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
  {%- endif -%}
  {{ return({'relations': [target]}) }}
{% endmaterialization %}
