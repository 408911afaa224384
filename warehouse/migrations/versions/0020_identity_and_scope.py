"""identity: accounts, roles, grants, sessions, what was allowed and refused; what a caller sees within a DISCOM"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

# The network, the calendar and what was built when are known to whoever may call at all: reports name them and say their period by them.
SHARED = (
    "registry.discom",
    "registry.office",
    "registry.substation",
    "registry.feeder",
    "registry.dt",
    "registry.hes",
    "registry.holiday",
    "registry.temperature",
    "raw.batch",
    "raw.touched_day",
    "vee.rule_set",
    "vee.freeze",
    "vee.class_profile",
    "ops.day_build",
    "ops.decided_day",
    "ops.sla_target",
    "ops.role",
    "ops.role_grant",
)

# What is written of a thing is seen by who sees the thing.
OF_ITS_THING = {
    "ops.command_audit": "command_id is not null and exists (select 1 from ops.command x where x.discom_id = command_audit.discom_id and x.command_id = command_audit.command_id)",
    "vee.case_audit": "exists (select 1 from vee.case x where x.discom_id = case_audit.discom_id and x.case_id = case_audit.case_id)",
    "vee.edit_decision": "exists (select 1 from vee.edit x where x.discom_id = edit_decision.discom_id and x.edit_id = edit_decision.edit_id)",
}

ROWS_WITHIN = """
    create function ops.rows_within(target regclass) returns text language plpgsql stable set search_path = pg_catalog, pg_temp as $$
    declare
      has name[] := array(select attname from pg_attribute where attrelid = target and attnum > 0 and not attisdropped);
      terms text[] := array['(select ops.whole_tenant())'];
    begin
      if 'office_id' = any(has) then
        terms := terms || 'office_id = any(coalesce((select ops.offices()), ''{}''))'::text;
      end if;
      if 'service_point_id' = any(has) and not 'office_id' = any(has) then
        terms := terms || 'ops.sees_service_point(discom_id, service_point_id)'::text;
      elsif 'service_point_id' = any(has) then
        terms := terms || 'service_point_id = any(coalesce((select ops.service_points()), ''{}''))'::text;
      end if;
      if 'meter_id' = any(has) and not 'service_point_id' = any(has) then
        terms := terms || 'ops.sees_meter(discom_id, meter_id)'::text;
      end if;
      if 'dt_id' = any(has) and not 'office_id' = any(has) then
        terms := terms || 'ops.sees_dt(discom_id, dt_id)'::text;
      end if;
      if 'feeder_id' = any(has) and not 'office_id' = any(has) then
        terms := terms || (case when 'dt_id' = any(has) then 'dt_id is null and ' else '' end || 'ops.sees_feeder(discom_id, feeder_id)');
      end if;
      if 'consumer_id' = any(has) and not 'service_point_id' = any(has) then
        terms := terms || 'ops.sees_consumer(discom_id, consumer_id)'::text;
      end if;
      -- Load curves: the office of a category stands where the DT or feeder of the others does.
      if array['kind', 'head_id']::name[] <@ has then
        terms := terms || 'case kind when ''category'' then head_id = any(coalesce((select ops.offices()), ''{}'')) when ''dt'' then ops.sees_dt(discom_id, head_id)
                           else ops.sees_feeder(discom_id, head_id) end'::text;
      end if;
      return array_to_string(array(select '(' || t || ')' from unnest(terms) t), ' or ');
    end $$"""

PROTECT = """
    create or replace function ops.protect(target regclass) returns void language plpgsql as $$
    begin
      execute format('alter table %s enable row level security', target);
      execute format('alter table %s force row level security', target);
      if not exists (select 1 from pg_policy where polrelid = target and polname = 'tenant') then
        execute format('create policy tenant on %s using (discom_id = ops.tenant()) with check (discom_id = ops.tenant())', target);
      end if;
      if not exists (select 1 from pg_policy where polrelid = target and polname = 'within')
         and not exists (select 1 from pg_class c join pg_namespace n on n.oid = c.relnamespace
                         join ops.shared_table s on n.nspname || '.' || regexp_replace(c.relname, '_[0-9]{6}$', '') = s.name
                         where c.oid = target) then
        execute format('create policy within on %s as restrictive using (%s)', target, ops.rows_within(target));
      end if;
    end $$"""

PROTECT_BEFORE = """
    create or replace function ops.protect(target regclass) returns void language plpgsql as $$
    begin
      execute format('alter table %s enable row level security', target);
      execute format('alter table %s force row level security', target);
      if not exists (select 1 from pg_policy where polrelid = target and polname = 'tenant') then
        execute format('create policy tenant on %s using (discom_id = ops.tenant()) with check (discom_id = ops.tenant())', target);
      end if;
    end $$"""

DEFINER = "returns boolean language sql stable parallel safe security definer set search_path = pg_catalog, pg_temp as"

SEES = {
    "sees_service_point(discom smallint, point integer)": """
        select exists (
          select 1 from registry.service_point s where s.discom_id = discom and s.service_point_id = point
          and (s.office_id = any(ops.offices()) or s.service_point_id = any(ops.service_points())))""",
    "sees_dt(discom smallint, dt integer)": """
        select exists (select 1 from registry.dt t where t.discom_id = discom and t.dt_id = dt and t.office_id = any(ops.offices()))""",
    "sees_feeder(discom smallint, feeder integer)": """
        select exists (select 1 from registry.feeder f where f.discom_id = discom and f.feeder_id = feeder and f.office_id = any(ops.offices()))""",
    "sees_consumer(discom smallint, consumer integer)": """
        select exists (
          select 1 from registry.consumer c join registry.service_point s on s.discom_id = c.discom_id and s.service_point_id = c.service_point_id
          where c.discom_id = discom and c.consumer_id = consumer
          and (s.office_id = any(ops.offices()) or s.service_point_id = any(ops.service_points())))""",
    "sees_meter(discom smallint, meter integer)": """
        select exists (
          select 1 from registry.installation i
          left join registry.service_point s on s.discom_id = i.discom_id and s.service_point_id = i.service_point_id
          left join registry.dt t on t.discom_id = i.discom_id and t.dt_id = i.dt_id
          left join registry.feeder f on f.discom_id = i.discom_id and f.feeder_id = i.feeder_id
          where i.discom_id = discom and i.meter_id = meter
          and (coalesce(s.office_id, t.office_id, f.office_id) = any(ops.offices()) or i.service_point_id = any(ops.service_points())))""",
}


def upgrade() -> None:
    _create_role()
    _create_scope()
    _create_identity()
    _change_keys()
    for table in ("ops.role", "ops.role_grant"):
        op.execute(f"select ops.protect('{table}')")
    op.execute("grant all on ops.account, ops.role, ops.role_grant, ops.session, ops.access_audit to meterhouse_owner")
    # A log-in happens before there is a tenant; it has a role of its own, and nobody else sees a hash.
    op.execute("grant usage on schema ops, registry to meterhouse_auth")
    op.execute("grant select, insert, update on ops.account, ops.session to meterhouse_auth")
    op.execute("grant select, insert on ops.access_audit to meterhouse_auth")
    op.execute("grant select on ops.role, ops.role_grant, registry.discom, registry.office to meterhouse_auth")
    for table in ("ops.account", "ops.session", "ops.access_audit"):
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
    for table in ("ops.account", "ops.session", "ops.access_audit", "ops.role", "ops.role_grant", "registry.discom", "registry.office"):
        op.execute(f"create policy log_in on {table} to meterhouse_auth using (true) with check (true)")
    op.execute("""
        create policy holders on ops.account to meterhouse_api using (exists (
          select 1 from ops.role_grant g where g.discom_id = ops.tenant() and g.account_id = account.account_id))""")
    op.execute("create policy tenant on ops.access_audit to meterhouse_api using (discom_id = ops.tenant() and ops.whole_tenant())")
    op.execute("grant select (account_id, login, name, email, source, provider, disabled_at, created_at) on ops.account to meterhouse_api")
    op.execute("grant select, insert, update on ops.role, ops.role_grant to meterhouse_api")
    op.execute("grant select on ops.access_audit to meterhouse_api")
    # The hash of a secret is nobody's but the owner's: a key is made by an administrator and read by ops.find_api_key.
    op.execute(
        "grant insert (discom_id, key_id, secret_sha256, role, hes_id, office_id, name, networks, requests_per_min, expires_at) on ops.api_key to meterhouse_api"
    )
    op.execute("grant update (revoked_at, expires_at, networks, requests_per_min) on ops.api_key to meterhouse_api")


def _create_role() -> None:
    op.execute("""
        do $$ begin
          perform pg_advisory_xact_lock(hashtext('meterhouse roles'));
          if not exists (select 1 from pg_roles where rolname = 'meterhouse_auth') then
            create role meterhouse_auth nologin nosuperuser nobypassrls;
          end if;
        end $$""")
    op.execute("grant meterhouse_auth to current_user")


def _create_scope() -> None:
    """Who is limited to offices or service points sees the rows of theirs alone: one restrictive policy a table, made from its columns."""
    for name in ("offices", "service_points"):
        op.execute(f"""
            create function ops.{name}() returns integer[] language sql stable parallel safe as
            $$ select nullif(current_setting('app.{name}', true), '')::integer[] $$""")
    op.execute("""
        create function ops.whole_tenant() returns boolean language sql stable parallel safe as
        $$ select ops.offices() is null and ops.service_points() is null $$""")
    op.execute(
        "comment on function ops.offices is 'The offices that this transaction is limited to (SET LOCAL app.offices), those below them included'"
    )
    op.execute(
        "comment on function ops.service_points is 'The service points that this transaction is limited to (SET LOCAL app.service_points)'"
    )
    op.execute("comment on function ops.whole_tenant is 'Whether this transaction sees all rows of its tenant'")
    for signature, body in SEES.items():
        op.execute(f"create function ops.{signature} {DEFINER} $${body}$$")
        op.execute(f"comment on function ops.{signature.split('(')[0]} is 'Whether it lies in ops.offices() or ops.service_points()'")
    op.create_table(
        "shared_table",
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("shared_table_pkey")),
        schema="ops",
        comment="Tables whose rows all callers of a tenant see, however limited",
    )
    for name in SHARED:
        op.execute(sa.text("insert into ops.shared_table values (:name)").bindparams(name=name))
    op.execute("alter table ops.shared_table enable row level security")
    op.execute("alter table ops.shared_table force row level security")
    op.execute("create policy everyone on ops.shared_table using (true)")
    op.execute("grant select on ops.shared_table to meterhouse_owner, meterhouse_loader, meterhouse_dbt")
    op.execute(ROWS_WITHIN)
    op.execute(
        "comment on function ops.rows_within is 'Condition of the rows that a limited caller sees, from the columns of a table: none, unless they say where a row belongs'"
    )
    op.execute(PROTECT)
    for table, condition in OF_ITS_THING.items():
        op.execute(f"create policy within on {table} as restrictive using ((select ops.whole_tenant()) or {condition})")
    op.execute(
        "comment on function ops.protect is 'Row-level security for a table of tenant data: enabled, forced, its tenant, and within it what the caller is limited to'"
    )
    op.execute("""
        do $$ declare t regclass; begin
          for t in select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace
                   where c.relrowsecurity and n.nspname in ('registry', 'raw', 'vee', 'energy', 'network', 'billing', 'reports', 'ops')
                   and exists (select 1 from pg_policy p where p.polrelid = c.oid and p.polname = 'tenant') loop
            perform ops.protect(t);
          end loop;
        end $$""")


def _create_identity() -> None:
    now = sa.func.now()
    stamp = sa.TIMESTAMP(timezone=True)
    op.create_table(
        "account",
        sa.Column("account_id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("login", sa.Text(), nullable=False, comment="in lower case"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=True, comment="name of the identity provider or directory; NULL = local"),
        sa.Column("subject", sa.Text(), nullable=True, comment="what the provider calls it"),
        sa.Column(
            "groups", postgresql.ARRAY(sa.Text()), nullable=False, server_default="{}", comment="at the provider, as of the latest log-in"
        ),
        sa.Column("password_hash", sa.Text(), nullable=True, comment="argon2id"),
        sa.Column("totp_secret", postgresql.BYTEA(), nullable=True, comment="sealed with the key of the API"),
        sa.Column("totp_used_at", sa.BigInteger(), nullable=True, comment="time step of the latest code: none counts twice"),
        sa.Column("failed_logins", sa.SmallInteger(), nullable=False, server_default="0"),
        sa.Column("locked_until", stamp, nullable=True),
        sa.Column(
            "platform_admin",
            sa.Boolean(),
            nullable=False,
            server_default="false",
            comment="administers tenants; sees the data of none by it",
        ),
        sa.Column("disabled_at", stamp, nullable=True),
        sa.Column("created_at", stamp, nullable=False, server_default=now),
        sa.PrimaryKeyConstraint("account_id", name=op.f("account_pkey")),
        sa.UniqueConstraint("login", name=op.f("account_login_key")),
        sa.UniqueConstraint("provider", "subject", name=op.f("account_provider_subject_key")),
        sa.CheckConstraint("source in ('local','oidc','saml','ldap')", name=op.f("account_source_check")),
        sa.CheckConstraint("(source = 'local') = (provider is null)", name=op.f("account_provider_check")),
        sa.CheckConstraint("login = lower(login)", name=op.f("account_login_check")),
        schema="ops",
        comment="People and programs that log in; what they may do stands in ops.role_grant",
    )
    op.create_table(
        "role",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("permissions", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("role_discom_id_fkey")),
        sa.PrimaryKeyConstraint("discom_id", "code", name=op.f("role_pkey")),
        schema="ops",
        comment="Roles of a DISCOM's own, beside those that are shipped",
    )
    op.create_table(
        "role_grant",
        sa.Column("discom_id", sa.SmallInteger(), nullable=False),
        sa.Column("grant_id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("provider", sa.Text(), nullable=True),
        sa.Column("group_name", sa.Text(), nullable=True, comment="at the provider: whoever is in it holds the role"),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("office_id", sa.Integer(), nullable=True, comment="with the offices below it; NULL = not limited to one"),
        sa.Column("service_point_id", sa.Integer(), nullable=True, comment="of a consumer"),
        sa.Column("granted_by", sa.Text(), nullable=False),
        sa.Column("granted_at", stamp, nullable=False, server_default=now),
        sa.Column("revoked_at", stamp, nullable=True),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("role_grant_discom_id_fkey")),
        sa.ForeignKeyConstraint(["account_id"], ["ops.account.account_id"], name=op.f("role_grant_account_id_fkey")),
        sa.ForeignKeyConstraint(
            ["discom_id", "office_id"],
            ["registry.office.discom_id", "registry.office.office_id"],
            name=op.f("role_grant_discom_id_office_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["discom_id", "service_point_id"],
            ["registry.service_point.discom_id", "registry.service_point.service_point_id"],
            name=op.f("role_grant_discom_id_service_point_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("discom_id", "grant_id", name=op.f("role_grant_pkey")),
        sa.CheckConstraint("(account_id is null) = (group_name is not null)", name=op.f("role_grant_holder_check")),
        sa.CheckConstraint("(group_name is null) = (provider is null)", name=op.f("role_grant_group_check")),
        sa.CheckConstraint("num_nonnulls(office_id, service_point_id) < 2", name=op.f("role_grant_scope_check")),
        schema="ops",
        comment="Who holds which role in a DISCOM, and where",
    )
    op.create_index(op.f("role_grant_account_id_idx"), "role_grant", ["account_id"], schema="ops")
    op.create_index(op.f("role_grant_provider_group_name_idx"), "role_grant", ["provider", "group_name"], schema="ops")
    op.create_table(
        "session",
        sa.Column("session_id", sa.Uuid(), nullable=False, server_default=sa.text("gen_random_uuid()")),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("discom_id", sa.SmallInteger(), nullable=True, comment="NULL = of a platform administrator"),
        sa.Column("refresh_sha256", postgresql.BYTEA(), nullable=False),
        sa.Column("previous_sha256", postgresql.BYTEA(), nullable=True, comment="shown again, it was stolen: the session ends"),
        sa.Column("created_at", stamp, nullable=False, server_default=now),
        sa.Column("used_at", stamp, nullable=False, server_default=now),
        sa.Column("expires_at", stamp, nullable=False),
        sa.Column("revoked_at", stamp, nullable=True),
        sa.Column("revoked_why", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["ops.account.account_id"], name=op.f("session_account_id_fkey")),
        sa.ForeignKeyConstraint(["discom_id"], ["registry.discom.discom_id"], name=op.f("session_discom_id_fkey")),
        sa.PrimaryKeyConstraint("session_id", name=op.f("session_pkey")),
        sa.UniqueConstraint("refresh_sha256", name=op.f("session_refresh_sha256_key")),
        schema="ops",
        comment="Log-ins: an access token names one, a refresh token prolongs it",
    )
    op.create_index(op.f("session_account_id_idx"), "session", ["account_id"], schema="ops")
    op.create_table(
        "access_audit",
        sa.Column("audit_id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("discom_id", sa.SmallInteger(), nullable=True, comment="NULL = of no tenant, as a caller who is not known"),
        sa.Column("at", stamp, nullable=False, server_default=sa.text("clock_timestamp()")),
        sa.Column("who", sa.Text(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False, comment="the permission that was asked for, or what was changed"),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=True),
        sa.Column("path", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("detail", postgresql.JSONB(), nullable=True),
        sa.PrimaryKeyConstraint("audit_id", name=op.f("access_audit_pkey")),
        sa.CheckConstraint("outcome in ('allowed','refused','changed')", name=op.f("access_audit_outcome_check")),
        schema="ops",
        comment="Every decision on a request, and every change of who may do what; append-only",
    )
    op.create_index(op.f("access_audit_discom_id_at_idx"), "access_audit", ["discom_id", "at"], schema="ops")


def _change_keys() -> None:
    """A key holds a role, as an account does, may be limited to an office, and may end."""
    op.drop_constraint(op.f("api_key_purpose_check"), "api_key", schema="ops", type_="check")
    op.drop_constraint(op.f("api_key_hes_check"), "api_key", schema="ops", type_="check")
    op.alter_column("api_key", "purpose", new_column_name="role", schema="ops")
    op.execute("update ops.api_key set role = case role when 'hes' then 'hes_vendor' when 'billing' then 'billing_system' else role end")
    op.create_check_constraint(op.f("api_key_hes_check"), "api_key", "(role = 'hes_vendor') = (hes_id is not null)", schema="ops")
    op.add_column(
        "api_key", sa.Column("office_id", sa.Integer(), comment="with the offices below it; NULL = the whole DISCOM"), schema="ops"
    )
    op.create_foreign_key(
        op.f("api_key_discom_id_office_id_fkey"),
        "api_key",
        "office",
        ["discom_id", "office_id"],
        ["discom_id", "office_id"],
        source_schema="ops",
        referent_schema="registry",
    )
    op.add_column("api_key", sa.Column("expires_at", sa.TIMESTAMP(timezone=True), comment="NULL = it does not end by itself"), schema="ops")
    op.execute("grant select (expires_at, office_id, networks, requests_per_min) on ops.api_key to meterhouse_dbt, meterhouse_api")
    op.execute("""
        create function ops.offices_below(discom smallint, office integer) returns integer[] language sql stable as $$
          with recursive below as (
            select o.office_id from registry.office o where o.discom_id = discom and o.office_id = office
            union
            select o.office_id from registry.office o join below b on o.parent_id = b.office_id where o.discom_id = discom
          )
          select array_agg(office_id order by office_id) from below
        $$""")
    op.execute("comment on function ops.offices_below is 'An office and all below it'")
    op.execute("drop function ops.find_api_key(text)")
    op.execute("""
        create function ops.find_api_key(wanted text)
        returns table (discom_id smallint, discom text, secret_sha256 bytea, role text, permissions text[], hes_id integer, hes text, vendor text, name text,
                       networks text[], requests_per_min integer, offices integer[])
        language sql stable security definer set search_path = pg_catalog, pg_temp as $$
          select k.discom_id, d.code, k.secret_sha256, k.role, r.permissions, k.hes_id, h.code, h.vendor, k.name, k.networks::text[], k.requests_per_min,
                 case when k.office_id is not null then ops.offices_below(k.discom_id, k.office_id) end
          from ops.api_key k
          join registry.discom d on d.discom_id = k.discom_id
          left join registry.hes h on h.discom_id = k.discom_id and h.hes_id = k.hes_id
          left join ops.role r on r.discom_id = k.discom_id and r.code = k.role
          where k.key_id = wanted and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())
        $$""")
    op.execute(
        "comment on function ops.find_api_key is 'The key that a request shows, unless it is revoked or has ended; permissions of a role of the DISCOM''s own'"
    )
    op.execute("revoke execute on function ops.find_api_key from public")
    op.execute("grant execute on function ops.find_api_key to meterhouse_api, meterhouse_auth")


def downgrade() -> None:
    op.execute("drop policy if exists within on ops.api_key")  # it reads a column that goes
    op.execute("drop function ops.find_api_key(text), ops.offices_below(smallint, integer)")
    op.execute("delete from ops.api_key where role not in ('hes_vendor', 'operator', 'billing_system')")
    op.drop_column("api_key", "expires_at", schema="ops")
    op.drop_column("api_key", "office_id", schema="ops")
    op.drop_constraint(op.f("api_key_hes_check"), "api_key", schema="ops", type_="check")
    op.execute("update ops.api_key set role = case role when 'hes_vendor' then 'hes' when 'billing_system' then 'billing' else role end")
    op.alter_column("api_key", "role", new_column_name="purpose", schema="ops")
    op.create_check_constraint(op.f("api_key_hes_check"), "api_key", "(purpose = 'hes') = (hes_id is not null)", schema="ops")
    op.create_check_constraint(op.f("api_key_purpose_check"), "api_key", "purpose in ('hes','operator','billing')", schema="ops")
    op.execute("""
        create function ops.find_api_key(wanted text)
        returns table (discom_id smallint, discom text, secret_sha256 bytea, purpose text, hes_id integer, hes text, vendor text, name text,
                       networks text[], requests_per_min integer)
        language sql stable security definer set search_path = pg_catalog, pg_temp as $$
          select k.discom_id, d.code, k.secret_sha256, k.purpose, k.hes_id, h.code, h.vendor, k.name, k.networks::text[], k.requests_per_min
          from ops.api_key k
          join registry.discom d on d.discom_id = k.discom_id
          left join registry.hes h on h.discom_id = k.discom_id and h.hes_id = k.hes_id
          where k.key_id = wanted and k.revoked_at is null
        $$""")
    op.execute("revoke execute on function ops.find_api_key from public")
    op.execute("grant execute on function ops.find_api_key to meterhouse_api")
    for table in ("access_audit", "session", "role_grant", "role", "account"):
        op.execute(f"drop table ops.{table} cascade")
    op.execute("drop policy log_in on registry.discom")
    op.execute("drop policy log_in on registry.office")
    op.execute("""
        do $$ declare t regclass; begin
          for t in select polrelid from pg_policy where polname = 'within' loop
            execute format('drop policy within on %s', t);
          end loop;
        end $$""")
    op.execute(PROTECT_BEFORE)
    op.execute("drop function ops.rows_within(regclass)")
    op.drop_table("shared_table", schema="ops")
    for signature in SEES:
        op.execute(f"drop function ops.{signature}")
    # Reports that ask for it go with it: views of reports are made anew wherever one is missing.
    op.execute("drop function ops.whole_tenant(), ops.offices(), ops.service_points() cascade")
    op.execute("revoke usage on schema ops, registry from meterhouse_auth")
    op.execute("revoke select on registry.discom, registry.office from meterhouse_auth")
