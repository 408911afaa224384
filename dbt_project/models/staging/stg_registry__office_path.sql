-- Every office with the offices above it, by level. The walk is done once per query over a small table.
with recursive up as (
    select discom_id, office_id as leaf_id, office_id, parent_id, name, level from {{ source('registry', 'office') }}
    union all
    select o.discom_id, up.leaf_id, o.office_id, o.parent_id, o.name, o.level
    from up join {{ source('registry', 'office') }} o on o.discom_id = up.discom_id and o.office_id = up.parent_id
)
select discom_id, leaf_id as office_id,
       max(name) filter (where office_id = leaf_id) as office,
       max(name) filter (where level = 'zone') as zone,
       max(name) filter (where level = 'circle') as circle,
       max(name) filter (where level = 'division') as division,
       max(name) filter (where level = 'subdivision') as subdivision,
       max(name) filter (where level = 'section') as section
from up
group by discom_id, leaf_id
