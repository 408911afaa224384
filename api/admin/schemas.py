"""What goes in and out of /api/v1/admin."""

from __future__ import annotations

import ipaddress
from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from api.auth.permissions import Permission
from api.auth.schemas import Text
from api.instants import Instant

MAX_ID = 2**63 - 1


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text))
    except ValueError as e:
        raise ValueError(f"{e}: write 10.20.0.0/16 or 10.20.0.7") from None


def _zone(text: str) -> str:
    if text not in available_timezones():
        raise ValueError("is no time zone: write Asia/Kolkata, or another name of the IANA database")
    return text


Login = Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9._@+-]{1,99}$")]
Name = Annotated[Text, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Email = Annotated[Text, StringConstraints(strip_whitespace=True, max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")]
RoleCode = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,49}$")]
Code = Annotated[Text, StringConstraints(min_length=1, max_length=100)]
DiscomCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$")]
Network = Annotated[str, StringConstraints(max_length=50), AfterValidator(_network)]
Zone = Annotated[str, StringConstraints(max_length=50), AfterValidator(_zone)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


# --- grants ---


class Where(_Request):
    """A role, and where it is held: in all of the DISCOM, in an office with those below it, or at a service point."""

    role: RoleCode
    office: Code | None = Field(default=None, description="code of the office")
    service_point: Code | None = Field(default=None, description="code of the service point, of a consumer")

    @model_validator(mode="after")
    def _one_place(self) -> Where:
        if self.office is not None and self.service_point is not None:
            raise ValueError("name an office or a service point, not both")
        return self


class GrantRequest(Where):
    """To an account, by its login, or to a group at an identity provider."""

    login: Login | None = None
    provider: Code | None = None
    group: Code | None = None

    @model_validator(mode="after")
    def _one_holder(self) -> GrantRequest:
        if (self.login is None) == (self.group is None) or (self.group is None) != (self.provider is None):
            raise ValueError("name a login, or a provider and a group of it")
        return self


class GrantLine(BaseModel):
    id: int
    login: str | None
    provider: str | None
    group: str | None
    role: str
    office: str | None
    service_point: str | None
    granted_by: str
    granted_at: datetime


class GrantPage(BaseModel):
    items: list[GrantLine]
    next: int | None = Field(description="`after` of the next page")


# --- users ---


class UserRequest(_Request):
    login: Login
    name: Name
    email: Email | None = None
    grants: list[Where] = Field(default=[], max_length=50)


class User(BaseModel):
    id: int
    login: str
    name: str
    email: str | None
    source: Literal["local", "oidc", "saml", "ldap"]
    provider: str | None
    administered_here: bool = Field(description="else by its provider, another DISCOM or the platform: you give and take roles alone")
    disabled_at: datetime | None
    locked_until: datetime | None
    one_time_until: datetime | None = Field(description="it still has a one-time password, good until then")
    totp: bool
    created_at: datetime
    grants: list[GrantLine] = []


class NewPassword(BaseModel):
    """A password to hand over. It is shown once; the first log-in sets another."""

    user: User
    one_time_password: str


class UserPage(BaseModel):
    items: list[User]
    next: int | None = Field(description="`after` of the next page")


class ResetRequest(_Request):
    remove_totp: bool = Field(default=False, description="also of who has lost the phone")


# --- roles ---


class RoleRequest(_Request):
    name: Name
    permissions: list[Permission] = Field(min_length=1, max_length=len(Permission))


class NewRole(RoleRequest):
    code: RoleCode


class RoleLine(BaseModel):
    code: str
    name: str
    permissions: list[str]
    shipped: bool


class Roles(BaseModel):
    items: list[RoleLine]


# --- keys ---


class KeyRequest(_Request):
    name: Name = Field(description="who will hold it")
    role: RoleCode | None = None
    hes: Code | None = Field(default=None, description="head-end system that pushes with it, in place of a role")
    office: Code | None = None
    networks: list[Network] = Field(default=[], max_length=100, description="from where it may be used; none: from anywhere")
    requests_per_min: Annotated[int, Field(ge=1, le=1_000_000)] = 600
    expires_at: Instant | None = None

    @model_validator(mode="after")
    def _one_purpose(self) -> KeyRequest:
        if (self.role is None) == (self.hes is None):
            raise ValueError("name a role or a head-end system")
        return self


class KeyChange(_Request):
    """What is left out stays."""

    networks: list[Network] | None = Field(default=None, max_length=100)
    requests_per_min: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    expires_at: Instant | None = None


class Rotation(_Request):
    overlap_hours: Annotated[int, Field(ge=0, le=720, description="how long the old key stays good")] = 24


class KeyLine(BaseModel):
    id: str
    name: str
    role: str
    hes: str | None
    office: str | None
    networks: list[str]
    requests_per_min: int
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class NewKey(BaseModel):
    """A key; it is shown once."""

    key: str
    line: KeyLine


class KeyPage(BaseModel):
    items: list[KeyLine]
    next: str | None = Field(description="`after` of the next page")


# --- the audit log ---


class AuditLine(BaseModel):
    id: int
    at: datetime
    who: str | None
    action: str = Field(description="the permission that was asked for, or what was changed")
    outcome: Literal["allowed", "refused", "changed"]
    method: str | None
    path: str | None
    request_id: str | None
    address: str | None
    detail: dict[str, Any] | None


class AuditPage(BaseModel):
    items: list[AuditLine]
    next: str | None = Field(description="`before` of the next page")


# --- tenants ---


class Administrator(_Request):
    login: Login
    name: Name
    email: Email | None = None


class TenantRequest(_Request):
    code: DiscomCode
    name: Name
    timezone: Zone = "Asia/Kolkata"


class Tenant(BaseModel):
    code: str
    name: str
    timezone: str


class Tenants(BaseModel):
    items: list[Tenant]
