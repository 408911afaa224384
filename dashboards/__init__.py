"""Superset as code: assets in YAML and the client that brings a server in line with them. Knows reports.* and no other schema.

Nothing is here yet but its place.
"""
