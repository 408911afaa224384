-- What the build that is under way may read: a fragment that lands after it began is for the next one, so that all its models see the same.
select f.discom_id, f.day, f.meter_id, f.start_slot, f.interval_min, f.received_at, f.batch_id, f.seq,
       f.import_wh, f.export_wh, f.import_vah, f.export_vah, f.import_varh, f.voltage_dv, f.current_ma, f.quality,
       f.q1_varh, f.q4_varh
from {{ source('raw', 'profile_fragment') }} f
-- NOT IN, so that these few batches are found once a query and not once a fragment; none of the columns is ever NULL.
where (f.discom_id, f.day, f.batch_id) not in (
    select t.discom_id, t.day, t.batch_id
    from {{ source('raw', 'touched_day') }} t
    join {{ source('ops', 'day_build') }} b using (discom_id, day)
    where b.built_at is null and not pg_visible_in_snapshot(t.written_by, b.saw)
)
