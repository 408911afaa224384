-- What cli.bench.api_world makes of the templates. Sections: -- once, -- each day, -- at last; statements end with ;
--  A gap and a doubt exclude each other, as do pieces and a gap: every kind of day is known by its numbers.

-- once
insert into raw.batch (discom_id, hes_id, source, content_sha256, received_at, values_received, values_accepted, values_rejected)
       select %(d)s, 1, 'bench ' || g::date, sha256((g::date)::text::bytea), g + interval '26 hours', 1, 1, 0
       from generate_series(%(first)s::date, %(last)s::date, interval '1 day') g;

create temporary table batch_of as
       select substr(source, 7)::date as day, batch_id, received_at from raw.batch where discom_id = %(d)s;

insert into vee.class_profile (discom_id, category, interval_min, day_type, share, wh_per_kw, meter_days, learnt_to)
       select %(d)s, 'domestic', 30, t, array_fill((1.0 / 48)::real, array[48]), 2000, 300, %(last)s from unnest(array[0, 6, 7]) t;

-- each day
drop table if exists made;

create temporary table made as
       select n as meter_id, t.*, b.batch_id, b.received_at, (n + %(nr)s) %% %(gap)s = 0 as gap,
              (n + %(nr)s) %% %(gap)s <> 0 and (n + %(nr)s) %% %(scattered)s = 0 as scattered,
              (n + %(nr)s) %% %(gap)s <> 0 and (n * 3 + %(nr)s) %% %(doubt)s = 0 as doubted, 1 + least((n - 1) / 50, %(n)s / 50 - 1) as dt_id
       from generate_series(1, %(n)s) n
       join day_template t on t.template = (n * 31 + %(nr)s * 17) %% %(k)s
       cross join (select * from batch_of where day = %(day)s) b;

insert into made
       select %(n)s + h.nr, null, h.import_wh, null, h.import_wh, null, null, s.wh, s.wh, s.high, s.high, s.low, 0, b.batch_id, b.received_at,
              false, false, false, null
       from head h
       cross join lateral (select sum(v) as wh, max(v) as high, min(v) as low from unnest(h.import_wh) v) s
       cross join (select * from batch_of where day = %(day)s) b;

insert into raw.profile_fragment (discom_id, day, meter_id, start_slot, interval_min, received_at, batch_id, seq,
                                        import_wh, export_wh, import_vah, voltage_dv)
       select %(d)s, %(day)s, m.meter_id, coalesce(p.low, 0), 30, m.received_at, m.batch_id, m.meter_id * 2 + coalesce(p.low, 0) / 24,
              case when p.low is null then case when m.gap then m.gappy else m.import_wh end else m.import_wh[p.low + 1:p.low + 24] end,
              case when p.low is null then m.export_wh else m.export_wh[p.low + 1:p.low + 24] end,
              case when p.low is null then m.import_vah else m.import_vah[p.low + 1:p.low + 24] end,
              case when p.low is null then m.voltage_dv else m.voltage_dv[p.low + 1:p.low + 24] end
       from made m left join (values (0), (24)) p(low) on m.scattered
       order by m.meter_id;

insert into vee.assembled_day (discom_id, day, meter_id, interval_min, slots, fragments, duplicate_slots, conflict_slots, late_slots,
                                     received_at, import_wh, export_wh, import_vah, voltage_dv)
       select %(d)s, %(day)s, meter_id, 30, 48, 2, 0, 0, 0, received_at, import_wh, export_wh, import_vah, voltage_dv
       from made where scattered;

insert into vee.measure (discom_id, day, meter_id, place, category, dt, meter_category, office_id, phases, slots, interval_min,
                               present_slots, missing_slots, fragments, duplicate_slots, conflict_slots, late_slots, negative_slots, zero_slots,
                               over_limit_slots, zero_days, sum_wh, export_sum_wh, import_sum_vah, min_wh, max_wh, third_max_wh,
                               register_lsb_wh, received_at, batch_id, seq)
       select %(d)s, %(day)s, m.meter_id, p.place, p.category, t.code, p.meter_category, p.office_id, p.phases, 48, 30,
              case when m.gap then 42 else 48 end, case when m.gap then 6 else 0 end, case when m.scattered then 2 else 1 end, 0, 0, 0, 0, 0,
              0, 0, m.sum_wh - case when m.gap then m.gap_wh else 0 end, case when m.export_wh is not null then 0 end, m.sum_vah, m.min_wh, m.max_wh, m.third_max_wh,
              1, m.received_at, case when not m.scattered then m.batch_id end, case when not m.scattered then m.meter_id * 2 end
       from made m
       join staging.stg_registry__meter_place p on p.discom_id = %(d)s and p.meter_id = m.meter_id
       left join registry.dt t on t.discom_id = %(d)s and t.dt_id = m.dt_id
       order by m.meter_id;

insert into vee.estimated_day (discom_id, day, meter_id, import_wh, quality, method, import_day_wh, estimated_slots, missing_slots, estimated_wh,
                                     export_day_wh, import_day_vah)
       select %(d)s, %(day)s, meter_id, import_wh, array_fill(0::smallint, array[20]) || array_fill(6::smallint, array[6]) || array_fill(0::smallint, array[22]),
              array_fill(0::smallint, array[20]) || array_fill(3::smallint, array[6]) || array_fill(0::smallint, array[22]), sum_wh, 6, 0, gap_wh, 0, sum_vah
       from made where gap order by meter_id;

insert into vee.exception (discom_id, day, meter_id, rule, stage, severity, action, value, message, state)
       select %(d)s, %(day)s, meter_id, case when gap then 'V07' else 'V17' end, 'initial', 'fail', case when gap then 'estimate' else 'flag' end, 6,
              'bench', case when gap then 'estimated' else 'open' end
       from made where gap or doubted order by meter_id;

insert into raw.register_reading (discom_id, day, meter_id, read_at, received_at, batch_id, seq, import_wh)
       select %(d)s, %(day)s, meter_id, (%(day)s::date + 1)::timestamp at time zone 'Asia/Kolkata', received_at, batch_id, meter_id, 1000000 + %(nr)s * 6000
       from made order by meter_id;

insert into raw.event (discom_id, day, meter_id, occurred_at, code, received_at, batch_id, seq)
       select %(d)s, %(day)s, meter_id, received_at - interval '20 hours' + c.after, c.code, received_at, batch_id, meter_id * 2 + c.code %% 2
       from made cross join (values (101, interval '0'), (102, interval '1 hour')) c(code, after)
       where (meter_id + %(nr)s) %% %(outage)s = 0 order by meter_id;

insert into energy.dt_day (discom_id, day, dt_id, feeder_id, office_id, dt_import_wh, dt_export_wh, consumer_import_wh, consumer_export_wh, unmetered_wh,
                                 street_light_wh, input_wh, output_wh, loss_wh, loss_pct, consumers, consumers_complete, coverage_consumers_pct, actual_wh,
                                 coverage_energy_pct, estimated_wh, estimated_share_pct, weakest_quality)
       select %(d)s, %(day)s, t.dt_id, t.feeder_id, t.office_id, m.sum_wh, 0, h.taken_wh, 0, 0, 0, m.sum_wh, h.taken_wh, m.sum_wh - h.taken_wh,
              100.0 * (m.sum_wh - h.taken_wh) / m.sum_wh, c.n, c.n, 100, h.taken_wh - c.estimated_wh, 100.0 * (h.taken_wh - c.estimated_wh) / h.taken_wh, c.estimated_wh,
              100.0 * c.estimated_wh / (h.taken_wh + m.sum_wh), case when c.gaps > 0 then 6 when c.doubts > 0 then 5 else 0 end
       from registry.dt t
       join head h on h.nr = t.dt_id
       join made m on m.meter_id = %(n)s + t.dt_id
       join (select dt_id, count(*) as n, count(*) filter (where gap) as gaps, count(*) filter (where doubted) as doubts,
                    coalesce(sum(gap_wh) filter (where gap), 0) as estimated_wh
             from made where dt_id is not null group by dt_id) c on c.dt_id = t.dt_id
       where t.discom_id = %(d)s;

insert into energy.feeder_day (discom_id, day, feeder_id, office_id, metered_wh, transfer_in_wh, transfer_out_wh, input_wh, dt_wh, ht_wh, loss_ht_wh, billed_wh,
                                     ht_billed_wh, unmetered_wh, street_light_wh, open_access_wh, ht_open_access_wh, rooftop_export_wh, loss_wh, loss_pct, dts, dts_metered,
                                     consumers, consumers_complete, coverage_consumers_pct, actual_wh, estimated_wh, read_wh, head_estimated_wh, head_quality,
                                     weakest_quality)
       select %(d)s, %(day)s, f.feeder_id, f.office_id, m.sum_wh, 0, 0, m.sum_wh, e.dt_wh, 0, m.sum_wh - e.dt_wh, e.billed_wh, 0, 0, 0, 0, 0, 0,
              m.sum_wh - e.billed_wh, 100.0 * (m.sum_wh - e.billed_wh) / m.sum_wh, e.dts, e.dts, e.consumers, e.consumers, 100,
              e.billed_wh - e.estimated_wh, e.estimated_wh, m.sum_wh + e.dt_wh + e.billed_wh, 0, 0, e.quality
       from registry.feeder f
       join made m on m.meter_id = %(n)s + (select count(*) from registry.dt where discom_id = %(d)s) + f.feeder_id
       join (select feeder_id, sum(dt_import_wh) as dt_wh, sum(consumer_import_wh) as billed_wh, count(*) as dts, sum(consumers) as consumers,
                    sum(estimated_wh) as estimated_wh, max(weakest_quality) as quality
             from energy.dt_day where discom_id = %(d)s and day = %(day)s group by feeder_id) e on e.feeder_id = f.feeder_id
       where f.discom_id = %(d)s;

insert into vee.edit (discom_id, day, meter_id, channel, before, after, reason, editor, approver, approved_at)
       select %(d)s, %(day)s, meter_id, 'import_wh', import_wh, import_wh[1:40] || array[100, 100] || import_wh[43:48], 'TEST', 'bench', 'bench too', now()
       from made where not gap and meter_id <= %(n)s and (meter_id + %(nr)s) %% %(edit)s = 0;

insert into raw.touched_day (discom_id, day, batch_id) select %(d)s, day, batch_id from batch_of where day = %(day)s;

-- at last
insert into vee.rule_set (discom_id, sha256, rules) select %(d)s, sha256, rules from vee.rule_set where discom_id = %(empty)s;

insert into ops.day_build (discom_id, day, saw, built_at, built_with, rule_set_id)
       select %(d)s, b.day, pg_current_snapshot(), now(), b.built_with, (select max(rule_set_id) from vee.rule_set where discom_id = %(d)s)
       from ops.day_build b where b.discom_id = %(empty)s;
