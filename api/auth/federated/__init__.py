"""Log-ins that somebody else vouches for: OpenID Connect, SAML 2.0, LDAP. What follows a log-in is in `api.auth.sessions`."""

from api.auth.federated.service import Federation

__all__ = ["Federation"]
