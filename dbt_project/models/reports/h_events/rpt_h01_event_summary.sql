{#
  Events of installed meters by the day on which they occurred, with their names of the event dictionary. Open is what no restoration is known of; the mean duration is of those that were restored.
#}
select s.discom_id, {{ office_columns() }}, s.office_id, s.day, s.event, s.code, s.log, s.severity,
       s.occurrences, s.meters, s.open, s.restored, s.lost_restorations,
       (s.duration_s / nullif(s.restored, 0) / 60)::double precision as mean_duration_min,
       {{ pct('(s.occurrences - s.open - s.lost_restorations)', 's.occurrences') }} as coverage_pct,
       a.data_as_of, now() as generated_at
from (
    select e.discom_id, {{ office_of() }} as office_id, e.day, e.event, min(e.code) as code, min(e.log) as log, min(e.severity) as severity,
           count(*)::integer as occurrences, count(distinct e.meter_id)::integer as meters,
           (count(*) filter (where e.state = 'open'))::integer as open,
           (count(*) filter (where e.state = 'restored'))::integer as restored,
           (count(*) filter (where e.state = 'lost restoration'))::integer as lost_restorations,
           sum(e.duration_s) as duration_s
    from (
        {{ episodes() }}
    ) e
    {{ join_place('e', 'e.day', 'join') }}
    group by e.discom_id, {{ office_of() }}, e.day, e.event
) s
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = s.discom_id and o.office_id = s.office_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = s.discom_id
