-- Every pair of an office and an office at or below it, for roll-ups at any level.
with recursive down as (
    select discom_id, office_id as ancestor_id, office_id from {{ source('registry', 'office') }}
    union all
    select o.discom_id, down.ancestor_id, o.office_id
    from down join {{ source('registry', 'office') }} o on o.discom_id = down.discom_id and o.parent_id = down.office_id
)
select * from down
