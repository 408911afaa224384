{{ config(materialized='view') }}
{{ interval_balance('feeder', dt_meters() ~ '\n            union all\n            ' ~ consumer_meters('feeder'), '(s.import_wh - s.export_wh)') }}
