"""Spans of requests for OpenTelemetry, sent only where OTEL_EXPORTER_OTLP_ENDPOINT says where to."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


class Tracing:
    """Of one application. Off unless there is an endpoint or an exporter was given; then nothing of OpenTelemetry is even loaded."""

    def __init__(self, exporter: Any = None) -> None:
        self.on = exporter is not None or bool(os.environ.get(ENDPOINT))
        if not self.on:
            return
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor

        self._provider = TracerProvider(resource=Resource.create({"service.name": os.environ.get("OTEL_SERVICE_NAME", "meterhouse-api")}))
        if exporter is not None:
            self._provider.add_span_processor(SimpleSpanProcessor(exporter))
        else:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

            self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(timeout=5)))
        self._tracer = self._provider.get_tracer("api")

    @contextmanager
    def span(self, method: str, headers: Mapping[str, str]) -> Iterator[Any]:
        """A span of a request, a child of what its `traceparent` names."""
        from opentelemetry.trace import SpanKind
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        parent = TraceContextTextMapPropagator().extract({k: headers[k] for k in ("traceparent", "tracestate") if k in headers})
        with self._tracer.start_as_current_span(method, context=parent, kind=SpanKind.SERVER, record_exception=False) as span:
            yield span

    @staticmethod
    def end(span: Any, method: str, route: str, status: int, discom_id: int | None) -> None:
        """Name it by its route: a path has serial numbers in it."""
        from opentelemetry.trace import StatusCode

        span.update_name(f"{method} {route}")
        span.set_attributes({"http.request.method": method, "http.route": route, "http.response.status_code": status})
        if discom_id is not None:
            span.set_attribute("meterhouse.discom_id", discom_id)
        if status >= 500:
            span.set_status(StatusCode.ERROR)

    def close(self) -> None:
        """Send what waits."""
        if self.on:
            self._provider.shutdown()
