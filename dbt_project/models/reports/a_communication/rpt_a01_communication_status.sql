{{ config(materialized='replace_day', key=['discom_id', 'day', 'office_id', 'medium']) }}
{#
  A meter communicated where a block or the midnight register of the day came, whenever that was. Not due are meters that were not commissioned yet, and those of which nothing came and that
  were proven to be without supply all day (domain 3.3): both are counted, since they decide what is measured.
#}
select s.discom_id, {{ office_columns() }}, s.office_id, s.day, s.medium,
       s.meters as total_meters, s.not_commissioned, s.without_supply, s.due as due_meters,
       s.communicated, s.due - s.communicated as not_communicating,
       {{ pct('s.communicated', 's.due') }} as communicated_pct,
       {{ pct('s.present', 's.slots') }} as coverage_pct,
       a.data_as_of, now() as generated_at
from (
    -- Few rows are doubled, of meters counted by office and medium.
    select c.discom_id, c.office_id, c.day, v.medium, sum(c.meters)::integer as meters, sum(c.not_commissioned)::integer as not_commissioned,
           sum(c.without_supply)::integer as without_supply, sum(c.due)::integer as due, sum(c.communicated)::integer as communicated,
           sum(c.present) as present, sum(c.slots) as slots
    from (
        select m.discom_id, m.office_id, m.day, m.medium,
               count(*) as meters,
               count(*) filter (where m.not_commissioned) as not_commissioned,
               count(*) filter (where not m.not_commissioned and m.without_supply) as without_supply,
               count(*) filter (where m.due) as due,
               count(*) filter (where m.due and m.came) as communicated,
               coalesce(sum(m.present_slots) filter (where m.due), 0) as present,
               coalesce(sum(m.slots) filter (where m.due), 0) as slots
        from (
            {{ due_meters() }}
        ) m
        where {{ in_partition('m') }}
        group by m.discom_id, m.office_id, m.day, m.medium
    ) c
    cross join lateral (values (coalesce(c.medium, 'not known')), ('all')) as v(medium)
    group by c.discom_id, c.office_id, c.day, v.medium
) s
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = s.discom_id and o.office_id = s.office_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = s.discom_id
