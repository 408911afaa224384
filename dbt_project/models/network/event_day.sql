{{ config(key=['discom_id', 'day', 'meter_id', 'family']) }}
{#
  What staging.stg_raw__event says of the partition's days, counted by meter and family: that view is of all days at once, and knows of no word's predecessor but by reading
  all words of its meter. Each event counts once, however often and whichever way it came; restorations are not counted.
#}
{%- set discom = var('discom_id') | int -%}
with profile as (
    select distinct e.day, e.meter_id, e.occurred_at, e.code
    from {{ source('raw', 'event') }} e
    where {{ in_partition('e') }}
),

word as (
    select w.day, w.meter_id, w.occurred_at, w.word,
           coalesce(w.before, p.word, '\x00000000000000000000000000000000'::bytea) as before
    from (
        select u.*, lag(u.word) over (partition by u.meter_id order by u.occurred_at) as before
        from (
            select distinct on (w.meter_id, w.occurred_at) w.day, w.meter_id, w.occurred_at, w.word
            from {{ source('raw', 'event_status') }} w
            where {{ in_partition('w') }}
            order by w.meter_id, w.occurred_at, w.received_at desc, w.word desc
        ) u
    ) w
    left join lateral (
        select p.word from {{ source('raw', 'event_status') }} p
        where w.before is null and p.discom_id = {{ discom }} and p.meter_id = w.meter_id and p.occurred_at < w.occurred_at
        order by p.occurred_at desc, p.received_at desc, p.word desc
        limit 1
    ) p on true
),

-- Bit 0 is the most significant of the first octet; get_bit counts from the least significant.
flipped as (
    select w.day, w.meter_id, w.occurred_at, (8 * o.octet + b.bit)::integer as bit, get_bit(w.word, 8 * o.octet + 7 - b.bit) = 1 as came
    from word w
    cross join generate_series(0, 15) o(octet)
    cross join generate_series(0, 7) b(bit)
    where get_byte(w.word, o.octet) <> get_byte(w.before, o.octet)
      and get_bit(w.word, 8 * o.octet + 7 - b.bit) <> get_bit(w.before, 8 * o.octet + 7 - b.bit)
),

of_profile as (
    select p.day, p.meter_id, p.occurred_at, coalesce(k.event, 'UNKNOWN_' || p.code) as event, coalesce(k.family, 'UNKNOWN_' || p.code) as family,
           coalesce(k.role, 'single') as role, coalesce(k.log, 'other') as log
    from profile p
    join {{ source('registry', 'meter') }} m on m.discom_id = {{ discom }} and m.meter_id = p.meter_id
    left join lateral (
        select * from {{ ref('code_event') }} k
        where k.code = p.code and lower(coalesce(m.make, '')) like k.make and lower(coalesce(m.firmware, '')) like k.firmware
        order by k.rank limit 1
    ) k on true
),

of_word as (
    select f.day, f.meter_id, f.occurred_at, coalesce(k.event, 'UNKNOWN_ESW_' || f.bit) as event, coalesce(k.family, 'UNKNOWN_ESW_' || f.bit) as family,
           case when k.bit is not null then k.role when f.came then 'occurrence' else 'restoration' end as role, coalesce(k.log, 'other') as log
    from flipped f
    join {{ source('registry', 'meter') }} m on m.discom_id = {{ discom }} and m.meter_id = f.meter_id
    left join lateral (
        select * from {{ ref('code_esw_bit') }} k
        where k.bit = f.bit and k.came = f.came and lower(coalesce(m.make, '')) like k.make and lower(coalesce(m.firmware, '')) like k.firmware
        order by k.rank limit 1
    ) k on true
    where coalesce(k.event, 'unknown') <> ''
)

select {{ discom }}::smallint as discom_id, e.day, e.meter_id, e.family, min(e.log) as log, count(distinct (e.event, e.occurred_at))::integer as occurrences
from (
    select * from of_profile
    union all
    select w.* from of_word w
    where not exists (
        select 1 from of_profile p
        where p.meter_id = w.meter_id and p.event = w.event
          and p.occurred_at between w.occurred_at - interval '{{ var('same_event_s') }} seconds' and w.occurred_at + interval '{{ var('same_event_s') }} seconds'
    )
) e
where e.role <> 'restoration'
group by e.day, e.meter_id, e.family
