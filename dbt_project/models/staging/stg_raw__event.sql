{#
  What happened, each once, whichever way and however often it came: codes of the event profiles and changes between status words, with the names of the dictionary.
  Who asks for a day reads that day: `day` stands in every grouping and window, and what lies outside of it is looked up by index.
#}
with meter as not materialized (
    select discom_id, meter_id, lower(coalesce(make, '')) as make, lower(coalesce(firmware, '')) as firmware from {{ source('registry', 'meter') }}
),

-- Names are found once a make and firmware, and not once an event.
version as (
    select distinct make, firmware from meter
),

code_name as (
    select distinct on (v.make, v.firmware, k.code) v.make, v.firmware, k.code, k.event, k.family, k.role, k.log, k.severity
    from version v
    join {{ ref('code_event') }} k on v.make like k.make and v.firmware like k.firmware
    order by v.make, v.firmware, k.code, k.rank
),

bit_name as (
    select distinct on (v.make, v.firmware, k.bit, k.came) v.make, v.firmware, k.bit, k.came, k.event, k.family, k.role, k.log, k.severity
    from version v
    join {{ ref('code_esw_bit') }} k on v.make like k.make and v.firmware like k.firmware
    order by v.make, v.firmware, k.bit, k.came, k.rank
),

-- The first receipt stands; what is told of it may not hang on the order of landing.
profile as (
    select discom_id, day, meter_id, occurred_at, code, min(received_at) as received_at
    from {{ source('raw', 'event') }}
    group by discom_id, day, meter_id, occurred_at, code
),

word as (
    select distinct on (discom_id, day, meter_id, occurred_at) discom_id, day, meter_id, occurred_at, word, received_at
    from {{ source('raw', 'event_status') }}
    order by discom_id, day, meter_id, occurred_at, received_at desc, word desc
),

-- Only the first word of a day has its predecessor elsewhere.
changed as (
    select w.*, coalesce(
               lag(w.word) over (partition by w.discom_id, w.day, w.meter_id order by w.occurred_at),
               (select p.word from {{ source('raw', 'event_status') }} p
                where p.discom_id = w.discom_id and p.meter_id = w.meter_id and p.occurred_at < w.occurred_at
                order by p.occurred_at desc, p.received_at desc, p.word desc limit 1),
               '\x00000000000000000000000000000000'::bytea
           ) as before
    from word w
),

-- Bit 0 is the most significant of the first octet; get_bit counts from the least significant.
flipped as (
    select c.discom_id, c.day, c.meter_id, c.occurred_at, c.received_at, (8 * o.octet + b.bit)::integer as bit,
           get_bit(c.word, 8 * o.octet + 7 - b.bit) = 1 as came
    from changed c
    cross join generate_series(0, 15) o(octet)
    cross join generate_series(0, 7) b(bit)
    where get_byte(c.word, o.octet) <> get_byte(c.before, o.octet)
      and get_bit(c.word, 8 * o.octet + 7 - b.bit) <> get_bit(c.before, 8 * o.octet + 7 - b.bit)
)

select p.discom_id, p.day, p.meter_id, p.occurred_at, p.received_at, 'event' as source, p.code, null::integer as bit,
       coalesce(k.event, 'UNKNOWN_' || p.code) as event, coalesce(k.family, 'UNKNOWN_' || p.code) as family,
       coalesce(k.role, 'single') as role, coalesce(k.log, 'other') as log, coalesce(k.severity, 'info') as severity
from profile p
join meter m on m.discom_id = p.discom_id and m.meter_id = p.meter_id
left join code_name k on k.code = p.code and k.make = m.make and k.firmware = m.firmware
union all
select w.discom_id, w.day, w.meter_id, w.occurred_at, w.received_at, 'status', null::integer, w.bit, w.event, w.family, w.role, w.log, w.severity
from (
    select f.discom_id, f.day, f.meter_id, f.occurred_at, f.received_at, f.bit, m.make, m.firmware,
           case when k.bit is null then 'UNKNOWN_ESW_' || f.bit || case when f.came then '' else '_restored' end else k.event end as event,
           coalesce(k.family, 'UNKNOWN_ESW_' || f.bit) as family,
           case when k.bit is not null then k.role when f.came then 'occurrence' else 'restoration' end as role,
           coalesce(k.log, 'other') as log, coalesce(k.severity, 'info') as severity
    from flipped f
    join meter m on m.discom_id = f.discom_id and m.meter_id = f.meter_id
    left join bit_name k on k.bit = f.bit and k.came = f.came and k.make = m.make and k.firmware = m.firmware
) w
where w.event <> ''
  -- OFFSET 0 keeps this a look-up of few words' days; a join would read every event that there is.
  and not exists (
      select 1 from {{ source('raw', 'event') }} p
      where p.discom_id = w.discom_id and p.day in (w.day - 1, w.day, w.day + 1) and p.meter_id = w.meter_id
        and p.occurred_at between w.occurred_at - interval '{{ var('same_event_s') }} seconds' and w.occurred_at + interval '{{ var('same_event_s') }} seconds'
        and coalesce((select k.event from code_name k where k.code = p.code and k.make = w.make and k.firmware = w.firmware), 'UNKNOWN_' || p.code) = w.event
      offset 0
  )
