"""XML, and beside it an XML Schema (XSD 1.0) of the same name. A missing value is an element that is not there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from api.reports.catalogue import Column, Kind
from api.reports.formats.writer import About, Convert, Found, Row, Writer, iso, plain, real

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot say at all."""

_TYPES = {
    Kind.TEXT: "xs:string",
    Kind.INTEGER: "xs:integer",
    Kind.REAL: "xs:double",
    Kind.BOOLEAN: "xs:boolean",
    Kind.DATE: "xs:date",
    Kind.STAMP: "xs:dateTime",
}
_FACTS = ("title", "grain", "formula", "requirement")


def namespace(report_id: str) -> str:
    return f"urn:meterhouse:report:{report_id.lower()}"


def text(value: str) -> str:
    return escape(_ILLEGAL.sub("", value), {"\r": "&#13;"})


class XmlFile(Writer):
    """Two files, the records streamed."""

    def __init__(self, path: Path, about: About) -> None:
        super().__init__(path, about)
        report, zone = about.report, about.discom.timezone
        path.with_suffix(".xsd").write_text(xsd(report.id, report.name, report.columns, report.key), encoding="utf-8")
        said: dict[Kind, Convert] = {
            Kind.TEXT: text,
            Kind.INTEGER: str,
            Kind.DECIMAL: plain,
            Kind.REAL: lambda v: None if real(v) is None else repr(v),
            Kind.BOOLEAN: lambda v: "true" if v else "false",
            Kind.DATE: lambda v: v.isoformat(),
            Kind.STAMP: iso(zone),
        }
        self._columns = [(c.name, said[c.kind]) for c in report.columns]
        self._file = path.open("w", encoding="utf-8", newline="\n")
        location = f"{namespace(report.id)} {path.with_suffix('.xsd').name}"
        facts = {"title": report.title, "grain": report.grain, "formula": report.formula, "requirement": report.requirement}
        self._file.write(
            f'<?xml version="1.0" encoding="UTF-8"?>\n<report xmlns="{namespace(report.id)}" '
            'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
            f"xsi:schemaLocation={quoteattr(location)} "
            f"id={quoteattr(report.id)} discom={quoteattr(_ILLEGAL.sub('', about.discom.code))} "
            f'first="{about.span.first}" last="{about.span.last}" generatedAt="{iso(zone)(about.generated_at)}">\n'
        )
        self._file.writelines(f"<{name}>{text(facts[name])}</{name}>\n" for name in _FACTS)
        self._file.write("<records>\n")

    def add(self, rows: Sequence[Row]) -> None:
        for row in rows:
            parts = ["<record>"]
            for value, (name, said) in zip(row, self._columns, strict=True):
                if value is not None and (shown := said(value)) is not None:
                    parts.append(f"<{name}>{shown}</{name}>")
            parts.append("</record>\n")
            self._file.write("".join(parts))

    def close(self, found: Found) -> None:
        as_of = f' dataAsOf="{iso(self.about.discom.timezone)(found.data_as_of)}"' if found.data_as_of else ""
        self._file.write(f'</records>\n<summary rows="{found.rows}"{as_of}/>\n</report>\n')
        self._file.close()

    def abandon(self) -> None:
        self._file.close()


def xsd(report_id: str, title: str, columns: Sequence[Column], key: Sequence[str]) -> str:
    """XML Schema of a report's file. The columns of the key are always there."""
    elements = "\n".join(_element(c, required=c.name in key) for c in columns)
    facts = "\n".join(f'        <xs:element name="{name}" type="xs:string"/>' for name in _FACTS)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="{namespace(report_id)}" targetNamespace="{namespace(report_id)}" \
elementFormDefault="qualified">
  <xs:element name="report">
    <xs:annotation><xs:documentation>{text(title)}</xs:documentation></xs:annotation>
    <xs:complexType>
      <xs:sequence>
{facts}
        <xs:element name="records">
          <xs:complexType>
            <xs:sequence><xs:element name="record" type="Record" minOccurs="0" maxOccurs="unbounded"/></xs:sequence>
          </xs:complexType>
        </xs:element>
        <xs:element name="summary">
          <xs:complexType>
            <xs:attribute name="rows" type="xs:nonNegativeInteger" use="required"/>
            <xs:attribute name="dataAsOf" type="xs:dateTime"/>
          </xs:complexType>
        </xs:element>
      </xs:sequence>
      <xs:attribute name="id" type="xs:string" fixed="{report_id}" use="required"/>
      <xs:attribute name="discom" type="xs:string" use="required"/>
      <xs:attribute name="first" type="xs:date" use="required"/>
      <xs:attribute name="last" type="xs:date" use="required"/>
      <xs:attribute name="generatedAt" type="xs:dateTime" use="required"/>
    </xs:complexType>
  </xs:element>
  <xs:complexType name="Record">
    <xs:sequence>
{elements}
    </xs:sequence>
  </xs:complexType>
</xs:schema>
"""


def _element(c: Column, *, required: bool) -> str:
    said = ": ".join(x for x in (c.heading, c.description) if x)
    note = f"<xs:annotation><xs:documentation>{text(said)}</xs:documentation></xs:annotation>"
    occurs = "" if required else ' minOccurs="0"'
    if c.kind is not Kind.DECIMAL:
        return f'      <xs:element name="{c.name}" type="{_TYPES[c.kind]}"{occurs}>{note}</xs:element>'
    digits, behind = c.precision
    limits = f'<xs:totalDigits value="{digits}"/><xs:fractionDigits value="{behind}"/>'
    simple = f'<xs:simpleType><xs:restriction base="xs:decimal">{limits}</xs:restriction></xs:simpleType>'
    return f'      <xs:element name="{c.name}"{occurs}>{note}{simple}</xs:element>'
