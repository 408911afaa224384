"""DLMS/COSEM, the client's side: what a head-end system of our own needs to read and command a meter. Transports and landing are above.

`axdr` values, `apdu` messages, `security` keys and ciphering, `link` the two framings, `meter` one meter, `profiles` which object is what,
`push` what meters send by themselves.

**dlms-cosem 21.3.2** (MIT, the last release under it) does what it does well: AES-GCM and GMAC (`dlms_cosem.security`), the association
request (AARQ, InitiateRequest, conformance) and the result enumerations. What comes *from* a meter is read here, because there it was
found wanting: its A-XDR decoder takes a count on trust, so that a few octets keep it busy for hours; its transports spin at 100 % CPU when
the peer closes, and one error leaves its connection stuck. It has no service-specific ciphering, which most Indian meters speak, no entry
or column selection, no classes but those of its own enumeration and no general block transfer, writes lengths of general-glo-ciphering in
one octet, and its HDLC is for serial lines and stalls in long reads.
"""
