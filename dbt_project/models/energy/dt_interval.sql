{{ config(materialized='view') }}
{{ interval_balance('dt', consumer_meters('dt'), '(s.import_wh + s.given_wh)') }}
