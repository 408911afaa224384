{#
  Times in which nothing is due of a meter, installed or not: before it is commissioned, where its day or its state says so, and while every account of its service point has ended.
  A meter's times do not overlap. Few accounts have ended, and what belongs to them is looked up: laterals with OFFSET 0.
#}
{%- set due_from -%}
case when m.commissioned_on is not null then m.commissioned_on
     when m.state in ('{{ var('not_commissioned_states') | join("', '") }}') then 'infinity'::date
     else '-infinity'::date end
{%- endset %}
select m.discom_id, m.meter_id, 'not commissioned' as reason, '-infinity'::date as from_day, {{ due_from }} as to_day
from {{ source('registry', 'meter') }} m
where {{ due_from }} > '-infinity'::date
union all
select g.discom_id, i.meter_id, 'disconnected' as reason, greatest(g.valid_to, i.valid_from, m.due_from) as from_day,
       least(coalesce(s.next_from, 'infinity'::date), coalesce(i.valid_to, 'infinity'::date)) as to_day
from (
    select distinct e.discom_id, e.service_point_id, e.valid_to from {{ source('registry', 'consumer') }} e where e.valid_to is not null
) g
cross join lateral (
    select min(n.valid_from) filter (where n.valid_from >= g.valid_to) as next_from, bool_or({{ valid_on('n', 'g.valid_to') }}) as occupied
    from {{ source('registry', 'consumer') }} n where n.discom_id = g.discom_id and n.service_point_id = g.service_point_id
) s
cross join lateral (
    select i.meter_id, i.valid_from, i.valid_to from {{ source('registry', 'installation') }} i
    where i.discom_id = g.discom_id and i.service_point_id = g.service_point_id offset 0
) i
cross join lateral (
    select {{ due_from }} as due_from from {{ source('registry', 'meter') }} m where m.discom_id = g.discom_id and m.meter_id = i.meter_id offset 0
) m
where not s.occupied and greatest(g.valid_to, i.valid_from, m.due_from) < least(coalesce(s.next_from, 'infinity'::date), coalesce(i.valid_to, 'infinity'::date))
