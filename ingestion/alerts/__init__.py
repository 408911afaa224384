"""Alerts: rules in YAML per tenant, raised in the landing's own transaction, sent from an outbox; outages of DTs and feeders.

`raising` is called by landing, `dispatch` by `meterhouse alerts run`. What an event code means stands in ingestion.events.
"""
