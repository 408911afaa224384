"""Who calls, what it may do, and where. Routes take `require(Permission.…)`; who logs in how is in the modules beside."""

from api.auth.caller import Caller, Grant, Identity, Scope
from api.auth.keys import HEADER, new_key
from api.auth.permissions import Permission
from api.auth.require import database, require

__all__ = ["HEADER", "Caller", "Grant", "Identity", "Permission", "Scope", "database", "new_key", "require"]
