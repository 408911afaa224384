"""The ground floor: tables of registry, raw, vee and ops, migrations, connections, roles and the embedded server.

Knows no head-end system and no HTTP. Everything else stands on it.
"""
