"""What a caller is told about themselves. No SQL."""

from __future__ import annotations

from uuid import UUID

from api.auth import local_repository, repository, sessions_repository
from api.auth.caller import Caller, Identity, Scope
from api.auth.permissions import Permission
from api.auth.schemas import Held, Me, SessionLine, Sessions
from api.database import Database
from api.errors import Problem


def me(pools: Database, identity: Identity) -> Me:
    """Permissions with the codes of the topmost offices, and of the service points, where each is held."""
    scopes = {p: s for p in Permission if (s := identity.scope(p)) is not None}
    limited = Scope.union([s for s in scopes.values() if not s.whole])
    offices: dict[int, tuple[str, int | None]] = {}
    points: dict[int, str] = {}
    if not limited.whole and (limited.offices or limited.service_points):
        with pools.tenant(Caller(identity, limited)) as conn:
            offices = repository.offices_by_id(conn, limited.offices or ())
            points = repository.service_points_by_id(conn, limited.service_points or ())
    held = [
        Held(
            permission=permission,
            whole=scope.whole,
            offices=sorted(
                code
                for office_id, (code, parent) in offices.items()
                if office_id in (scope.offices or ()) and parent not in (scope.offices or ())
            ),
            service_points=sorted(points[i] for i in scope.service_points or () if i in points),
        )
        for permission, scope in scopes.items()
    ]
    return Me(
        kind="key" if identity.account_id is None else "account",
        subject=identity.subject,
        name=identity.name,
        discom=identity.discom or None,
        roles=sorted({g.role for g in identity.grants}),
        permissions=held,
        requests_per_min=identity.requests_per_min,
        session_id=UUID(identity.session_id) if identity.session_id else None,
    )


def sessions(pools: Database, identity: Identity) -> Sessions:
    """Of an account, in all DISCOMs."""
    assert identity.account_id is not None
    with pools.auth() as conn:
        rows = local_repository.sessions_of(conn, identity.account_id)
    return Sessions(items=[SessionLine(**r, present=str(r["id"]) == identity.session_id) for r in rows])


def end_session(pools: Database, identity: Identity, session_id: UUID, why: str) -> None:
    """Raises Problem 404 for somebody else's, and one that has ended."""
    assert identity.account_id is not None
    with pools.auth() as conn:
        mine = local_repository.owns(conn, identity.account_id, session_id)
        if not (mine and sessions_repository.revoke(conn, session_id, why)):
            raise Problem(404, "UNKNOWN_SESSION", "No such session", "you have no such session, or it has ended: GET /api/v1/auth/sessions")
