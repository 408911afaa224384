"""Dashboards in other pages: tokens for guests of Superset."""

from __future__ import annotations

from api.embed.router import router

__all__ = ["router"]
