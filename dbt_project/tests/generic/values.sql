{# A value that was measured is never changed on its way: where an estimated day calls a slot measured, it is the raw value, tolerance 0. #}
{% test unestimated_slots_unchanged(model) %}
select t.meter_id, t.day, s.slot
from {{ model }} t
join {{ ref('meter_day') }} m using (discom_id, day, meter_id)
cross join lateral generate_subscripts(t.import_wh, 1) as s(slot)
where {{ in_partition('t') }} and t.quality[s.slot] not in (6, 9) and t.import_wh[s.slot] is distinct from m.import_wh[s.slot]
{% endtest %}

{# EM9: an estimated day whose slots were scaled sums to the register's advance exactly in Wh. #}
{% test scaled_to_register(model) %}
select t.meter_id, t.day, t.import_day_wh, x.register_advance_wh
from {{ model }} t
join {{ ref('measure') }} x using (discom_id, day, meter_id)
where {{ in_partition('t') }}
  and exists (select 1 from unnest(t.method) as u(m) where u.m > 100)
  and t.import_day_wh is distinct from x.register_advance_wh
  -- A target a register step below zero is taken as zero: the sum then stays that step above the advance.
  and not (t.estimated_wh = 0 and t.import_day_wh - x.register_advance_wh between 0 and x.register_lsb_wh)
{% endtest %}

{# quality = actual implies final = raw, tolerance 0, on every day. #}
{% test actual_is_raw(model) %}
select t.meter_id, t.day, s.slot
from {{ model }} t
join {{ ref('meter_day') }} m using (discom_id, day, meter_id)
cross join lateral generate_subscripts(t.import_wh, 1) as s(slot)
where {{ in_partition('t') }} and t.import_wh is distinct from m.import_wh
  and coalesce(t.quality[s.slot], t.day_quality) = 0 and t.import_wh[s.slot] is distinct from m.import_wh[s.slot]
{% endtest %}

{# The balance closes: what comes in = consumers + unmetered + export + loss, exactly in Wh, and the inputs are those of the final layer. #}
{% test balance_closes(model) %}
with final as (
    select c.dt_id, f.day, sum(round(f.import_day_wh * p.mf))::bigint as import_wh, sum(round(coalesce(f.export_day_wh, 0) * p.mf))::bigint as export_wh
    from {{ ref('final_day') }} f
    join {{ ref('stg_registry__meter_place') }} p on p.discom_id = f.discom_id and p.meter_id = f.meter_id and {{ valid_on('p', 'f.day') }}
    join {{ source('registry', 'consumer_index') }} c on c.discom_id = f.discom_id and c.service_point_id = p.service_point_id and {{ valid_on('c', 'f.day') }}
    where {{ in_partition('f') }}
    group by c.dt_id, f.day
)
select t.dt_id, t.day, t.loss_wh
from {{ model }} t
left join final f on f.dt_id = t.dt_id and f.day = t.day
where {{ in_partition('t') }} and t.dt_import_wh is not null
  and t.dt_import_wh + coalesce(f.export_wh, 0) <> coalesce(f.import_wh, 0) + t.unmetered_wh + t.dt_export_wh + t.loss_wh
{% endtest %}
