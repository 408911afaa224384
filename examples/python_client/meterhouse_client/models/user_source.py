from typing import Literal

UserSource = Literal["ldap", "local", "oidc", "saml"]

USER_SOURCE_VALUES: set[UserSource] = {
    "ldap",
    "local",
    "oidc",
    "saml",
}


def check_user_source(value: str) -> UserSource:
    if value in USER_SOURCE_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {USER_SOURCE_VALUES!r}"
    )
