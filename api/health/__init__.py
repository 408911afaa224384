"""Liveness, readiness and version, for whoever runs the service. Says nothing of any tenant's data."""
