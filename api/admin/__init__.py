"""/api/v1/admin: accounts, roles, grants, keys and the audit log of a DISCOM, by its administrators; DISCOMs, by the platform's."""
