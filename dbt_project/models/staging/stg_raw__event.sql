-- What happened, each once, whichever way and however often it came: codes of the event profiles and changes between status words, with the names of the dictionary.
with meter as (
    select discom_id, meter_id, lower(coalesce(make, '')) as make, lower(coalesce(firmware, '')) as firmware from {{ source('registry', 'meter') }}
),

-- The first receipt stands; what is told of it may not hang on the order of landing.
profile as (
    select distinct on (e.discom_id, e.meter_id, e.code, e.occurred_at) e.discom_id, e.day, e.meter_id, e.occurred_at, e.code, e.received_at
    from {{ source('raw', 'event') }} e
    order by e.discom_id, e.meter_id, e.code, e.occurred_at, e.received_at
),

word as (
    select distinct on (discom_id, meter_id, occurred_at) discom_id, day, meter_id, occurred_at, word, received_at
    from {{ source('raw', 'event_status') }}
    order by discom_id, meter_id, occurred_at, received_at desc, word desc
),

changed as (
    select *, lag(word, 1, '\x00000000000000000000000000000000'::bytea) over (partition by discom_id, meter_id order by occurred_at) as before
    from word
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
),

of_profile as (
    select p.discom_id, p.day, p.meter_id, p.occurred_at, p.received_at, 'event' as source, p.code, null::integer as bit,
           coalesce(k.event, 'UNKNOWN_' || p.code) as event, coalesce(k.family, 'UNKNOWN_' || p.code) as family,
           coalesce(k.role, 'single') as role, coalesce(k.log, 'other') as log, coalesce(k.severity, 'info') as severity
    from profile p
    join meter m using (discom_id, meter_id)
    left join lateral (
        select * from {{ ref('code_event') }} k where k.code = p.code and m.make like k.make and m.firmware like k.firmware order by k.rank limit 1
    ) k on true
),

of_word as (
    select f.discom_id, f.day, f.meter_id, f.occurred_at, f.received_at, 'status' as source, null::integer as code, f.bit,
           case when k.bit is null then 'UNKNOWN_ESW_' || f.bit || case when f.came then '' else '_restored' end else k.event end as event,
           coalesce(k.family, 'UNKNOWN_ESW_' || f.bit) as family,
           case when k.bit is not null then k.role when f.came then 'occurrence' else 'restoration' end as role,
           coalesce(k.log, 'other') as log, coalesce(k.severity, 'info') as severity
    from flipped f
    join meter m using (discom_id, meter_id)
    left join lateral (
        select * from {{ ref('code_esw_bit') }} k
        where k.bit = f.bit and k.came = f.came and m.make like k.make and m.firmware like k.firmware order by k.rank limit 1
    ) k on true
)

select * from of_profile
union all
select w.* from of_word w
where w.event <> ''
  and not exists (
      select 1 from of_profile p
      where p.discom_id = w.discom_id and p.meter_id = w.meter_id and p.event = w.event
        and p.occurred_at between w.occurred_at - interval '{{ var('same_event_s') }} seconds' and w.occurred_at + interval '{{ var('same_event_s') }} seconds'
  )
