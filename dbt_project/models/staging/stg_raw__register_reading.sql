-- The last word on each meter's midnight register: of several readings of one day the latest received stands.
select distinct on (discom_id, day, meter_id)
       discom_id, day, meter_id, read_at, received_at, import_wh, export_wh, import_vah, export_vah, md_import_w, md_import_at
from {{ source('raw', 'register_reading') }} r
order by discom_id, day, meter_id, {{ register_order('r') }} desc
