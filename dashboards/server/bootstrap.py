"""Makes or upgrades Superset's metadata in one process, which takes a third of the time of its four commands. Run by Superset's Python.

Reads from standard input one JSON object: {"admin": {"username", "password"}}. It can be run again at any time.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main() -> None:
    import superset
    from superset.app import create_app

    admin = json.load(sys.stdin)["admin"]
    app = create_app()
    with app.app_context():
        from flask_migrate import upgrade
        from superset.extensions import appbuilder, db

        upgrade(directory=str(Path(superset.__file__).parent / "migrations"))
        appbuilder.add_permissions(update_perms=True)
        manager = appbuilder.sm
        manager.sync_role_definitions()
        user = manager.find_user(admin["username"])
        if user is None:
            role = manager.find_role("Admin")
            manager.add_user(admin["username"], "Meterhouse", "Sync", "superset@localhost.localdomain", role, password=admin["password"])
        else:
            manager.reset_password(user.id, admin["password"])
        db.session.commit()


if __name__ == "__main__":
    main()
