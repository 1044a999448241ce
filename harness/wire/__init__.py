"""Pure TLS reading of recorded bytes: records, handshake messages, alerts, names, firmware families, capture files.

Sans-IO: bytes in, records out; no module here may open a socket, a file or a process, or know a board, a case or a
verdict. Parsers say three results: an object, None for "incomplete", ValueError for "wrong". Layout:

    suite_table, suites, groups, signature_algorithms, alerts, versions   code <-> name tables
    fields, records, handshake                                            bytes -> records -> messages
    reading                                                               one connection's recording -> WireReading
    fingerprint                                                           ClientHello -> firmware family
    pcapng                                                                recording + key log -> capture file
"""

from __future__ import annotations

from harness.wire.alerts import alert_code, alert_name
from harness.wire.fingerprint import FAMILIES, fingerprint
from harness.wire.groups import group_code, group_name, openssl_group_to_iana
from harness.wire.handshake import parse_client_hello, read_client_hello
from harness.wire.pcapng import pcapng
from harness.wire.reading import EncryptedAlert, WireMessage, WireReading, read_wire
from harness.wire.records import NotTlsError, RecordSplitter, describe_plain
from harness.wire.signature_algorithms import SignatureInfo, signature_info, signature_name
from harness.wire.suites import SuiteInfo, iana_suite_name, mbedtls_suite_name, suite_code, suite_info, suite_name
from harness.wire.versions import extension_name, is_grease, version_code, version_name

__all__ = [
    "FAMILIES",
    "EncryptedAlert",
    "NotTlsError",
    "RecordSplitter",
    "SignatureInfo",
    "SuiteInfo",
    "WireMessage",
    "WireReading",
    "alert_code",
    "alert_name",
    "describe_plain",
    "extension_name",
    "fingerprint",
    "group_code",
    "group_name",
    "iana_suite_name",
    "is_grease",
    "mbedtls_suite_name",
    "openssl_group_to_iana",
    "parse_client_hello",
    "pcapng",
    "read_client_hello",
    "read_wire",
    "signature_info",
    "signature_name",
    "suite_code",
    "suite_info",
    "suite_name",
    "version_code",
    "version_name",
]
