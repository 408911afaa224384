"""HTTP API and exports: what leaves the warehouse on request.

One package per domain, each with its own repository, the only place of that domain with SQL. What is read of tenant data is read as
meterhouse_api, so that row-level security holds. main.py puts the domains together. Figures are computed by dbt, not here.
"""
