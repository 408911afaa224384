-- The day in SQL with a row per meter and interval, as most would write it: window functions flag, interpolate and scale, aggregates do the rest.
-- Placeholders in braces are filled by rowsql_day.py; the search path is the peer's schema.

create table place as {place};
alter table place add primary key (meter_id);
analyze place;

-- Each slot with the latest received value of each channel.
create table reading as
select f.meter_id, f.start_slot + u.i::integer - 1 as slot, f.received_at, f.seq, u.import_wh, u.export_wh, u.import_vah, u.quality,
       count(*) over (partition by f.meter_id, f.start_slot + u.i) as versions
from raw.profile_fragment f
join place p on p.meter_id = f.meter_id
cross join lateral unnest(f.import_wh, f.export_wh, f.import_vah, f.quality) with ordinality as u(import_wh, export_wh, import_vah, quality, i)
where f.discom_id = {discom} and f.day = {day} and f.start_slot + u.i - 1 < p.slots;
analyze reading;

create table latest as
select meter_id, slot, import_wh, export_wh, import_vah, quality, false as conflict
from reading where versions = 1
union all
select meter_id, slot,
       (array_agg(import_wh order by received_at desc, seq desc, import_wh desc) filter (where import_wh is not null))[1],
       (array_agg(export_wh order by received_at desc, seq desc, export_wh desc) filter (where export_wh is not null))[1],
       (array_agg(import_vah order by received_at desc, seq desc, import_vah desc) filter (where import_vah is not null))[1],
       (array_agg(quality order by received_at desc, seq desc, quality desc) filter (where quality is not null))[1],
       count(distinct import_wh) > 1
from reading where versions > 1
group by meter_id, slot;
analyze latest;

create table interval_value as
select p.meter_id, s.slot, l.import_wh, l.export_wh, l.import_vah, l.quality, coalesce(l.conflict, false) as conflict,
       row_number() over (partition by p.meter_id order by l.import_wh desc nulls last) as nth_highest
from place p
cross join lateral generate_series(0, p.slots - 1) as s(slot)
left join latest l on l.meter_id = p.meter_id and l.slot = s.slot;
analyze interval_value;

-- The latest received reading of a midnight is its register.
create table register as
select r.* from (
    select meter_id, day, import_wh, export_wh, import_vah,
           row_number() over (partition by meter_id, day order by received_at desc, seq desc, import_wh desc) as n
    from raw.register_reading where discom_id = {discom} and day in ({day}, {day}::date - 1)
) r where n = 1;
create table advance as
select c.meter_id, c.import_wh - o.import_wh as import_wh, c.export_wh - o.export_wh as export_wh, c.import_vah - o.import_vah as import_vah
from register c join register o on o.meter_id = c.meter_id and o.day = {day}::date - 1 where c.day = {day};
analyze advance;

create table figure as
select i.meter_id, p.place, p.category, p.interval_min, p.slots, p.register_lsb_wh, p.limit_wh, a.import_wh as advance_wh,
       count(*) filter (where i.import_wh is null) as missing_slots, count(*) filter (where i.import_wh < 0) as negative_slots,
       count(*) filter (where i.import_wh > p.limit_wh) as over_slots, count(*) filter (where i.import_wh = 0) as zero_slots,
       count(*) filter (where i.conflict) as conflict_slots, count(i.quality) as stated_slots,
       sum(i.import_wh) as import_day_wh, sum(i.export_wh) as export_day_wh, sum(i.import_vah) as import_day_vah,
       max(i.import_wh) as max_wh, max(i.import_wh) filter (where i.nth_highest = 3) as third_wh
from interval_value i
join place p on p.meter_id = i.meter_id
left join advance a on a.meter_id = i.meter_id
group by i.meter_id, p.place, p.category, p.interval_min, p.slots, p.register_lsb_wh, p.limit_wh, a.import_wh;
alter table figure add primary key (meter_id);
analyze figure;

create view judged as
select *,
       case when max_wh * 60 >= {spike_floor} * interval_min then (max_wh - third_wh)::double precision / greatest(third_wh, 1) * 100 end as spike_pct,
       case when missing_slots = 0 then
           (abs(import_day_wh - advance_wh) - least(abs(import_day_wh - advance_wh), register_lsb_wh))::double precision / greatest(abs(advance_wh), 1) * 100
       end as sum_diff_pct
from figure;

create table zero_run as {zero_run};

insert into exception
select distinct on (meter_id, rule) meter_id, rule, 'initial', severity, action, value
from (
    select meter_id, 'V05' as rule, 'fatal' as severity, 'note' as action, stamps::double precision as value, 1 as nr
    from ({future}) f join place using (meter_id) where stamps > 0
    union all
    select meter_id, 'V05', 'warn', 'note', age_days, 2
    from (select meter_id, (max(received_at) at time zone {timezone})::date - {day}::date as age_days
          from raw.profile_fragment where discom_id = {discom} and day = {day} group by meter_id) a
    join place using (meter_id) where age_days > {max_age}
    union all select meter_id, 'V06', 'warn', 'note', conflict_slots, 3 from figure where conflict_slots > 0
    union all select meter_id, 'V07', 'fail', 'estimate', missing_slots, 4 from figure where missing_slots > 0
    union all select meter_id, 'V11', 'fail', 'estimate', negative_slots, 5 from figure where negative_slots > 0
    union all
    select meter_id, 'V13', 'warn', 'flag', zero_days, 6 from zero_run join place using (meter_id)
    where category not in ('dt', 'feeder') and zero_days >= case category when 'domestic' then {zero_domestic} else {zero_others} end
    union all select meter_id, 'V16', 'fail', 'estimate', over_slots, 7 from figure where over_slots > 0
    union all select meter_id, 'V17', 'fail', 'estimate', spike_pct, 8 from judged where place = 'consumer' and spike_pct > {spike_pct}
    union all select meter_id, 'V19', 'fail', 'hold', sum_diff_pct, 9 from judged where sum_diff_pct > {sum_pct}
) found
order by meter_id, rule, nr;
analyze exception;

create table target as
select j.*, e.spike, e.doubted, e.spike and coalesce(j.import_day_wh > j.advance_wh and j.sum_diff_pct > {sum_pct}, false) as refuted
from judged j
join (select meter_id, bool_or(rule = 'V17') as spike, bool_or(action in ('hold', 'flag')) as doubted
      from exception group by meter_id having bool_or(action = 'estimate')) e using (meter_id);
analyze target;

create table like_day as {like_days};
create table usual as
select l.meter_id, v.channel, u.slot - 1 as slot, round(avg(u.v) filter (where u.v >= 0))::bigint as v
from like_day l
cross join lateral (values ('import_wh', l.import_wh), ('export_wh', l.export_wh), ('import_vah', l.import_vah)) v(channel, vals)
cross join lateral unnest(v.vals) with ordinality as u(v, slot)
group by l.meter_id, v.channel, u.slot;

-- A row per slot and channel of the days that fail, the value null where it is missing or bad.
create table repair as
select t.meter_id, c.channel, i.slot, t.interval_min, t.limit_wh, t.register_lsb_wh, c.advance,
       case when c.v >= 0 and not (c.channel = 'import_wh' and coalesce(c.v > t.limit_wh or t.refuted and c.v = t.max_wh, false)) then c.v end::bigint as good
from target t
join interval_value i on i.meter_id = t.meter_id
left join advance a on a.meter_id = t.meter_id
cross join lateral (values
    ('import_wh', i.import_wh, a.import_wh, true),
    ('export_wh', i.export_wh, a.export_wh, t.export_day_wh is not null),
    ('import_vah', i.import_vah, a.import_vah, t.import_day_vah is not null)
) c(channel, v, advance, reported)
where c.reported or c.advance is not null or exists (select from usual u where u.meter_id = t.meter_id and u.channel = c.channel);
analyze repair;

create table scaled as
with counted as (
    select *, count(good) over (partition by meter_id, channel order by slot) as before,
           count(good) over (partition by meter_id, channel order by slot desc) as after
    from repair
),
edged as (
    select *, max(good) over (partition by meter_id, channel, before) as left_good, max(good) over (partition by meter_id, channel, after) as right_good,
           row_number() over (partition by meter_id, channel, before, good is null order by slot) as pos,
           count(*) over (partition by meter_id, channel, before, good is null) as gap
    from counted
),
estimate as (
    select e.*,
           case when e.good is null then
               case when e.gap * e.interval_min <= {max_linear} and e.before > 0 and e.after > 0
                    then round(e.left_good + (e.right_good - e.left_good)::numeric * e.pos / (e.gap + 1))::bigint else u.v end
           end as raw
    from edged e left join usual u using (meter_id, channel, slot)
),
target as (
    select *, advance - coalesce(sum(good) over w, 0) as energy, count(*) filter (where good is null) over w as bad_slots, round(avg(raw) over w)::bigint as mean
    from estimate window w as (partition by meter_id, channel)
),
weighed as (
    select *, case when energy between -register_lsb_wh and coalesce(limit_wh * bad_slots, {largest}) then greatest(energy, 0) end as fit,
           case when good is null then coalesce(raw, mean, 1) end as weight
    from target
),
shared as (
    select *, case when weights > 0 then div(weight * fit, weights) else div(fit, nullif(bad_slots, 0)) end as share,
           case when weights > 0 then weight * fit % weights else 0 end as remainder
    from (select *, sum(weight) over (partition by meter_id, channel) as weights from weighed) w
)
select meter_id, channel, slot, good is not null as measured,
       case when good is not null then good
            when fit is not null then share + (row_number() over (partition by meter_id, channel, good is null order by remainder desc, slot)
                                               <= fit - sum(share) filter (where good is null) over (partition by meter_id, channel))::integer
            else raw end as v
from shared;
analyze scaled;

create table estimated as
select t.meter_id, i.vals as import_wh, x.vals as export_wh, a.vals as import_vah, i.quality, i.total as import_day_wh, x.total as export_day_wh,
       a.total as import_day_vah, i.estimated as estimated_slots, i.missing as missing_slots, i.energy as estimated_wh
from target t
join (
    select s.meter_id, array_agg(s.v::integer order by s.slot) as vals, sum(s.v) as total,
           array_agg(case when s.v is null then 9 when not s.measured then 6
                          else greatest(case when t.doubted or t.spike and not t.refuted then 5 else 0 end, coalesce(i.quality, 0)) end::smallint
                     order by s.slot) as quality,
           count(*) filter (where s.v is not null and not s.measured) as estimated, count(*) filter (where s.v is null) as missing,
           coalesce(sum(s.v) filter (where not s.measured), 0) as energy
    from scaled s
    join target t using (meter_id)
    join interval_value i on i.meter_id = s.meter_id and i.slot = s.slot
    where s.channel = 'import_wh' group by s.meter_id
) i using (meter_id)
left join (
    select meter_id, array_agg(v::integer order by slot) as vals, sum(v) as total, count(*) filter (where v is not null and not measured) as estimated
    from scaled where channel = 'export_wh' group by meter_id
) x using (meter_id)
left join (
    select meter_id, array_agg(v::integer order by slot) as vals, sum(v) as total, count(*) filter (where v is not null and not measured) as estimated
    from scaled where channel = 'import_vah' group by meter_id
) a using (meter_id)
where i.estimated > 0 or i.missing > 0 or x.estimated > 0 or a.estimated > 0;
alter table estimated add primary key (meter_id);
analyze estimated;

insert into exception
select meter_id, r.rule, 'estimate', 'fail', 'hold', r.value
from (
    select m.meter_id, m.place, m.interval_min, m.register_lsb_wh, m.advance_wh, m.slots,
           count(*) filter (where s.v is null) as missing_slots, count(*) filter (where s.v > m.limit_wh) as over_slots,
           sum(s.v) as sum_wh, max(s.v) as max_wh, max(s.v) filter (where s.nth_highest = 3) as third_wh
    from (select *, row_number() over (partition by meter_id order by v desc nulls last) as nth_highest from scaled where channel = 'import_wh') s
    join figure m using (meter_id)
    join estimated e using (meter_id)
    group by m.meter_id
) x
cross join lateral (values
    ('V07', x.missing_slots::double precision, 0::double precision),
    ('V16', x.over_slots, 0),
    ('V17', case when x.place = 'consumer' and x.max_wh * 60 >= {spike_floor} * x.interval_min
                 then (x.max_wh - x.third_wh)::double precision / greatest(x.third_wh, 1) * 100 end, {spike_pct}),
    ('V19', case when x.missing_slots = 0 then (abs(x.sum_wh - x.advance_wh) - least(abs(x.sum_wh - x.advance_wh), x.register_lsb_wh))::double precision
                 / greatest(abs(x.advance_wh), 1) * 100 end, {sum_pct})
) r(rule, value, most)
where r.value > r.most;

insert into final_day
select f.meter_id, d.import_wh, d.export_wh, d.import_vah, d.quality, d.base, f.import_day_wh, f.export_day_wh, f.import_day_vah, 0, f.missing_slots, 0,
       coalesce((select max(k) from unnest(d.quality) k), d.base)
from figure f
join (
    select i.meter_id, b.base,
           array_agg(i.import_wh order by i.slot) as import_wh,
           case when count(i.export_wh) > 0 then array_agg(i.export_wh order by i.slot) end as export_wh,
           case when count(i.import_vah) > 0 then array_agg(i.import_vah order by i.slot) end as import_vah,
           case when count(i.quality) > 0
                then array_agg(case when i.import_wh is null then 9 else greatest(i.quality, b.base) end::smallint order by i.slot) end as quality
    from interval_value i
    join (
        select p.meter_id, (case when bool_or(e.action in ('hold', 'flag', 'estimate')) then 5 else 0 end)::smallint as base
        from place p left join exception e on e.meter_id = p.meter_id and e.stage = 'initial'
        group by p.meter_id
    ) b on b.meter_id = i.meter_id
    where not exists (select from estimated e where e.meter_id = i.meter_id)
    group by i.meter_id, b.base
) d on d.meter_id = f.meter_id
union all
select meter_id, import_wh, export_wh, import_vah, quality, 0, import_day_wh, export_day_wh, import_day_vah, estimated_slots, missing_slots, estimated_wh,
       (select max(k) from unnest(quality) k)
from estimated;
alter table final_day add primary key (meter_id);
analyze final_day (meter_id);

-- In Wh that flowed: the multiplying factor is applied, to the whole Wh of each meter. A head of which slots are missing gives no balance.
create table flow as
select p.place, p.dt_id, p.feeder_id, p.consumer_dt_id, p.ht_feeder_id, f.missing_slots, f.weakest_quality,
       round(f.import_day_wh * p.mf_e4 / 10000.0)::bigint as import_wh, round(coalesce(f.export_day_wh, 0) * p.mf_e4 / 10000.0)::bigint as export_wh,
       round(f.estimated_wh * p.mf_e4 / 10000.0)::bigint as estimated_wh
from final_day f join place p using (meter_id);

create table head as
select place, coalesce(dt_id, feeder_id) as id, case when max(missing_slots) = 0 then sum(import_wh) end as import_wh,
       case when max(missing_slots) = 0 then sum(export_wh) end as export_wh, sum(estimated_wh) as estimated_wh, max(weakest_quality) as quality
from flow where place <> 'consumer' group by 1, 2;

create table served as
select case when consumer_dt_id is not null then 'dt' else 'feeder' end as place, coalesce(consumer_dt_id, ht_feeder_id) as id,
       count(*) as consumers, count(*) filter (where missing_slots = 0) as complete, coalesce(sum(import_wh), 0) as import_wh,
       sum(export_wh) as export_wh, sum(estimated_wh) as estimated_wh, max(weakest_quality) as quality
from flow where place = 'consumer' and coalesce(consumer_dt_id, ht_feeder_id) is not null group by 1, 2;
analyze head;
analyze served;

insert into dt_day
select dt_id, feeder_id, office_id, dt_import_wh, dt_export_wh, consumer_import_wh, consumer_export_wh, 0, input_wh, output_wh, input_wh - output_wh,
       100.0 * (input_wh - output_wh) / nullif(input_wh, 0), consumers, complete, 100.0 * complete / nullif(consumers, 0), estimated_wh,
       100.0 * estimated_wh / nullif(consumer_import_wh + coalesce(dt_import_wh, 0), 0), quality
from (
    select d.*, h.import_wh as dt_import_wh, h.export_wh as dt_export_wh, coalesce(c.import_wh, 0) as consumer_import_wh,
           coalesce(c.export_wh, 0) as consumer_export_wh, h.import_wh + coalesce(c.export_wh, 0) as input_wh,
           coalesce(c.import_wh, 0) + h.export_wh as output_wh, coalesce(c.consumers, 0) as consumers, coalesce(c.complete, 0) as complete,
           coalesce(c.estimated_wh, 0) + coalesce(h.estimated_wh, 0) as estimated_wh, greatest(coalesce(h.quality, 9), c.quality) as quality
    from ({dt}) d
    left join head h on h.place = 'dt' and h.id = d.dt_id
    left join served c on c.place = 'dt' and c.id = d.dt_id
) x;

insert into feeder_day
select feeder_id, office_id, input_wh, dt_wh, ht_wh, input_wh - dt_wh - ht_wh, 100.0 * (input_wh - dt_wh - ht_wh) / nullif(input_wh, 0), billed_wh,
       rooftop_wh, input_wh + rooftop_wh - billed_wh, 100.0 * (input_wh + rooftop_wh - billed_wh) / nullif(input_wh + rooftop_wh, 0),
       dts, dts_metered, consumers, complete, estimated_wh, quality
from (
    select f.*, h.import_wh - h.export_wh as input_wh, coalesce(b.net_wh, 0) as dt_wh, coalesce(t.import_wh - t.export_wh, 0) as ht_wh,
           coalesce(b.import_wh, 0) + coalesce(t.import_wh, 0) as billed_wh, coalesce(b.export_wh, 0) + coalesce(t.export_wh, 0) as rooftop_wh,
           coalesce(b.dts, 0) as dts, coalesce(b.dts_metered, 0) as dts_metered, coalesce(b.consumers, 0) + coalesce(t.consumers, 0) as consumers,
           coalesce(b.complete, 0) + coalesce(t.complete, 0) as complete,
           coalesce(h.estimated_wh, 0) + coalesce(b.estimated_wh, 0) + coalesce(t.estimated_wh, 0) as estimated_wh,
           greatest(coalesce(h.quality, 9), b.quality, t.quality) as quality
    from ({feeder}) f
    left join head h on h.place = 'feeder' and h.id = f.feeder_id
    left join (
        select feeder_id, count(*) as dts, count(dt_import_wh) as dts_metered, sum(dt_import_wh - dt_export_wh) as net_wh, sum(consumer_import_wh) as import_wh,
               sum(consumer_export_wh) as export_wh, sum(consumers) as consumers, sum(consumers_complete) as complete, sum(estimated_wh) as estimated_wh,
               max(weakest_quality) as quality
        from dt_day group by feeder_id
    ) b on b.feeder_id = f.feeder_id
    left join served t on t.place = 'feeder' and t.id = f.feeder_id
) x;

drop view judged;
drop table place, reading, latest, interval_value, register, advance, figure, zero_run, target, like_day, usual, repair, scaled, estimated, flow, head, served;
