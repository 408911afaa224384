"""What goes in and out of /api/v1/auth."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from api.auth.passwords import MOST


def no_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("holds a NUL character")
    return text


Text = Annotated[str, AfterValidator(no_nul)]
Secret = Annotated[str, StringConstraints(min_length=1, max_length=MOST), Field(json_schema_extra={"format": "password"})]


class TokenAnswer(BaseModel):
    """RFC 6749, 5.1."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105
    expires_in: int = Field(description="seconds")
    refresh_token: str | None = Field(default=None, description="good once, for the next pair; a key gets none")
    session_id: UUID | None = None


class OAuthError(BaseModel):
    """RFC 6749, 5.2, with a `code` that says more exactly what is wrong."""

    error: Literal["invalid_request", "invalid_client", "invalid_grant", "unsupported_grant_type", "unsupported_token_type"]
    error_description: str
    code: str


class Held(BaseModel):
    """A permission and where it is held."""

    permission: str
    whole: bool = Field(description="in all of the DISCOM")
    offices: list[str] = Field(description="codes of offices; what lies below them is held with them")
    service_points: list[str]


class Me(BaseModel):
    kind: Literal["account", "key"]
    subject: str = Field(description="login of the account, or id of the key")
    name: str
    discom: str | None = Field(description="None of a platform administrator outside any DISCOM")
    roles: list[str]
    permissions: list[Held]
    requests_per_min: int
    session_id: UUID | None


class PasswordChange(BaseModel):
    model_config = ConfigDict(extra="forbid")
    present: Secret
    new: Secret


class Enrolment(BaseModel):
    secret: str = Field(description="base 32; shown once")
    uri: str = Field(description="otpauth:// for a QR code")


class Code(BaseModel):
    model_config = ConfigDict(extra="forbid")
    code: Annotated[str, StringConstraints(min_length=6, max_length=12)]


class SessionLine(BaseModel):
    id: UUID
    discom: str | None
    created_at: datetime
    used_at: datetime = Field(description="when it was last prolonged")
    expires_at: datetime
    present: bool = Field(description="the one that this request is made in")


class Sessions(BaseModel):
    items: list[SessionLine]


class PublicKey(BaseModel):
    kty: str
    crv: str
    x: str
    use: str
    alg: str
    kid: str


class KeySet(BaseModel):
    """RFC 7517."""

    keys: list[PublicKey]
