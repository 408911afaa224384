{# Work that was asked for, and what its case tells of the outcome: who does the work keeps no books here. #}
select r.discom_id, {{ office_columns() }}, coalesce(r.office_id, 0) as office_id, 'week' as period, r.week as period_start, null::text as crew, r.kind, r.via,
       r.created, r.done, r.in_time, r.overdue, r.created - r.done - r.not_known as still_open, r.not_known as outcome_not_known,
       {{ pct('r.in_time', '(r.done + r.overdue)') }} as in_time_pct,
       r.done_h::double precision as mean_done_h, r.age_h::double precision as mean_open_age_h,
       {{ pct('(r.created - r.not_known)', 'r.created') }} as coverage_pct,
       a.data_as_of, now() as generated_at
from (
    select w.discom_id, coalesce(c.office_id, p.office_id) as office_id, date_trunc('week', w.requested_at at time zone d.timezone)::date as week, w.kind, w.via,
           count(*)::integer as created, count(c.closed_at)::integer as done, (count(*) filter (where w.case_id is null))::integer as not_known,
           (count(*) filter (where c.closed_at <= w.requested_at + interval '{{ var('work_order_h') | int }} hours'))::integer as in_time,
           (count(*) filter (where c.case_id is not null and c.closed_at is null and now() > w.requested_at + interval '{{ var('work_order_h') | int }} hours'))::integer as overdue,
           avg(extract(epoch from c.closed_at - w.requested_at) / 3600) as done_h,
           avg(extract(epoch from now() - w.requested_at) / 3600) filter (where c.case_id is not null and c.closed_at is null) as age_h
    from {{ source('ops', 'work_order_request') }} w
    join {{ source('registry', 'discom') }} d on d.discom_id = w.discom_id
    left join {{ source('vee', 'case') }} c on c.discom_id = w.discom_id and c.case_id = w.case_id
    left join {{ ref('stg_registry__meter_place') }} p
      on p.discom_id = w.discom_id and p.meter_id = w.meter_id and {{ valid_on('p', '(w.requested_at at time zone d.timezone)::date') }}
    group by w.discom_id, coalesce(c.office_id, p.office_id), 3, w.kind, w.via
) r
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = r.discom_id and o.office_id = r.office_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = r.discom_id
