"""Swagger UI and Redoc from this server alone: nothing is loaded from outside, and no script runs that stands in a page."""

from __future__ import annotations

from html import escape
from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

CONTENT = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
    "connect-src 'self'; worker-src blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
FILES = "/docs/files"
START = """window.ui = SwaggerUIBundle({
  url: document.currentScript.dataset.description, dom_id: "#page", deepLinking: true, validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis], layout: "BaseLayout", displayOperationId: true, persistAuthorization: false,
});
"""
router = APIRouter(include_in_schema=False)


def add_pages(app: FastAPI) -> None:
    app.include_router(router)
    app.mount(FILES, StaticFiles(directory=Path(str(files("fastapi_offline"))) / "static"), name="documentation")


@router.get("/docs")
def swagger(request: Request) -> Response:
    root = request.scope.get("root_path", "")
    return _page(
        "Meterhouse API",
        f"""<link rel="stylesheet" href="{escape(root)}{FILES}/swagger-ui.css"><div id="page"></div>
        <script src="{escape(root)}{FILES}/swagger-ui-bundle.js"></script>
        <script src="{escape(root)}/docs/start.js" data-description="{escape(root)}/openapi.json"></script>""",
        root,
    )


@router.get("/docs/start.js")
def start() -> Response:
    return Response(START, media_type="text/javascript")


@router.get("/redoc")
def redoc(request: Request) -> Response:
    root = request.scope.get("root_path", "")
    return _page(
        "Meterhouse API, reference",
        f"""<redoc spec-url="{escape(root)}/openapi.json" disable-search="false" hide-logo></redoc>
        <script src="{escape(root)}{FILES}/redoc.standalone.js"></script>""",
        root,
    )


def _page(title: str, body: str, root: str) -> Response:
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><link rel="icon" href="{escape(root)}{FILES}/favicon.png">'
    html = f'<!doctype html><html lang="en"><head>{head}<style>body{{margin:0}}</style></head><body>{body}</body></html>'
    return HTMLResponse(html, headers={"Content-Security-Policy": CONTENT})
