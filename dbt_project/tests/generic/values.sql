{#
  EM9: an estimated day whose slots were scaled sums to the register's advance exactly in Wh. A window of several days has registers at its ends alone.
  `of`: where the rows are, if not in the model itself.
#}
{% test scaled_to_register(model, of=none) %}
select t.meter_id, t.day, t.import_day_wh, x.register_advance_wh
from {{ built_rows(of or model) }} t
join {{ built_rows(ref('measure')) }} x using (discom_id, day, meter_id)
where exists (select 1 from unnest(t.method) as u(m) where u.m > 100)
  and t.import_day_wh <> x.register_advance_wh
  -- A target a register step below zero is taken as zero: the sum then stays that step above the advance.
  and not (t.estimated_wh = 0 and t.import_day_wh - x.register_advance_wh between 0 and x.register_lsb_wh)
{% endtest %}

{#
  A value that was measured is never changed on its way: final = raw, tolerance 0, wherever the quality says neither estimated, edited nor missing.
  For the two tables that hold other arrays than raw: vee.final_day is a view over them and raw.
#}
{% test measured_is_raw(model, of=none) %}
select t.meter_id, t.day
from {{ built_rows(of or model) }} t
cross join lateral (select * from {{ ref('meter_day') }} m where m.discom_id = t.discom_id and m.day = t.day and m.meter_id = t.meter_id offset 0) m
where exists (
    select 1 from unnest(t.import_wh, m.import_wh, t.quality) as u(final, raw, quality)
    where coalesce(u.quality, 0) not in (2, 4, 6, 9) and u.final is distinct from u.raw
)
{% endtest %}

{#
  The balance closes: what comes in = consumers + assessed supply + street light + export + loss, exactly in Wh, with the consumers summed anew from the final layer, by
  another way than the models go.
#}
{% test balance_closes(model) %}
with final as (
    select c.dt_id, f.day, sum(round(f.import_day_wh * p.mf))::bigint as import_wh, sum(round(coalesce(f.export_day_wh, 0) * p.mf))::bigint as export_wh
    from {{ ref('day_total') }} f
    join {{ ref('stg_registry__meter_place') }} p on p.discom_id = f.discom_id and p.meter_id = f.meter_id and {{ valid_on('p', 'f.day') }}
    join {{ source('registry', 'consumer_index') }} c on c.discom_id = f.discom_id and c.service_point_id = p.service_point_id and {{ valid_on('c', 'f.day') }}
    where {{ in_partition('f') }}{{ of_changed_dt('c.dt_id', 'f.day') }}
    group by c.dt_id, f.day
)
select t.dt_id, t.day, t.loss_wh
from {{ model }} t
left join final f on f.dt_id = t.dt_id and f.day = t.day
where {{ in_partition('t') }}{{ of_changed_dt('t.dt_id', 't.day') }} and t.dt_import_wh is not null
  and t.dt_import_wh + coalesce(f.export_wh, 0) <> coalesce(f.import_wh, 0) + t.unmetered_wh + t.street_light_wh + t.dt_export_wh + t.loss_wh
{% endtest %}
