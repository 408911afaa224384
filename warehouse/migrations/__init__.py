"""Alembic migrations, and what lies under them."""
