select discom_id, day, meter_id, start_slot, interval_min, received_at, seq,
       import_wh, export_wh, import_vah, export_vah, import_varh, voltage_dv, current_ma, quality
from {{ source('raw', 'profile_fragment') }}
