"""Editing of validated data, its audit, and frozen periods.

operations.py is the arithmetic, policy.py when a second person is needed, service.py what is accepted and refused, bulk.py files of
many edits, audit.py the chain of hashes, freezing.py periods that were billed. Everything runs in a transaction of one tenant that the
caller opens (`app.discom_id` set, as meterhouse_api). Nothing here changes raw data.
"""
