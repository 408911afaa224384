"""local log-ins and their administration: whose an account is, one-time passwords, when TOTP was confirmed; what administrators may write"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

NEW_ACCOUNT = "login, name, email, source, home_discom_id, password_hash, one_time_until"
ADMINISTERED = "password_hash, one_time_until, failed_logins, locked_until, disabled_at, totp_secret, totp_pending, totp_since"
SHOWN = "home_discom_id, one_time_until, failed_logins, locked_until, totp_since"
CHANGE = "discom_id, who, action, outcome, method, path, request_id, address, detail"

DEFINER = "language sql stable security definer set search_path = pg_catalog, pg_temp as"


def upgrade() -> None:
    stamp = sa.TIMESTAMP(timezone=True)
    op.add_column(
        "account",
        sa.Column("home_discom_id", sa.SmallInteger(), comment="whose administrators look after it; NULL = the platform's or a provider's"),
        schema="ops",
    )
    op.add_column(
        "account",
        sa.Column("one_time_until", stamp, comment="the password is good once, until then, to set another; NULL = the holder's own"),
        schema="ops",
    )
    op.add_column(
        "account", sa.Column("totp_pending", postgresql.BYTEA(), comment="not confirmed yet; sealed as totp_secret"), schema="ops"
    )
    op.add_column("account", sa.Column("totp_since", stamp, comment="NULL = log-ins ask for no code"), schema="ops")
    op.create_foreign_key(
        op.f("account_home_discom_id_fkey"),
        "account",
        "discom",
        ["home_discom_id"],
        ["discom_id"],
        source_schema="ops",
        referent_schema="registry",
    )
    op.create_index(op.f("account_home_discom_id_idx"), "account", ["home_discom_id"], schema="ops")
    op.create_check_constraint(
        op.f("account_home_check"), "account", "home_discom_id is null or (source = 'local' and not platform_admin)", schema="ops"
    )
    # Whatever a mistake above lets through: no tenant gives what is the platform's, and no role of its own stands for its administrator's.
    op.create_check_constraint(op.f("role_code_check"), "role", "code not in ('tenant_admin','platform_admin')", schema="ops")
    op.create_check_constraint(op.f("role_permissions_check"), "role", "not ('tenants:manage' = any(permissions))", schema="ops")
    op.create_check_constraint(op.f("role_grant_role_check"), "role_grant", "role not in ('platform_admin','hes_vendor')", schema="ops")
    op.create_check_constraint(op.f("api_key_role_check"), "api_key", "role <> 'platform_admin'", schema="ops")
    op.create_index(
        "access_audit_changed_idx", "access_audit", ["discom_id", "at"], schema="ops", postgresql_where=sa.text("outcome = 'changed'")
    )
    _create_functions()
    _limit_administrators()


def _create_functions() -> None:
    op.execute(f"""
        create function ops.holds_elsewhere(account bigint) returns boolean {DEFINER} $$
          select exists (select 1 from ops.role_grant g where g.account_id = account and g.revoked_at is null
                         and g.discom_id is distinct from ops.tenant())
        $$""")
    op.execute("comment on function ops.holds_elsewhere is 'Whether an account holds a role in another tenant than this transaction''s'")
    op.execute(f"""
        create function ops.federated_account(wanted text) returns bigint {DEFINER} $$
          select account_id from ops.account where login = wanted and provider is not null
        $$""")
    op.execute("comment on function ops.federated_account is 'The account of a provider with this login, whoever has granted it a role'")
    for signature in ("holds_elsewhere(bigint)", "federated_account(text)"):
        op.execute(f"revoke execute on function ops.{signature} from public")
        op.execute(f"grant execute on function ops.{signature} to meterhouse_api, meterhouse_owner")


def _limit_administrators() -> None:
    """An administrator sees who holds a role in the DISCOM, and changes the accounts that are its own and open no other DISCOM."""
    op.execute("drop policy holders on ops.account")
    op.execute("""
        create policy holders on ops.account for select to meterhouse_api using (
          home_discom_id = ops.tenant()
          or exists (select 1 from ops.role_grant g where g.discom_id = ops.tenant() and g.account_id = account.account_id))""")
    own = "home_discom_id = ops.tenant() and ops.whole_tenant() and source = 'local' and not platform_admin"
    op.execute(f"create policy make on ops.account for insert to meterhouse_api with check ({own})")
    op.execute(
        f"create policy administer on ops.account for update to meterhouse_api "
        f"using ({own} and not ops.holds_elsewhere(account_id)) with check ({own})"
    )
    # The policies read these columns themselves.
    op.execute(f"grant select ({SHOWN}, platform_admin), insert ({NEW_ACCOUNT}), update ({ADMINISTERED}) on ops.account to meterhouse_api")
    op.execute("""
        create policy administer on ops.session to meterhouse_api using (ops.whole_tenant() and (
          discom_id = ops.tenant()
          or exists (select 1 from ops.account a where a.account_id = session.account_id and a.home_discom_id = ops.tenant())))""")
    op.execute("grant select (session_id, account_id, discom_id, expires_at, revoked_at) on ops.session to meterhouse_api")
    op.execute("grant update (revoked_at, revoked_why) on ops.session to meterhouse_api")
    op.execute(f"grant insert ({CHANGE}) on ops.access_audit to meterhouse_api")
    op.execute("revoke update on ops.role, ops.role_grant from meterhouse_api")
    op.execute("grant update (name, permissions), delete on ops.role to meterhouse_api")
    op.execute("grant update (revoked_at) on ops.role_grant to meterhouse_api")
    op.execute("grant insert (code, name, timezone) on registry.discom to meterhouse_auth")


def downgrade() -> None:
    op.drop_index("access_audit_changed_idx", "access_audit", schema="ops")
    op.execute("revoke insert (code, name, timezone) on registry.discom from meterhouse_auth")
    op.execute("revoke delete on ops.role from meterhouse_api")
    op.execute("grant update on ops.role, ops.role_grant to meterhouse_api")
    op.execute(f"revoke insert ({CHANGE}) on ops.access_audit from meterhouse_api")
    op.execute("revoke all on ops.session from meterhouse_api")
    op.execute("revoke select (session_id, account_id, discom_id, expires_at, revoked_at) on ops.session from meterhouse_api")
    op.execute("revoke update (revoked_at, revoked_why) on ops.session from meterhouse_api")
    op.execute(
        f"revoke select ({SHOWN}, platform_admin), insert ({NEW_ACCOUNT}), update ({ADMINISTERED}) on ops.account from meterhouse_api"
    )
    op.execute("drop policy administer on ops.session")
    for name in ("administer", "make", "holders"):
        op.execute(f"drop policy {name} on ops.account")
    op.execute("""
        create policy holders on ops.account to meterhouse_api using (exists (
          select 1 from ops.role_grant g where g.discom_id = ops.tenant() and g.account_id = account.account_id))""")
    op.execute("drop function ops.holds_elsewhere(bigint), ops.federated_account(text)")
    op.drop_constraint(op.f("api_key_role_check"), "api_key", schema="ops", type_="check")
    op.drop_constraint(op.f("role_grant_role_check"), "role_grant", schema="ops", type_="check")
    op.drop_constraint(op.f("role_permissions_check"), "role", schema="ops", type_="check")
    op.drop_constraint(op.f("role_code_check"), "role", schema="ops", type_="check")
    op.drop_constraint(op.f("account_home_check"), "account", schema="ops", type_="check")
    for column in ("totp_since", "totp_pending", "one_time_until", "home_discom_id"):
        op.drop_column("account", column, schema="ops")
