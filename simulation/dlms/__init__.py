"""Meters that speak DLMS/COSEM: a server for whole sets of Indian smart meters, their pushes and their faults. Raw octets, no DLMS library.

`axdr` and `security` are the encodings, `meter` is what a meter knows and does, `session` the association and its services, `framing` the
TCP wrapper and HDLC, `push` what a meter sends by itself, `server` the process. Facts: docs/hes-formats.md, docs/dlms.md, IEC 62056.
"""

from simulation.dlms.meter import SimulatedMeter
from simulation.dlms.server import DlmsServer

__all__ = ["DlmsServer", "SimulatedMeter"]
