{#
  Meters that were due and of which nothing came of the last business day that was built. From there days are walked back, meter by meter, until one of which something came: most are silent
  for a few days, so few days are looked up.
#}
with recursive last as (
    select discom_id, last_day from {{ ref('stg_ops__last_day') }}
),

silent as (
    select m.discom_id, m.meter_id, m.serial, m.office_id, m.place, m.dt, m.hes_id, m.medium, l.last_day,
           greatest(i.valid_from, l.last_day - {{ var('silence_lookback') | int }}) as since
    from (
        {{ due_meters(since='(select min(last_day) from last)') }}
    ) m
    join last l on l.discom_id = m.discom_id and l.last_day = m.day
    join {{ source('registry', 'installation') }} i on i.discom_id = m.discom_id and i.meter_id = m.meter_id and {{ valid_on('i', 'm.day') }}
    where m.due and not m.came
),

back as (
    select discom_id, meter_id, last_day as day, since, false as came, null::timestamp with time zone as received_at from silent
    union all
    select b.discom_id, b.meter_id, b.day - 1, b.since, coalesce(x.came, false), x.received_at
    from back b
    left join lateral (
        select m.present_slots > 0 or m.register_close_wh is not null as came, m.received_at from {{ ref('measure') }} m
        where m.discom_id = b.discom_id and m.day = b.day - 1 and m.meter_id = b.meter_id offset 0
    ) x on true
    where not b.came and b.day > b.since
)

select s.discom_id, {{ office_columns() }}, s.meter_id, s.serial, s.place, s.dt, h.code as hes, s.medium,
       b.day as last_day_with_data,
       greatest(b.received_at, r.received_at) as last_communication_at,
       s.last_day - coalesce(b.day, s.since - 1) as silent_days,
       case when s.last_day - coalesce(b.day, s.since - 1) <= 3 then '1-3' when s.last_day - coalesce(b.day, s.since - 1) <= 7 then '4-7'
            when s.last_day - coalesce(b.day, s.since - 1) <= 15 then '8-15' when s.last_day - coalesce(b.day, s.since - 1) <= 30 then '16-30' else '> 30' end as band,
       v.signal_dbm::integer as signal_dbm,
       0::double precision as coverage_pct,
       a.data_as_of, now() as generated_at
from silent s
join {{ source('registry', 'hes') }} h on h.discom_id = s.discom_id and h.hes_id = s.hes_id
left join back b on b.discom_id = s.discom_id and b.meter_id = s.meter_id and b.came
left join lateral (
    select max(r.received_at) as received_at from {{ source('raw', 'register_reading') }} r
    where r.discom_id = b.discom_id and r.day = b.day and r.meter_id = b.meter_id offset 0
) r on true
left join lateral (
    select v.value as signal_dbm from {{ source('raw', 'meter_value') }} v
    where v.discom_id = b.discom_id and v.day = b.day and v.meter_id = b.meter_id and v.quantity = 'signal_dbm'
    order by v.read_at desc, v.received_at desc, v.value limit 1
) v on true
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = s.discom_id and o.office_id = s.office_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = s.discom_id
