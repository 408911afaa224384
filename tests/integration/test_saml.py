"""Log-ins by SAML 2.0: against nanoidp, and with answers that it would never give, signed with its key where a test says so."""

from __future__ import annotations

import base64
import html
import re
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from fastapi.testclient import TestClient
from lxml import etree
from minisignxml.sign import sign

from tests.identity import NanoIdp, nanoidp
from tests.integration.federated_world import URL, api, grant_to, owner, query_of, refused, two_discoms, works

pytestmark = pytest.mark.integration

LOG_IN = "/api/v1/auth/saml/campus/login"
ACS = "/api/v1/auth/saml/campus/acs"
METADATA = "/api/v1/auth/saml/campus/metadata"
ENTITY = URL + METADATA
NS = {"p": "urn:oasis:names:tc:SAML:2.0:protocol", "a": "urn:oasis:names:tc:SAML:2.0:assertion", "ds": "http://www.w3.org/2000/09/xmldsig#"}
A = f"{{{NS['a']}}}"
EVIL = "urn:evil"

Changes = Callable[[etree._Element], None]


@pytest.fixture(scope="module")
def idp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NanoIdp]:
    with nanoidp(tmp_path_factory.mktemp("idp") / "nano", []) as running:
        yield running


def campus(folder: Path, idp: NanoIdp, **more: Any) -> dict[str, Any]:
    (folder / "idp.pem").write_bytes(idp.certificate())
    return {
        "kind": "saml",
        "name": "campus",
        "issuer": f"{idp.url}/saml",
        "sso_url": f"{idp.url}/saml/sso",
        "certificate_files": ["idp.pem"],
        "attributes": {"email": "email", "groups": "groups"},
        **more,
    }


@pytest.fixture
def client(module_database: str, idp: NanoIdp, tmp_path: Path) -> Iterator[TestClient]:
    two_discoms("campus")
    with api(tmp_path, [campus(tmp_path, idp)]) as running:
        yield running


def begin(client: TestClient) -> tuple[str, dict[str, str]]:
    """(URL of the provider, its query)."""
    away = client.get(LOG_IN)
    assert away.status_code == 303, away.text
    return away.headers["location"], query_of(away.headers["location"])


def answered(client: TestClient, idp: NanoIdp, login: str = "asha") -> dict[str, str]:
    """The form that nanoidp has the browser send us, after a log-in there."""
    page = idp.log_in(begin(client)[0], login)
    form = {k: html.unescape(v) for k, v in re.findall(r'name="(SAMLResponse|RelayState)"\s+value="([^"]*)"', page.text)}
    assert set(form) == {"SAMLResponse", "RelayState"}, f"the provider shows another page: {page.status_code} {page.text[:500]}"
    return form


def changed(form: dict[str, str], change: Callable[[bytes], bytes]) -> dict[str, str]:
    return {**form, "SAMLResponse": base64.b64encode(change(base64.b64decode(form["SAMLResponse"]))).decode()}


def request_id(location: str) -> str:
    xml = zlib.decompress(base64.b64decode(query_of(location)["SAMLRequest"]), -15)
    return etree.fromstring(xml).get("ID")


def crafted(client: TestClient, idp: NanoIdp, change: Changes | None = None, *, whole: bool = False, after: Changes | None = None,
            key: tuple[bytes, bytes] | None = None) -> dict[str, str]:  # fmt: skip
    """A form with an answer to a log-in that just began, changed before it is signed with the provider's key, and `after` that.

    `whole`: the Response is signed and not the assertion. `key`: PEM of another key and its certificate.
    """
    location, query = begin(client)
    now = datetime.now(UTC)
    at, until = (t.strftime("%Y-%m-%dT%H:%M:%SZ") for t in (now, now + timedelta(minutes=5)))
    root = etree.fromstring(f"""
<p:Response xmlns:p="{NS["p"]}" xmlns:a="{NS["a"]}" ID="_r" Version="2.0" IssueInstant="{at}" Destination="{URL}{ACS}" InResponseTo="{request_id(location)}">
<a:Issuer>{idp.url}/saml</a:Issuer><p:Status><p:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></p:Status>
<a:Assertion ID="_a{now.timestamp()}" Version="2.0" IssueInstant="{at}"><a:Issuer>{idp.url}/saml</a:Issuer>
<a:Subject><a:NameID>mira</a:NameID><a:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">
<a:SubjectConfirmationData NotOnOrAfter="{until}" Recipient="{URL}{ACS}" InResponseTo="{request_id(location)}"/></a:SubjectConfirmation></a:Subject>
<a:Conditions NotBefore="{at}" NotOnOrAfter="{until}"><a:AudienceRestriction><a:Audience>{ENTITY}</a:Audience></a:AudienceRestriction></a:Conditions>
<a:AuthnStatement AuthnInstant="{at}"><a:AuthnContext/></a:AuthnStatement>
<a:AttributeStatement><a:Attribute Name="groups"><a:AttributeValue>vee-operators</a:AttributeValue></a:Attribute></a:AttributeStatement>
</a:Assertion></p:Response>""")  # noqa: E501
    if change:
        change(root)
    private, certificate = key or (idp.private_key, idp.certificate())
    signed = sign(
        element=root if whole else root.find("a:Assertion", NS),
        private_key=load_pem_private_key(private, None),  # type: ignore[arg-type]
        certificate=x509.load_pem_x509_certificate(certificate),
        index=1,
    )
    if after:
        root = etree.fromstring(signed)
        after(root)
        signed = etree.tostring(root)
    return {"SAMLResponse": base64.b64encode(signed).decode(), "RelayState": query["RelayState"]}


def put(path: str, *, text: str | None = None, **attributes: str | None) -> Changes:
    """Sets the text or attributes of an element; an attribute of None is taken away."""

    def change(root: etree._Element) -> None:
        (element,) = root.findall(path, NS) if path else [root]
        if text is not None:
            element.text = text
        for name, value in attributes.items():
            element.set(name, value) if value is not None else element.attrib.pop(name)

    return change


def drop(path: str) -> Changes:
    def change(root: etree._Element) -> None:
        (element,) = root.findall(path, NS)
        element.getparent().remove(element)

    return change


def test_log_in_opens_a_session_with_the_roles_of_the_groups(client: TestClient, idp: NanoIdp) -> None:
    works(client, client.post(ACS, data=answered(client, idp)))
    assert owner("select login, email, source, provider, subject, groups from ops.account") == [
        ("asha@example.org", "asha@example.org", "saml", "campus", "asha@example.org", ["vee-operators"])
    ]


def test_the_request_says_who_asks_and_where_to_answer(client: TestClient, idp: NanoIdp) -> None:
    location, query = begin(client)
    request = etree.fromstring(zlib.decompress(base64.b64decode(query["SAMLRequest"]), -15))
    assert location.startswith(f"{idp.url}/saml/sso?")
    assert request.get("AssertionConsumerServiceURL") == URL + ACS
    assert request.findtext("a:Issuer", None, NS) == ENTITY
    assert re.fullmatch(r"_[0-9a-f]{40}", request.get("ID")), "an ID must be unguessable, and a name in XML"


def test_behind_https_the_cookie_comes_along_with_the_providers_post(module_database: str, idp: NanoIdp, tmp_path: Path) -> None:
    with api(tmp_path, [campus(tmp_path, idp)], public_url="https://meterhouse.example.org") as client:
        cookie = client.get(LOG_IN).headers["set-cookie"].lower()
    assert "samesite=none" in cookie
    assert "secure" in cookie
    assert "httponly" in cookie


def test_metadata_name_our_side(client: TestClient) -> None:
    answer = client.get(METADATA)
    assert answer.headers["content-type"] == "application/samlmetadata+xml"
    entity = etree.fromstring(answer.content)
    md = {"m": "urn:oasis:names:tc:SAML:2.0:metadata"}
    assert entity.get("entityID") == ENTITY
    assert entity.find("m:SPSSODescriptor", md).get("WantAssertionsSigned") == "true"
    assert entity.find("m:SPSSODescriptor/m:AssertionConsumerService", md).get("Location") == URL + ACS
    refused(client.get("/api/v1/auth/saml/other/metadata"), 404, "UNKNOWN_PROVIDER")


def test_an_assertion_is_good_once(client: TestClient, idp: NanoIdp) -> None:
    form = answered(client, idp)
    cookies = dict(client.cookies)
    works(client, client.post(ACS, data=form))
    for name, value in cookies.items():
        client.cookies.set(name, value)
    assert "used before" in refused(client.post(ACS, data=form), 401, "NOT_VOUCHED")
    assert owner("select count(*) from ops.session") == [(1,)]


def test_an_answer_to_another_browser_is_refused(client: TestClient, idp: NanoIdp) -> None:
    form = answered(client, idp)
    client.cookies.clear()
    refused(client.post(ACS, data=form), 400, "LOG_IN_UNKNOWN")


def test_an_answer_to_another_log_in_is_refused(client: TestClient, idp: NanoIdp) -> None:
    form = answered(client, idp)
    other = begin(client)[1]["RelayState"]
    assert "InResponseTo" in refused(client.post(ACS, data={**form, "RelayState": other}), 401, "NOT_VOUCHED")


def test_a_group_without_a_role_logs_nobody_in_until_the_account_is_given_one(client: TestClient, idp: NanoIdp) -> None:
    refused(client.post(ACS, data=answered(client, idp, "nobody")), 403, "NO_ROLE")
    grant_to("nobody@example.org")
    works(client, client.post(ACS, data=answered(client, idp, "nobody")))


def test_a_login_that_a_local_account_has_is_not_taken_over(client: TestClient, idp: NanoIdp) -> None:
    owner("insert into ops.account (login, name, source) values ('local@example.org', 'Local', 'local')")
    refused(client.post(ACS, data=answered(client, idp, "local")), 409, "LOGIN_TAKEN")


def test_a_disabled_account_stays_out(client: TestClient, idp: NanoIdp) -> None:
    works(client, client.post(ACS, data=answered(client, idp)))
    owner("update ops.account set disabled_at = now()")
    refused(client.post(ACS, data=answered(client, idp)), 403, "ACCOUNT_DISABLED")


@pytest.mark.parametrize("whole", [False, True], ids=["assertion signed", "response signed"])
def test_what_is_crafted_here_would_pass_if_nothing_were_wrong(client: TestClient, idp: NanoIdp, whole: bool) -> None:
    works(client, client.post(ACS, data=crafted(client, idp, whole=whole)))
    assert owner("select login, groups from ops.account") == [("mira", ["vee-operators"])]


OLD, LATER = "2020-01-01T00:00:00Z", "2100-01-01T00:00:00Z"
DATA = ".//a:SubjectConfirmationData"


@pytest.mark.parametrize("whole", [False, True], ids=["assertion signed", "response signed"])
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (put(".//a:Audience", text="https://other.example"), "audience"),
        (put("a:Assertion/a:Issuer", text="https://other.example"), "issuer"),
        (put(DATA, Recipient="https://other.example/acs"), "Recipient"),
        (put(DATA, Recipient=None), "Recipient"),
        (put(DATA, InResponseTo="_other"), "InResponseTo"),
        (put(DATA, InResponseTo=None), "InResponseTo"),
        (put("", InResponseTo="_other"), "InResponseTo"),
        (put("", InResponseTo=None), "InResponseTo"),
        (put("", Destination="https://other.example/acs"), "Destination"),
        (put(DATA, NotOnOrAfter=OLD), "NotOnOrAfter"),
        (put(DATA, NotOnOrAfter=None), "NotOnOrAfter"),
        (put(DATA, NotOnOrAfter="soon"), "NotOnOrAfter"),
        (put(".//a:Conditions", NotOnOrAfter=OLD), "too old"),
        (put(".//a:Conditions", NotBefore=LATER), "not valid yet"),
        (put(".//a:Conditions", NotBefore="yesterday"), "form"),
        (put(".//a:Conditions", NotOnOrAfter=None), "form"),
        (drop(".//a:Conditions"), "form"),
        (drop(".//a:AudienceRestriction"), "form"),
        (drop(".//a:Subject"), "form"),
        (put(".//a:SubjectConfirmation", Method="urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"), "bearer"),
        (put(".//p:StatusCode", Value="urn:oasis:names:tc:SAML:2.0:status:AuthnFailed"), "did not log you in"),
        (put(".//a:NameID", text=""), "subject"),
        (put(".//a:NameID", Format="urn:oasis:names:tc:SAML:2.0:nameid-format:transient"), "transient"),
        (lambda root: root.find(".//a:NameID", NS).append(etree.Comment("x")), "comments"),
        (lambda root: root.find(".//a:NameID", NS).append(etree.Element(A + "b")), "form"),
        (lambda root: root.append(etree.Element(A + "EncryptedAssertion")), "encrypted"),
    ],
)  # fmt: skip
def test_an_assertion_that_is_signed_and_not_meant_so_is_refused(
    client: TestClient, idp: NanoIdp, change: Changes, says: str, whole: bool
) -> None:
    assert says in refused(client.post(ACS, data=crafted(client, idp, change, whole=whole)), 401, "NOT_VOUCHED")
    assert owner("select count(*) from ops.account") == [(0,)]


@pytest.mark.parametrize(
    "change",
    [
        put(".//a:NameID", text="admin"),
        put(".//a:AttributeValue", text="both"),
        put(".//a:Conditions", NotOnOrAfter=LATER),
        drop(".//ds:Signature"),
        put(".//ds:SignatureValue", text=base64.b64encode(b"x" * 256).decode()),
        put(".//ds:DigestValue", text=base64.b64encode(b"x" * 32).decode()),
        put(".//ds:SignatureMethod", Algorithm="http://www.w3.org/2000/09/xmldsig#rsa-sha1"),
        put(".//ds:SignatureMethod", Algorithm="http://www.w3.org/2000/09/xmldsig#hmac-sha1"),
        put(".//ds:Reference", URI=""),
        drop(".//ds:KeyInfo"),
    ],
)
def test_what_was_changed_after_it_was_signed_is_refused(client: TestClient, idp: NanoIdp, change: Changes) -> None:
    refused(client.post(ACS, data=crafted(client, idp, after=change)), 401, "NOT_VOUCHED")
    assert owner("select count(*) from ops.account") == [(0,)]


def test_an_answer_signed_by_somebody_else_is_refused(client: TestClient, idp: NanoIdp, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = rsa.generate_private_key(65537, 2048)
    name = x509.load_pem_x509_certificate(idp.certificate()).subject  # the same name, of another key
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(days=1), now + timedelta(days=1))
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.PEM)
    )  # fmt: skip
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    form = crafted(client, idp, key=(private, certificate))
    assert "not signed by the provider" in refused(client.post(ACS, data=form), 401, "NOT_VOUCHED")

    def with_the_right_certificate(root: etree._Element) -> None:
        root.find(".//ds:X509Certificate", NS).text = base64.b64encode(
            x509.load_pem_x509_certificate(idp.certificate()).public_bytes(Encoding.DER)
        ).decode()

    form = crafted(client, idp, key=(private, certificate), after=with_the_right_certificate)
    assert "not signed by the provider" in refused(client.post(ACS, data=form), 401, "NOT_VOUCHED")


def forged_copy(root: etree._Element, *, keep_id: bool = False) -> etree._Element:
    """The signed assertion's twin, that says `admin` and has no signature."""
    twin = etree.fromstring(etree.tostring(root.find("a:Assertion", NS)))
    twin.remove(twin.find("ds:Signature", NS))
    twin.find(".//a:NameID", NS).text = "admin"
    if not keep_id:
        twin.set("ID", "_evil")
    return twin


def wrap(kind: str) -> Changes:
    """The ways of Somorovsky et al., «On Breaking SAML» (2012): where the signed original goes, and where the forged one."""

    def change(root: etree._Element) -> None:
        original = root.find("a:Assertion", NS)
        signature = original.find("ds:Signature", NS)
        if kind == "forged before":
            original.addprevious(forged_copy(root))
        elif kind == "forged after":
            original.addnext(forged_copy(root))
        elif kind == "same id twice":
            original.addprevious(forged_copy(root, keep_id=True))
        elif kind == "original in extensions":
            twin = forged_copy(root)
            root.replace(original, twin)
            extensions = etree.Element(f"{{{NS['p']}}}Extensions")
            extensions.append(original)
            root.insert(1, extensions)
        elif kind == "original in the forged one":
            twin = forged_copy(root)
            root.replace(original, twin)
            twin.append(original)
        elif kind == "original in its signature":
            twin = forged_copy(root)
            root.replace(original, twin)
            original.remove(signature)
            twin.insert(1, signature)
            etree.SubElement(signature, f"{{{NS['ds']}}}Object").append(original)
        elif kind == "original under another name":
            twin = forged_copy(root)
            root.replace(original, twin)
            original.remove(signature)
            twin.insert(1, signature)
            original.tag = f"{{{EVIL}}}Assertion"
            root.append(original)
        elif kind == "another root":
            evil = etree.fromstring(etree.tostring(root))
            evil.set("ID", "_evil")
            evil.replace(evil.find("a:Assertion", NS), forged_copy(root))
            copy = etree.fromstring(etree.tostring(root))
            for child in list(root):
                root.remove(child)
            for child in list(evil):
                root.append(child)
            root.set("ID", "_evil")
            root.append(copy)

    return change


@pytest.mark.parametrize(
    "kind",
    ["forged before", "forged after", "same id twice", "original in extensions", "original in the forged one", "original in its signature",
     "original under another name", "another root"],
)  # fmt: skip
def test_a_wrapped_signature_does_not_vouch_for_what_is_beside_it(client: TestClient, idp: NanoIdp, kind: str) -> None:
    refused(client.post(ACS, data=crafted(client, idp, after=wrap(kind))), 401, "NOT_VOUCHED")
    assert owner("select count(*) from ops.account") == [(0,)], "the forged assertion made an account"


def test_a_comment_does_not_cut_a_name_short(client: TestClient, idp: NanoIdp) -> None:
    form = crafted(client, idp, put(".//a:NameID", text="mira.evil"))
    with_comment = changed(form, lambda xml: xml.replace(b"mira.evil", b"mira<!-- -->.evil"))
    assert "comments" in refused(client.post(ACS, data=with_comment), 401, "NOT_VOUCHED")


@pytest.mark.parametrize(
    "doctype",
    [
        b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        b'<!DOCTYPE r SYSTEM "http://127.0.0.1:9/evil.dtd">',
        b'<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY x "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>',
    ],
    ids=["external entity", "external DTD", "entities in entities"],
)
def test_documents_with_a_type_are_refused(client: TestClient, idp: NanoIdp, doctype: bytes) -> None:
    form = changed(crafted(client, idp), lambda xml: doctype + xml.replace(b">mira<", b">&x;<"))
    detail = refused(client.post(ACS, data=form), 401, "NOT_VOUCHED")
    assert "root:" not in detail
    assert owner("select count(*) from ops.account") == [(0,)]


@pytest.mark.parametrize(
    "response",
    [b"", b"<", b"<a/>", b"\xff\xfe", b"\x00", b"<p:Response xmlns:p='urn:oasis:names:tc:SAML:2.0:protocol'/>", b"<a>" * 60_000],
    ids=["empty", "broken", "another root", "no utf-8", "nul", "empty response", "deep"],
)
def test_what_is_no_response_is_refused(client: TestClient, response: bytes) -> None:
    form = {"SAMLResponse": base64.b64encode(response).decode() or " ", "RelayState": begin(client)[1]["RelayState"]}
    refused(client.post(ACS, data=form), 401, "NOT_VOUCHED")


def test_what_is_no_base64_and_what_is_no_form_is_refused(client: TestClient) -> None:
    state = begin(client)[1]["RelayState"]
    refused(client.post(ACS, data={"SAMLResponse": "!!!", "RelayState": state}), 401, "NOT_VOUCHED")
    refused(client.post(ACS, data={"SAMLResponse": "x"}), 422, "INVALID_REQUEST")
    refused(client.post(ACS, json={}), 415, "UNKNOWN_MEDIA_TYPE")


def test_subject_and_login_may_be_attributes(module_database: str, idp: NanoIdp, tmp_path: Path) -> None:
    two_discoms("campus")
    attributes = {"subject": "uid", "login": "mail", "groups": "groups"}

    def change(root: etree._Element) -> None:
        statement = root.find(".//a:AttributeStatement", NS)
        for name, value in (("uid", "4711"), ("mail", "Mira@Example.org")):
            etree.SubElement(etree.SubElement(statement, A + "Attribute", Name=name), A + "AttributeValue").text = value
        root.find(".//a:NameID", NS).set("Format", "urn:oasis:names:tc:SAML:2.0:nameid-format:transient")

    with api(tmp_path, [campus(tmp_path, idp, attributes=attributes)]) as client:
        works(client, client.post(ACS, data=crafted(client, idp, change)))
        assert owner("select subject, login from ops.account") == [("4711", "mira@example.org")]
        assert "login" in refused(client.post(ACS, data=crafted(client, idp, lambda r: (change(r), drop(".//a:Attribute[@Name='mail']")(r))[0])), 401, "NOT_VOUCHED")  # fmt: skip # noqa: E501


def test_a_provider_that_is_down_stops_at_the_browser(module_database: str, idp: NanoIdp, tmp_path: Path) -> None:
    """We ask a SAML provider nothing: the browser does, so that a log-in begins in any case, and others are not held up."""
    with api(tmp_path, [campus(tmp_path, idp, sso_url="https://nowhere.invalid/sso")]) as client:
        assert client.get(LOG_IN).status_code == 303


def test_a_certificate_that_is_none_is_said_with_its_line(idp: NanoIdp, tmp_path: Path) -> None:
    from api.auth.federated.config import IdentityFileError

    broken = {**campus(tmp_path, idp), "certificate_files": ["idp.pem", "gone.pem"]}
    with pytest.raises(IdentityFileError, match=r"identity\.yml:\d+: providers\.0\.certificate_files\.1: holds no certificate"), api(tmp_path, [broken]):  # fmt: skip # noqa: E501
        pass
