"""Superset as code: datasets, charts and dashboards as files, and the client that brings a server in line with them, over REST alone.

Datasets come from dbt's YAML, figures from metrics.yml, designs from boards/; `generate` makes assets/ of them, `validate` checks them
without a server, `sync` brings them to one, for each DISCOM under its own database log-in. Nothing here imports Superset.
"""
