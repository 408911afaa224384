"""SAML 2.0, the service provider's side: AuthnRequest by redirect, Response by POST (SAML Core 2.5 and 3.4, Profiles 4.1.4).

minisaml verifies the signature and gives what is signed alone. Around it stands what it leaves to others: that the answer is to our
question, at our address, for now; and that the XML has one shape only, so that no two readers see two things in it.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from lxml import etree
from minisaml.errors import AudienceMismatch, IssuerMismatch, MiniSAMLError, ResponseExpired, ResponseTooEarly
from minisaml.request import get_request_redirect_url
from minisaml.response import Response, TimeDriftLimits, validate_response
from minisignxml.errors import CertificateMismatch, MiniSignXMLError, UnsupportedAlgorithm, VerificationFailed
from minisignxml.verify import extract_verified_element_and_certificate

from api.auth.federated import config
from api.auth.federated.sealed import Begun
from api.auth.federated.vouched import RefusedError, Vouched, vouched

MOST_BYTES = 1 << 18
SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
PROTOCOL = "urn:oasis:names:tc:SAML:2.0:protocol"
METADATA = "urn:oasis:names:tc:SAML:2.0:metadata"
DS = "http://www.w3.org/2000/09/xmldsig#"
POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
NS = {"saml": SAML, "samlp": PROTOCOL, "ds": DS}

_ODD = "the answer is not of the form that SAML 2.0 gives it"


@dataclass(frozen=True)
class Confirmed:
    """An assertion that was verified. `assertion_id` is good once, and for nothing after `until`."""

    vouched: Vouched
    assertion_id: str
    until: datetime


class SamlProvider:
    """One provider."""

    def __init__(self, provider: config.Saml, acs_url: str) -> None:
        self.config = provider
        self.acs_url = acs_url

    def begin(self, discom: str | None, return_to: str | None, challenge: str | None) -> tuple[str, Begun]:
        """(where the browser goes, what is to be remembered)."""
        begun = Begun(
            self.config.name,
            state=secrets.token_urlsafe(32),
            request_id=f"_{secrets.token_hex(20)}",
            discom=discom,
            return_to=return_to,
            challenge=challenge,
        )
        url = get_request_redirect_url(
            saml_endpoint=self.config.sso_url,
            expected_audience=self.config.entity_id,
            acs_url=self.acs_url,
            request_id=begun.request_id,
            relay_state=begun.state,
        )
        return url, begun

    def finish(self, begun: Begun, response: str) -> Confirmed:
        """Who logged in, by the SAMLResponse that the browser brought. Raises RefusedError."""
        try:
            xml = base64.b64decode("".join(response.split()), validate=True)
        except (binascii.Error, ValueError):
            raise RefusedError("SAMLResponse is not base64") from None
        self._shape(xml, begun)
        try:
            said = validate_response(
                data=base64.b64encode(xml),
                certificate=self.config.certificates,
                expected_audience=self.config.entity_id,
                idp_issuer=self.config.issuer,
                allowed_time_drift=TimeDriftLimits(self._skew, self._skew),
            )
            signed, _ = extract_verified_element_and_certificate(xml=xml, certificates=self.config.certificates)
        except (ResponseExpired, ResponseTooEarly):
            raise RefusedError("the assertion is too old, or not valid yet: log in again; see that the clocks agree") from None
        except AudienceMismatch as e:
            raise RefusedError(f"the assertion is for another audience than {e.expected_audience}") from None
        except IssuerMismatch:
            raise RefusedError("the assertion is from another issuer than the provider") from None
        except (VerificationFailed, CertificateMismatch):
            raise RefusedError("the assertion is not signed by the provider, or was changed") from None
        except UnsupportedAlgorithm:
            raise RefusedError("the assertion is signed in a way that is not accepted: RSA with SHA-256 is, over exclusive XML") from None
        except (MiniSAMLError, MiniSignXMLError, etree.LxmlError, KeyError, ValueError, TypeError, IndexError):
            raise RefusedError(_ODD) from None
        return self._confirmed(said, signed, begun)

    def metadata(self) -> bytes:
        """What the provider's administrator reads in to know us."""
        entity = etree.Element(f"{{{METADATA}}}EntityDescriptor", {"entityID": self.config.entity_id}, nsmap={"md": METADATA})
        sp = etree.SubElement(
            entity,
            f"{{{METADATA}}}SPSSODescriptor",
            {"AuthnRequestsSigned": "false", "WantAssertionsSigned": "true", "protocolSupportEnumeration": PROTOCOL},
        )
        etree.SubElement(sp, f"{{{METADATA}}}NameIDFormat").text = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
        place = {"Binding": POST, "Location": self.acs_url, "index": "0", "isDefault": "true"}
        etree.SubElement(sp, f"{{{METADATA}}}AssertionConsumerService", place)
        return etree.tostring(entity, xml_declaration=True, encoding="UTF-8", pretty_print=True)

    @property
    def _skew(self) -> timedelta:
        return timedelta(seconds=self.config.clock_skew_s)

    def _shape(self, xml: bytes, begun: Begun) -> None:
        """One Response with one assertion and one signature, that is of the one or the other; nothing that readers see differently."""
        if len(xml) > MOST_BYTES:
            raise RefusedError(f"the answer has more than {MOST_BYTES} bytes")
        try:
            root = etree.fromstring(xml, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False))
        except (etree.LxmlError, ValueError):
            raise RefusedError("the answer is not XML") from None
        tree = root.getroottree()
        if tree.docinfo.doctype or tree.docinfo.internalDTD is not None:
            raise RefusedError("the answer has a document type, which SAML does not allow")
        # A comment parts a text in two for some readers, of which they see the first.
        if any(not isinstance(e.tag, str) for e in tree.xpath("//node()[not(self::text())]")):
            raise RefusedError("the answer holds comments or processing instructions, which are not accepted")
        if root.tag != f"{{{PROTOCOL}}}Response":
            raise RefusedError("the answer is no SAML 2.0 Response")
        code = root.find("samlp:Status/samlp:StatusCode", NS)
        if code is None or code.get("Value") != SUCCESS:
            raise RefusedError("the provider did not log you in")
        if root.find(".//saml:EncryptedAssertion", NS) is not None:
            raise RefusedError("the assertion is encrypted, which is not supported: have the provider sign it, and send it over TLS")
        assertions, signatures = list(root.iter(f"{{{SAML}}}Assertion")), list(root.iter(f"{{{DS}}}Signature"))
        ids = [i for e in root.iter() for i in (e.get("ID"), e.get("Id"), e.get("id")) if i is not None]
        if len(assertions) != 1 or assertions[0].getparent() is not root or len(ids) != len(set(ids)):
            raise RefusedError("the answer must hold one assertion, in its own place, and each ID once")
        if len(signatures) != 1:
            raise RefusedError("the answer must be signed once: have the provider sign either the assertion or the response")
        signed = signatures[0].getparent()
        references = signatures[0].findall("ds:SignedInfo/ds:Reference", NS)
        if signed not in (root, assertions[0]) or [r.get("URI") for r in references] != [f"#{signed.get('ID')}"]:
            raise RefusedError("the signature must be of what it stands in: the assertion or the response")
        if root.get("Destination", self.acs_url) != self.acs_url:
            raise RefusedError("the answer is meant for another address (Destination)")
        if root.get("InResponseTo") != begun.request_id:
            raise RefusedError("the answer is to another question, or to none (InResponseTo): begin the log-in here")

    def _confirmed(self, said: Response, signed: Any, begun: Begun) -> Confirmed:
        assertion = signed if signed.tag == f"{{{SAML}}}Assertion" else signed.find("saml:Assertion", NS)
        confirmation = assertion.find("saml:Subject/saml:SubjectConfirmation", NS)
        data = confirmation.find("saml:SubjectConfirmationData", NS)
        if confirmation.get("Method") != BEARER:
            raise RefusedError("the assertion is not for its bearer (SubjectConfirmation)")
        if data.get("Recipient") != self.acs_url:
            raise RefusedError("the assertion is meant for another address (Recipient)")
        if data.get("InResponseTo") != begun.request_id:
            raise RefusedError("the assertion is to another question, or to none (InResponseTo): begin the log-in here")
        until = _instant(data.get("NotOnOrAfter"))
        if until is None or until + self._skew <= datetime.now(UTC):
            raise RefusedError("the assertion is too old (NotOnOrAfter): log in again; see that the clocks agree")
        name_id, assertion_id = assertion.find("saml:Subject/saml:NameID", NS), assertion.get("ID")
        if len(name_id) or not assertion_id:
            raise RefusedError(_ODD)
        c, values = self.config, self._attributes(said)
        if c.subject is None and name_id.get("Format") == TRANSIENT:
            raise RefusedError("the provider gives a name for this log-in only (transient): name a lasting attribute as `subject`")
        return Confirmed(
            vouched(
                c.name,
                "saml",
                said.name_id if c.subject is None else _first(values, c.subject),
                said.name_id if c.login is None else _first(values, c.login),
                _first(values, c.full_name),
                _first(values, c.email),
                values.get(c.groups or "", []),
            ),
            assertion_id,
            until + self._skew,
        )

    def _attributes(self, said: Response) -> dict[str, list[str]]:
        """Of attributes that come several times, all values."""
        values: dict[str, list[str]] = {}
        for a in said.attributes:
            values.setdefault(a.name, []).extend(v for v in a.values if v)
        return values


def _first(values: dict[str, list[str]], name: str | None) -> str | None:
    return next(iter(values.get(name or "", [])), None)


def _instant(text: str | None) -> datetime | None:
    try:
        at = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
