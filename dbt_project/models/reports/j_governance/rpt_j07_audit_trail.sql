{# Everything that the warehouse keeps of who did what. The hashes of edits, decisions and freezes are checked by `meterhouse vee verify-audit`, not here. #}
select r.discom_id, {{ office_columns() }}, (r.at at time zone d.timezone)::date as day, r.at, r.who, r.source, r.entry, r.action, r.object, m.serial, r.note, r.before, r.after,
       case when r.who is not null then 100 else 0 end::double precision as coverage_pct,
       a.data_as_of, now() as generated_at
from (
    select e.discom_id, e.edited_at as at, e.editor as who, 'edit' as source, e.edit_id::text as entry, 'propose' as action,
           e.channel || ' of ' || e.day as object, e.meter_id, e.reason || coalesce(': ' || e.note, '') as note, e.before::text as before, e.after::text as after
    from {{ source('vee', 'edit') }} e
    union all
    select c.discom_id, c.decided_at, c.decided_by, 'edit', c.edit_id::text, c.decision, e.channel || ' of ' || e.day, e.meter_id, c.note, null, null
    from {{ source('vee', 'edit_decision') }} c
    join {{ source('vee', 'edit') }} e on e.discom_id = c.discom_id and e.edit_id = c.edit_id
    union all
    select f.discom_id, f.frozen_at, f.frozen_by, 'freeze', f.freeze_id::text, case when f.releases is null then 'freeze' else 'release' end,
           'days ' || f.first_day || ' to ' || f.last_day, null, f.reason, null, null
    from {{ source('vee', 'freeze') }} f
    union all
    select u.discom_id, u.at, u.who, 'case', u.audit_id::text, u.action, 'case ' || u.case_id || ' of ' || c.rule, c.meter_id, u.note, u.before::text, u.after::text
    from {{ source('vee', 'case_audit') }} u
    join {{ source('vee', 'case') }} c on c.discom_id = u.discom_id and c.case_id = u.case_id
    union all
    select p.discom_id, p.proposed_at, p.proposed_by, 'rule proposal', p.proposal_id::text, 'propose', 'overlay of the rules', null, p.note, null, p.overlay
    from {{ source('vee', 'rule_proposal') }} p
    union all
    select p.discom_id, p.decided_at, p.decided_by, 'rule proposal', p.proposal_id::text, p.state, 'overlay of the rules', null, null, null, null
    from {{ source('vee', 'rule_proposal') }} p
    where p.decided_at is not null
    union all
    select s.discom_id, s.noted_at, 'meterhouse', 'rule set', s.rule_set_id::text, 'first in force', 'rule set ' || s.rule_set_id, null, null, null, s.overlay
    from {{ source('vee', 'rule_set') }} s
    union all
    select c.discom_id, c.at, c.who, 'command', c.audit_id::text, c.to_state, coalesce(o.kind || ' command ' || o.command_id, 'command that was refused'), o.meter_id, c.why,
           c.from_state, c.to_state
    from {{ source('ops', 'command_audit') }} c
    left join {{ source('ops', 'command') }} o on o.discom_id = c.discom_id and o.command_id = c.command_id
    union all
    select k.discom_id, v.at, null, 'API key', k.key_id, v.action, k.role || ' key of ' || k.name, null, null, null, null
    from {{ source('ops', 'api_key') }} k
    cross join lateral (values (k.created_at, 'create'), (k.revoked_at, 'revoke')) as v(at, action)
    where v.at is not null
) r
join {{ source('registry', 'discom') }} d on d.discom_id = r.discom_id
left join {{ ref('stg_registry__meter_place') }} p on p.discom_id = r.discom_id and p.meter_id = r.meter_id and {{ valid_on('p', '(r.at at time zone d.timezone)::date') }}
left join {{ source('registry', 'meter') }} m on m.discom_id = r.discom_id and m.meter_id = r.meter_id
left join {{ ref('stg_registry__office_path') }} o on o.discom_id = r.discom_id and o.office_id = p.office_id
left join {{ ref('stg_raw__data_as_of') }} a on a.discom_id = r.discom_id
