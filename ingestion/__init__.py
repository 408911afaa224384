"""From what a head-end system says to canonical records, and from there into raw.*.

transports fetch bytes, readers take formats apart, normalise applies a vendor file, landing writes. No Dagster, no SQL but landing's.
"""
