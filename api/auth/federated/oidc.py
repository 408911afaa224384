"""OpenID Connect: authorization code with PKCE, and what a token of a provider must be to be believed.

OpenID Connect Core 3.1, RFC 7519, 7636, 8725, 9207.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import jwt

from api.auth.federated import config
from api.auth.federated.outbound import Kept, Outbound
from api.auth.federated.sealed import Begun
from api.auth.federated.vouched import ProviderError, RefusedError, Vouched, vouched

LEEWAY_S = 30
LONGEST_TOKEN = 16384


class OidcProvider:
    """One provider. Keeps its discovery document and its keys."""

    def __init__(self, provider: config.Oidc, redirect_uri: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.config = provider
        self._redirect_uri = redirect_uri
        self._out = Outbound(provider.timeout_s, provider.ca_file)
        self._discovery: Kept[dict[str, Any]] = Kept(self._discover, clock)
        self._keys: Kept[dict[str | None, jwt.PyJWK]] = Kept(self._fetch_keys, clock)

    def close(self) -> None:
        self._out.close()

    def begin(self, discom: str | None, return_to: str | None, challenge: str | None) -> tuple[str, Begun]:
        """(where the browser goes, what is to be remembered). Raises ProviderError."""
        begun = Begun(
            self.config.name,
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
            discom=discom,
            return_to=return_to,
            challenge=challenge,
        )
        asked = {
            "response_type": "code",
            "client_id": self.config.client_id,
            "redirect_uri": self._redirect_uri,
            "scope": " ".join(self.config.scopes),
            "state": begun.state,
            "nonce": begun.nonce,
            "code_challenge": s256(begun.verifier),
            "code_challenge_method": "S256",
        }
        endpoint = self._endpoint("authorization_endpoint")
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(asked)}", begun

    def finish(self, begun: Begun, code: str, issuer: str | None) -> Vouched:
        """Who logged in, by the code that the browser brought back. Raises ProviderError and RefusedError."""
        if issuer is not None and issuer != self.config.issuer:
            raise RefusedError("the answer comes from another provider than the one that was asked")
        answer = self._exchange(code, begun.verifier)
        claims = self._id_token(answer.get("id_token"), begun.nonce)
        if self.config.userinfo:
            claims = {**self._user_info(answer.get("access_token"), claims["sub"]), **claims}  # what is signed goes first
        return self._vouched(claims)

    def program(self, token: str) -> Vouched:
        """Who shows an access token for our API: a program, or a person through one. Raises ProviderError and RefusedError."""
        assert self.config.api is not None
        claims = self._verified(token, self.config.api.audience)
        client = claims.get("azp") or claims.get("client_id")
        if self.config.api.clients is not None and client not in self.config.api.clients:
            raise RefusedError("the client that this token was given to may not call this API")
        return self._vouched(claims, _at(claims, self.config.login) or claims["sub"])

    def _vouched(self, claims: dict[str, Any], login: Any = None) -> Vouched:
        c = self.config
        if c.login == ("email",) and claims.get("email_verified") is False:
            raise RefusedError("the provider has not verified the email that is the login: have it verified there")
        groups = _at(claims, c.groups)
        return vouched(
            c.name,
            "oidc",
            claims["sub"],
            login or _at(claims, c.login),
            _at(claims, c.full_name),
            _at(claims, c.email),
            groups if isinstance(groups, list) else [groups] if groups else [],
        )

    def _exchange(self, code: str, verifier: str) -> dict[str, Any]:
        c = self.config
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self._redirect_uri, "code_verifier": verifier}
        auth = None
        try:
            secret = c.client_secret.read() if c.client_secret else None
        except (OSError, KeyError) as e:
            raise ProviderError(f"{c.name}: the client secret cannot be read: {e}") from None
        if secret is not None and c.client_auth == "basic":
            auth = quote(c.client_id, safe=""), quote(secret, safe="")
        else:
            form |= {"client_id": c.client_id} | ({"client_secret": secret} if secret is not None else {})
        status, answer = self._out.post(self._endpoint("token_endpoint"), form, auth)
        if status != 200:
            # invalid_grant is the browser's doing (an old code, one of another log-in), all else is the set-up's.
            error = str(answer.get("error"))[:50]
            if error == "invalid_grant":
                raise RefusedError("the provider does not take the code: it was used before, is too old, or is of another log-in")
            raise ProviderError(f"{c.name}: the token endpoint answers {status} {error!r}")
        return answer

    def _id_token(self, token: Any, nonce: str) -> dict[str, Any]:
        claims = self._verified(token, self.config.client_id)
        authorized = claims.get("azp")
        if (isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and authorized is None) or (
            authorized is not None and authorized != self.config.client_id
        ):
            raise RefusedError("the ID token is for another client (azp)")
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
            raise RefusedError("the ID token is of another log-in (nonce)")
        return claims

    def _user_info(self, access_token: Any, subject: str) -> dict[str, Any]:
        if not isinstance(access_token, str):
            raise ProviderError(f"{self.config.name}: the token endpoint gives no access token")
        endpoint = self._endpoint("userinfo_endpoint")
        said = self._out.get(endpoint, {"Authorization": f"Bearer {access_token}"})
        if said.get("sub") != subject:
            raise RefusedError("the provider's userinfo is of somebody else than its ID token")
        return said

    def _verified(self, token: Any, audience: str) -> dict[str, Any]:
        """Claims of a token that the provider signed for the audience."""
        if not isinstance(token, str) or len(token) > LONGEST_TOKEN:
            raise RefusedError("there is no token, or one that is longer than any")
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in self.config.algorithms:
                raise RefusedError(f"the token is signed in a way that is not accepted: only {', '.join(self.config.algorithms)} are")
            key = self._key(header.get("kid"))
            claims: dict[str, Any] = jwt.decode(
                token,
                key.key,
                list(self.config.algorithms),
                audience=audience,
                issuer=self.config.issuer,
                leeway=LEEWAY_S,
                options={"require": ["exp", "iat", "aud", "iss", "sub"]},
            )
        except (jwt.PyJWTError, ValueError, TypeError) as e:  # TypeError: a key of another kind than the token's algorithm
            raise RefusedError(f"the token is not accepted: {e}") from None
        return claims

    def _key(self, kid: str | None) -> jwt.PyJWK:
        keys = self._keys.get()
        if kid not in keys:
            keys = self._keys.get(anew=True)
        if kid is None and len(keys) == 1:
            return next(iter(keys.values()))
        if kid not in keys:
            raise RefusedError("the token is signed with a key that the provider does not have")
        return keys[kid]

    def _fetch_keys(self) -> dict[str | None, jwt.PyJWK]:
        try:
            said = jwt.PyJWKSet.from_dict(self._out.get(self._endpoint("jwks_uri"))).keys
        except (jwt.PyJWTError, AttributeError, TypeError, ValueError) as e:
            raise ProviderError(f"{self.config.name}: its keys (jwks_uri) cannot be read: {e}") from None
        return {k.key_id: k for k in said if k.key_type in ("RSA", "EC", "OKP") and k.public_key_use in (None, "sig")}

    def _discover(self) -> dict[str, Any]:
        url = self.config.issuer.rstrip("/") + "/.well-known/openid-configuration"
        document = self._out.get(url)
        if document.get("issuer") != self.config.issuer:
            raise ProviderError(f"{url} says that the issuer is {str(document.get('issuer'))[:200]!r}: name that one in the identity file")
        return document

    def _endpoint(self, name: str) -> str:
        url = self._discovery.get().get(name)
        # The document may send us to other hosts of the provider, but not to this machine.
        if not isinstance(url, str) or not (url.startswith("https://") if self.config.issuer.startswith("https:") else config.private(url)):
            raise ProviderError(f"{self.config.name}: its discovery document says no {name} that is encrypted")
        return url


def s256(verifier: str) -> str:
    """The PKCE challenge of a verifier (RFC 7636)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def issuer_of(token: str) -> str | None:
    """The issuer that a token claims, before anything of it is verified; None where it is no JWT."""
    if len(token) > LONGEST_TOKEN:
        return None
    try:
        claimed = jwt.decode(token, options={"verify_signature": False}).get("iss")
    except (jwt.PyJWTError, ValueError):
        return None
    return claimed if isinstance(claimed, str) else None


def _at(claims: dict[str, Any], path: config.Claim) -> Any:
    value: Any = claims
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value
