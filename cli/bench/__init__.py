"""meterhouse bench: how long one day of a synthetic DISCOM takes, stage by stage, beside what PostgreSQL itself needs for the same rows.

Here stands only what measures: the stages are those of production, watched from outside. Nothing else imports this package.
"""
