"""What goes in and out of log-ins by an identity provider."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints


class ProviderInfo(BaseModel):
    """A way to log in, for a page that offers it."""

    name: str
    kind: Literal["oidc", "saml", "ldap"]
    title: str
    log_in: str = Field(description="path: of `ldap` to POST login and password to, of the others where the browser goes")


class Providers(BaseModel):
    providers: list[ProviderInfo]


class TokenAnswer(BaseModel):
    """As OAuth 2.0 gives it (RFC 6749, section 5.1)."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105
    expires_in: int = Field(description="seconds until the access token ends")
    refresh_token: str


ProviderName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
DiscomCode = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00]+$")]
Challenge = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{43}$")]
Verifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._~-]{43,128}$")]


class Form(BaseModel):
    model_config = ConfigDict(extra="ignore")


class LdapLogin(Form):
    login: str = Field(min_length=1, max_length=256)
    password: str = Field(max_length=1024)
    discom: DiscomCode | None = Field(None, description="code of the DISCOM; needed where you hold roles in several")


class SamlForm(Form):
    SAMLResponse: str = Field(min_length=1, max_length=400_000)
    RelayState: str = Field(min_length=1, max_length=256)


class Redeem(Form):
    code: str = Field(min_length=1, max_length=4096)
    code_verifier: Verifier = Field(description="of the code_challenge (S256) with which the log-in began")
