{#
  Smart meters as they stood on the last business day of the week that was built, for every office with all offices below it. An office without a target of its own has what is sanctioned below it.
#}
select p.discom_id, {{ office_columns() }}, s.office_id, 'week' as period, p.period_start, s.item, p.last_day as as_of_day,
       s.sanctioned::integer as sanctioned, s.installed::integer as installed, s.commissioned::integer as commissioned, s.prepaid::integer as prepaid, s.integrated::integer as integrated,
       {{ pct('s.installed', 's.sanctioned') }} as installed_pct,
       {{ pct('s.commissioned', 's.sanctioned') }} as commissioned_pct,
       {{ pct('s.prepaid', 's.installed') }} as prepaid_pct,
       {{ pct('s.integrated', 's.installed') }} as integrated_pct,
       {{ pct('s.integrated', 's.installed') }} as coverage_pct,
       a.data_as_of, now() as generated_at
from (
    select b.discom_id, date_trunc('week', b.day)::date as period_start, max(b.day) as last_day
    from {{ source('ops', 'day_build') }} b where b.built_at is not null
    group by b.discom_id, period_start
) p
cross join lateral (
    select u.office_id, u.item, max(u.sanctioned) as sanctioned, sum(u.installed) as installed, sum(u.commissioned) as commissioned, sum(u.prepaid) as prepaid, sum(u.integrated) as integrated
    from (
        select t.ancestor_id as office_id, c.item, null::bigint as sanctioned, c.installed, c.commissioned, c.prepaid, c.integrated
        from (
            select m.office_id, m.place as item, count(*) as installed, count(*) filter (where not {{ not_commissioned('r', 'm.day') }}) as commissioned,
                   count(*) filter (where r.payment = 'prepaid') as prepaid, count(*) filter (where m.present_slots > 0 or m.register_close_wh is not null) as integrated
            from {{ ref('measure') }} m
            join {{ source('registry', 'meter') }} r on r.discom_id = m.discom_id and r.meter_id = m.meter_id
            where m.discom_id = p.discom_id and m.day = p.last_day and r.category in ('{{ var('smart_categories') | join("', '") }}')
            group by m.office_id, m.place
        ) c
        join {{ ref('stg_registry__office_tree') }} t on t.discom_id = p.discom_id and t.office_id = c.office_id
        union all
        select t.ancestor_id, x.item, coalesce(max(x.sanctioned) filter (where t.office_id = t.ancestor_id), sum(x.sanctioned)), 0, 0, 0, 0
        from {{ source('registry', 'rdss_target') }} x
        join {{ ref('stg_registry__office_tree') }} t on t.discom_id = x.discom_id and t.office_id = x.office_id
        where x.discom_id = p.discom_id
        group by t.ancestor_id, x.item
    ) u
    group by u.office_id, u.item
    offset 0
) s
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = p.discom_id and o.office_id = s.office_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = p.discom_id
