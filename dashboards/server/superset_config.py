"""Superset's configuration. Superset reads it by SUPERSET_CONFIG_PATH; it imports nothing of Meterhouse, which is not in this environment.

Settings come from the environment that `meterhouse superset up` (or the container) gives:

METERHOUSE_SUPERSET_SECRETS       JSON file with secret_key and guest_token_secret, readable by its owner alone
METERHOUSE_SUPERSET_METADATA_URL  SQLAlchemy URL of Superset's own database
METERHOUSE_SUPERSET_COOKIE        name of the session's cookie
METERHOUSE_SUPERSET_EMBED_ORIGINS origins that may show dashboards in a frame, separated by blanks (default: none but itself)
METERHOUSE_SUPERSET_REDIS_URL     cache of several processes (default: each answer is read from the warehouse)
METERHOUSE_SUPERSET_OIDC          JSON file: issuer, client_id, client_secret, roles {group: [roles]}, groups_claim
METERHOUSE_SUPERSET_LDAP          JSON file: settings AUTH_LDAP_* and roles {group's DN: [roles]}
METERHOUSE_SUPERSET_HTTPS         1 where a proxy serves Superset by HTTPS: cookies are then for HTTPS alone
"""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any


def _file(variable: str) -> dict[str, Any]:
    path = os.environ.get(variable)
    return dict(json.loads(Path(path).read_text())) if path else {}


_secrets = _file("METERHOUSE_SUPERSET_SECRETS")
_https = os.environ.get("METERHOUSE_SUPERSET_HTTPS") == "1"
_origins = os.environ.get("METERHOUSE_SUPERSET_EMBED_ORIGINS", "").split()
_redis = os.environ.get("METERHOUSE_SUPERSET_REDIS_URL")

SECRET_KEY = _secrets["secret_key"]
SQLALCHEMY_DATABASE_URI = os.environ["METERHOUSE_SUPERSET_METADATA_URL"]
SESSION_COOKIE_NAME = os.environ["METERHOUSE_SUPERSET_COOKIE"]
SESSION_COOKIE_SECURE = _https
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
ENABLE_PROXY_FIX = _https
WTF_CSRF_ENABLED = True
RATELIMIT_ENABLED = bool(_redis)
if _redis:
    RATELIMIT_STORAGE_URI = _redis
LOG_LEVEL = "WARNING"

FEATURE_FLAGS = {
    "EMBEDDED_SUPERSET": True,
    # Dashboards go out by mail with the reports (api/reports/schedules), which need no Celery.
    "ALERT_REPORTS": False,
    # Jinja in SQL would let an analyst's query ask Superset itself.
    "ENABLE_TEMPLATE_PROCESSING": False,
    "ESCAPE_MARKDOWN_HTML": True,
    "DRILL_TO_DETAIL": True,
    "DRILL_BY": True,
}

# What a guest may call at all. Of data Gamma opens none: the token names the dashboard whose datasets it may read.
GUEST_ROLE_NAME = "Gamma"
GUEST_TOKEN_JWT_SECRET = _secrets["guest_token_secret"]
GUEST_TOKEN_JWT_EXP_SECONDS = 600
GUEST_TOKEN_JWT_AUDIENCE = "meterhouse-superset"  # noqa: S105 - a name

# Sub-queries in an ad-hoc expression could read a table past the dataset's rules.
ALLOW_ADHOC_SUBQUERY = False
PREVENT_UNSAFE_DB_CONNECTIONS = True
SQLLAB_TIMEOUT = 30
SQLLAB_CTAS_NO_LIMIT = False
DEFAULT_SQLLAB_LIMIT = 1000
SQL_MAX_ROW = 100_000
ROW_LIMIT = 10_000
SUPERSET_WEBSERVER_TIMEOUT = 60

# Nothing is fetched from outside and nothing is told to it: the front end has a telemetry pixel built in, which this policy stops.
TALISMAN_ENABLED = True
TALISMAN_CONFIG = {
    "content_security_policy": {
        "base-uri": ["'self'"],
        "default-src": ["'self'"],
        "img-src": ["'self'", "blob:", "data:"],
        "font-src": ["'self'", "data:"],
        "worker-src": ["'self'", "blob:"],
        "connect-src": ["'self'"],
        "object-src": "'none'",
        "style-src": ["'self'", "'unsafe-inline'"],
        "script-src": ["'self'", "'strict-dynamic'", "'unsafe-eval'"],
        "frame-ancestors": ["'self'", *_origins],
    },
    "content_security_policy_nonce_in": ["script-src"],
    "force_https": False,
    "session_cookie_secure": _https,
    "frame_options": None,
}
CONTENT_SECURITY_POLICY_WARNING = False
THEME_FONT_URL_ALLOWED_DOMAINS: list[str] = []


def _cache(prefix: str, seconds: int) -> dict[str, Any]:
    if _redis:
        return {"CACHE_TYPE": "RedisCache", "CACHE_REDIS_URL": _redis, "CACHE_KEY_PREFIX": prefix, "CACHE_DEFAULT_TIMEOUT": seconds}
    return {"CACHE_TYPE": "NullCache", "CACHE_NO_NULL_WARNING": True}


CACHE_CONFIG = _cache("superset_", 3600)
DATA_CACHE_CONFIG = _cache("superset_data_", 3600)
if _redis:
    FILTER_STATE_CACHE_CONFIG = _cache("superset_filter_", 90 * 86400)
    EXPLORE_FORM_DATA_CACHE_CONFIG = _cache("superset_explore_", 7 * 86400)

# --- how it looks ---

APP_NAME = "Meterhouse"
LOGO_TOOLTIP = "Meterhouse"
LOGO_RIGHT_TEXT = ""
# A house whose gable is the hand of a meter; in the file, since nothing is fetched from elsewhere.
APP_ICON = (
    "data:image/svg+xml;base64,"
    + base64.b64encode(
        b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 190 32"><path d="M3 17 17 5l14 12v12H3z" fill="#3B75AF"/>'
        b'<path d="M8 25a9 9 0 0 1 18 0" fill="none" stroke="#fff" stroke-width="2.4"/>'
        b'<path d="m17 25 5-7" stroke="#E9A23B" stroke-width="2.6"/>'
        b'<text x="40" y="24" font-family="Inter,Noto Sans,Helvetica,Arial,sans-serif" font-size="21" font-weight="600"'
        b' fill="#3B75AF">Meterhouse</text></svg>'
    ).decode()
)
NAVY, BLUE, PALE, AMBER, RED, GREY, INK = "#1F3A5F", "#3B75AF", "#C9DAEA", "#E9A23B", "#C0392B", "#7A8794", "#22303C"
_TOKENS = {
    "brandAppName": APP_NAME,
    "brandLogoAlt": APP_NAME,
    "brandLogoHref": "/",
    "brandLogoUrl": APP_ICON,
    "brandLogoHeight": "28px",
    "brandLogoMargin": "10px 0",
    "fontUrls": [],
    "fontFamily": "Inter, 'Noto Sans', Helvetica, Arial, sans-serif",
    "colorPrimary": BLUE,
    "colorLink": BLUE,
    "colorError": RED,
    "colorWarning": AMBER,
    "colorSuccess": "#2E8B6F",
    "colorInfo": "#5B93C7",
    "borderRadius": 6,
}
THEME_DEFAULT = {"token": {**_TOKENS, "colorTextBase": INK}, "algorithm": "default"}
THEME_DARK = {"token": {**_TOKENS, "colorPrimary": "#6FA8DC", "colorLink": "#8DBBE6", "colorBgBase": "#0F1B2A"}, "algorithm": "dark"}
ENABLE_UI_THEME_ADMINISTRATION = False
EXTRA_CATEGORICAL_COLOR_SCHEMES = [
    {
        "id": "meterhouse",
        "label": "Meterhouse",
        "description": "",
        "isDefault": True,
        "colors": [BLUE, AMBER, "#2E8B6F", RED, NAVY, "#8E6FB0", "#5BB5C9", "#B5893B", GREY, "#D98880", "#7FA650", "#C9DAEA"],
    },
    {
        "id": "meterhouse_pale",
        "label": "Meterhouse pale",
        "description": "For areas that carry text",
        "isDefault": False,
        "colors": [PALE, "#F6DDB3", "#BFE0D3", "#E8C0BA", "#D5C9E3", "#BFE3EA", "#E6D3B0", "#D3D9DF"],
    },
]
EXTRA_SEQUENTIAL_COLOR_SCHEMES = [
    {
        "id": "meterhouse_loss",
        "label": "Meterhouse loss",
        "description": "From little to much loss",
        "isDiverging": False,
        "isDefault": False,
        "colors": ["#EEF3F8", "#F6DDB3", "#E9A23B", "#D4663A", "#C0392B"],
    },
]

# 12,34,567.8: three digits, then two and two.
D3_FORMAT = {"decimal": ".", "thousands": ",", "grouping": [3, 2, 2, 2, 2, 2, 2, 2], "currency": ["₹", ""]}
BABEL_DEFAULT_TIMEZONE = "Asia/Kolkata"

# --- who comes in ---

_oidc, _ldap = _file("METERHOUSE_SUPERSET_OIDC"), _file("METERHOUSE_SUPERSET_LDAP")
if _oidc:
    from flask_appbuilder.security.manager import AUTH_OAUTH
    from superset.security import SupersetSecurityManager

    class _SecurityManager(SupersetSecurityManager):
        """Takes a person's groups from what the provider says of them."""

        def get_oauth_user_info(self, provider: str, response: Any = None) -> dict[str, Any]:
            said = self.appbuilder.sm.oauth_remotes[provider].userinfo()
            return {
                "username": said.get("preferred_username") or said["sub"],
                "email": said.get("email") or f"{said['sub']}@invalid",
                "first_name": said.get("given_name", ""),
                "last_name": said.get("family_name", ""),
                "role_keys": said.get(_oidc.get("groups_claim", "groups"), []),
            }

    AUTH_TYPE = AUTH_OAUTH
    CUSTOM_SECURITY_MANAGER = _SecurityManager
    OAUTH_PROVIDERS = [
        {
            "name": _oidc.get("name", "sso"),
            "icon": _oidc.get("icon", "fa-key"),
            "token_key": "access_token",
            "remote_app": {
                "client_id": _oidc["client_id"],
                "client_secret": _oidc["client_secret"],
                "server_metadata_url": f"{_oidc['issuer'].rstrip('/')}/.well-known/openid-configuration",
                "client_kwargs": {"scope": _oidc.get("scope", "openid profile email")},
            },
        }
    ]
elif _ldap:
    from flask_appbuilder.security.manager import AUTH_LDAP

    AUTH_TYPE = AUTH_LDAP
    RECAPTCHA_PUBLIC_KEY = ""  # every page asks for it where people are registered as they come
    globals().update({k: v for k, v in _ldap.items() if k.startswith("AUTH_LDAP_")})
if _oidc or _ldap:
    # The administrator of `meterhouse superset` is no person of the provider.
    AUTH_API_LOGIN_ALLOW_MULTIPLE_PROVIDERS = True
    AUTH_USER_REGISTRATION = True
    AUTH_ROLES_SYNC_AT_LOGIN = True
    AUTH_ROLES_MAPPING = (_oidc or _ldap)["roles"]
