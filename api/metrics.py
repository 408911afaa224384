"""GET /metrics for Prometheus: requests, how long they took, the pools, the audit log that waits. No figure of any tenant's data."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterator
from functools import lru_cache

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector

from api.auth.audit import AccessLog
from api.database import Database
from api.errors import Problem

disable_created_metrics()  # when a series began doubles their number and tells nothing here

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Where several processes count together; set by `meterhouse api` before they start."""


class Metrics:
    """What one application counts."""

    def __init__(self, pools: Database, access_log: AccessLog) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter("meterhouse_http_requests", "Requests answered", ["method", "route", "status"], registry=self._registry)
        self._seconds = Histogram(
            "meterhouse_http_request_seconds", "From a request to the end of its answer", ["method", "route"],
            registry=self._registry, buckets=BUCKETS,
        )  # fmt: skip
        self._own = _OfThisProcess(pools, access_log)

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        method = method if method in METHODS else "other"
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def text(self) -> bytes:
        """In Prometheus' format. The pools and the audit log are those of the process that answers."""
        if os.environ.get(SHARED_FOLDER):
            counted = CollectorRegistry()
            MultiProcessCollector(counted)
        else:
            counted = self._registry
        own = CollectorRegistry()
        own.register(self._own)
        return generate_latest(counted) + generate_latest(own)


class _OfThisProcess:
    def __init__(self, pools: Database, access_log: AccessLog) -> None:
        self._pools, self._access_log = pools, access_log

    def collect(self) -> Iterator[Metric]:
        size = GaugeMetricFamily("meterhouse_pool_connections", "Connections that are open", labels=["pool", "pid"])
        free = GaugeMetricFamily("meterhouse_pool_free", "Connections that nobody uses", labels=["pool", "pid"])
        waiting = GaugeMetricFamily("meterhouse_pool_waiting", "Requests that wait for a connection", labels=["pool", "pid"])
        pid = str(os.getpid())
        for name, stats in self._pools.stats().items():
            size.add_metric([name, pid], stats.get("pool_size", 0))
            free.add_metric([name, pid], stats.get("pool_available", 0))
            waiting.add_metric([name, pid], stats.get("requests_waiting", 0))
        log = GaugeMetricFamily("meterhouse_access_log_waiting", "Decisions that are not written yet", labels=["pid"])
        log.add_metric([pid], self._access_log.waiting)
        yield from (size, free, waiting, log)


router = APIRouter()


@router.get("/metrics", include_in_schema=False)
def metrics(request: Request) -> Response:
    """Open to the networks of METERHOUSE_METRICS_NETWORKS, this machine by default."""
    networks = _networks(os.environ.get("METERHOUSE_METRICS_NETWORKS", "127.0.0.0/8,::1/128"))
    try:
        address = ipaddress.ip_address(request.client.host if request.client else "")
    except ValueError:
        address = None
    if address is None or not any(address in n for n in networks):
        raise Problem(403, "WRONG_NETWORK", "Not allowed", "metrics are not shown to your address: see METERHOUSE_METRICS_NETWORKS")
    counted: Metrics = request.app.state.metrics
    return Response(counted.text(), media_type=CONTENT_TYPE_LATEST)


@lru_cache
def _networks(text: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    """Raises ValueError where one is no network."""
    return tuple(ipaddress.ip_network(n.strip()) for n in text.split(",") if n.strip())
