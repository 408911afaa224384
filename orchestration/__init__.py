"""Dagster, thin: which asset comes after which, for which DISCOM and days, checked how, retried when. No SQL of its own data, no parsing.

dbt.py runs dbt in process; assets.py is the graph; stale.py says which days late data touched; definitions.py is what Dagster loads.
"""
