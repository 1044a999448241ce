"""The deviations of a server from what a correct one does: the vocabulary of `ServerProfile.behaviour["name"]`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Behaviour(StrEnum):
    """One deviation. `harness/server/engine/` implements each; `odd_peers.py` and `flights.py` there say what it does."""

    CLOSE_CLIENT_CLOSES_THEN_SERVER_UNWRAP = "close.client-closes-then-server-unwrap"
    CLOSE_NO_ANSWER = "close.no-answer"
    CLOSE_NOTIFY_FIRST = "close.notify-first"
    CLOSE_PLAINTEXT_AFTER_HANDSHAKE = "close.plaintext-after-handshake"
    CLOSE_READ_TO_END = "close.read-to-end"
    CLOSE_RST = "close.rst"
    CLOSE_TCP_FIN_NO_NOTIFY = "close.tcp-fin-no-notify"
    CLOSE_TRUNCATED_RECORD = "close.truncated-record"
    CLOSE_WITHOUT_ANSWER = "close.without-answer"
    CUT_OFF_FIN_AFTER_SHD = "cut-off.fin-after-shd"
    CUT_OFF_FIN_BEFORE_FINISHED = "cut-off.fin-before-finished"
    CUT_OFF_FIN_MID_CERTIFICATE = "cut-off.fin-mid-certificate"
    FIRST_CONTACT = "first-contact"
    FLIGHT = "flight"
    FRAGMENTS_HS_COALESCED = "fragments.hs-coalesced"
    FRAGMENTS_HS_RECORDS = "fragments.hs-records"
    FRAGMENTS_TCP = "fragments.tcp"
    NOT_TLS_ALERT = "not-tls.alert"
    NOT_TLS_ALERT_TRUNCATED = "not-tls.alert-truncated"
    NOT_TLS_BYTES = "not-tls.bytes"
    NOT_TLS_CCS_FIRST = "not-tls.ccs-first"
    NOT_TLS_CLOSE_AFTER_CH = "not-tls.close-after-ch"
    NOT_TLS_CLOSE_AT_ACCEPT = "not-tls.close-at-accept"
    NOT_TLS_FF = "not-tls.ff"
    NOT_TLS_HALF_RECORD = "not-tls.half-record"
    NOT_TLS_HTTP_400 = "not-tls.http-400"
    NOT_TLS_RECORD_LEN_0_THEN_FIN = "not-tls.record-len-0-then-fin"
    NOT_TLS_RECORD_TOO_LONG = "not-tls.record-too-long"
    NOT_TLS_RECORD_VER_0304 = "not-tls.record-ver-0304"
    NOT_TLS_REFLECT_CLIENTHELLO = "not-tls.reflect-clienthello"
    NOT_TLS_RESET_AFTER_CH = "not-tls.reset-after-ch"
    NOT_TLS_SERVERHELLODONE_FIRST = "not-tls.serverhellodone-first"
    NOT_TLS_SILENT = "not-tls.silent"
    NOT_TLS_SSH_BANNER = "not-tls.ssh-banner"
    PSK = "psk"
    RECORDS_ONE_BYTE_RECORDS = "records.one-byte-records"
    SNI_ALERT = "sni.alert"
    SNI_RAISE = "sni.raise"
    SNI_RECORD = "sni.record"
    SNI_SWAP = "sni.swap"
    TAMPERED_APPDATA_BAD_MAC = "tampered.appdata-bad-mac"
    TAMPERED_CCS_MISSING = "tampered.ccs-missing"
    TAMPERED_CERT_BITFLIP_SIG = "tampered.cert-bitflip-sig"
    TAMPERED_CERT_DER_BROKEN = "tampered.cert-der-broken"
    TAMPERED_CERT_EMPTY = "tampered.cert-empty"
    TAMPERED_HELLO_REQUEST_FIRST = "tampered.hello-request-first"
    TAMPERED_SH_CIPHER_NOT_OFFERED = "tampered.sh-cipher-not-offered"
    TAMPERED_SH_UNSOLICITED_ALPN = "tampered.sh-unsolicited-alpn"
    TAMPERED_SH_VERSION_0302 = "tampered.sh-version-0302"
    TAMPERED_SHD_MISSING = "tampered.shd-missing"
    TAMPERED_SKE_BAD_CURVE = "tampered.ske-bad-curve"
    TAMPERED_SKE_BAD_SIGNATURE = "tampered.ske-bad-signature"
    TAMPERED_SKE_MISSING = "tampered.ske-missing"
    TAMPERED_WARNING_ALERT_UNRECOGNIZED_NAME = "tampered.warning-alert-unrecognized-name"
    TIME_SLOW = "time.slow"


@dataclass(frozen=True, slots=True, kw_only=True)
class BehaviourWords:
    """What a behaviour is, in a sentence, and its keys with what each is. A key that is not `required` has a default."""

    text: str
    keys: Mapping[str, str] = field(default_factory=dict)
    required: tuple[str, ...] = ()


def _of(text: str, *required: str, **keys: str) -> BehaviourWords:
    return BehaviourWords(text=text, keys=keys, required=required)


_FIN = "whether a FIN follows"
BEHAVIOURS: Mapping[Behaviour, BehaviourWords] = {
    Behaviour.CLOSE_CLIENT_CLOSES_THEN_SERVER_UNWRAP: _of(
        "Answers, waits until the client has closed, then requires its close_notify."
    ),
    Behaviour.CLOSE_NO_ANSWER: _of("Never answers: reads until the client gives up."),
    Behaviour.CLOSE_NOTIFY_FIRST: _of("Answers, then sends close_notify and FIN before the client closes."),
    Behaviour.CLOSE_PLAINTEXT_AFTER_HANDSHAKE: _of("Sends plain HTTP instead of the answer."),
    Behaviour.CLOSE_READ_TO_END: _of(
        "Answers, then reads until the client has closed; a close without close_notify is an error, as for an `SSLSocket` with "
        "`suppress_ragged_eofs=False`."
    ),
    Behaviour.CLOSE_RST: _of("Answers, then resets the connection."),
    Behaviour.CLOSE_TCP_FIN_NO_NOTIFY: _of("Answers, then sends FIN without close_notify."),
    Behaviour.CLOSE_TRUNCATED_RECORD: _of("Answers, then sends half an application record and FIN."),
    Behaviour.CLOSE_WITHOUT_ANSWER: _of("Sends close_notify and FIN instead of the answer."),
    Behaviour.CUT_OFF_FIN_AFTER_SHD: _of("Closes after ServerHelloDone."),
    Behaviour.CUT_OFF_FIN_BEFORE_FINISHED: _of("Sends FIN instead of its Finished."),
    Behaviour.CUT_OFF_FIN_MID_CERTIFICATE: _of("Sends half of its first flight and FIN."),
    Behaviour.FIRST_CONTACT: _of("Sends bytes as soon as the client connects.", "data", data="the bytes in hex"),
    Behaviour.FLIGHT: _of(
        "Changes each flight with a function of yours.", "change", change="a function (flight, index) -> flight"
    ),
    Behaviour.FRAGMENTS_HS_COALESCED: _of("Sends all handshake messages of a flight in one record."),
    Behaviour.FRAGMENTS_HS_RECORDS: _of(
        "Cuts handshake messages into small records.",
        "size",
        size="bytes of a record",
        delay_ms="milliseconds to wait before each flight",
    ),
    Behaviour.FRAGMENTS_TCP: _of("Sends small TCP segments.", size="bytes of a segment, 1 by default"),
    Behaviour.NOT_TLS_ALERT: _of(
        "Answers the ClientHello with an alert.",
        "code",
        code="the alert's number",
        level="1 or 2, 2 by default",
        fin=_FIN,
    ),
    Behaviour.NOT_TLS_ALERT_TRUNCATED: _of("Answers the ClientHello with half an alert.", fin=_FIN),
    Behaviour.NOT_TLS_BYTES: _of("Answers the ClientHello with any bytes.", "data", data="the bytes in hex", fin=_FIN),
    Behaviour.NOT_TLS_CCS_FIRST: _of("Answers the ClientHello with ChangeCipherSpec.", fin=_FIN),
    Behaviour.NOT_TLS_CLOSE_AFTER_CH: _of("Closes after the ClientHello.", fin=_FIN),
    Behaviour.NOT_TLS_CLOSE_AT_ACCEPT: _of("Closes at once.", fin=_FIN),
    Behaviour.NOT_TLS_FF: _of("Answers the ClientHello with bytes FF.", fin=_FIN),
    Behaviour.NOT_TLS_HALF_RECORD: _of("Answers the ClientHello with the beginning of a record.", fin=_FIN),
    Behaviour.NOT_TLS_HTTP_400: _of("Answers the ClientHello with a plain HTTP error.", fin=_FIN),
    Behaviour.NOT_TLS_RECORD_LEN_0_THEN_FIN: _of("Answers the ClientHello with an empty record.", fin=_FIN),
    Behaviour.NOT_TLS_RECORD_TOO_LONG: _of("Answers the ClientHello with a record longer than TLS allows.", fin=_FIN),
    Behaviour.NOT_TLS_RECORD_VER_0304: _of("Answers the ClientHello with a record of version 0304.", fin=_FIN),
    Behaviour.NOT_TLS_REFLECT_CLIENTHELLO: _of("Sends the ClientHello back.", fin=_FIN),
    Behaviour.NOT_TLS_RESET_AFTER_CH: _of("Resets the connection after the ClientHello.", fin=_FIN),
    Behaviour.NOT_TLS_SERVERHELLODONE_FIRST: _of("Answers the ClientHello with ServerHelloDone.", fin=_FIN),
    Behaviour.NOT_TLS_SILENT: _of("Says nothing.", fin=_FIN),
    Behaviour.NOT_TLS_SSH_BANNER: _of("Greets like an SSH server.", fin=_FIN),
    Behaviour.PSK: _of(
        "Has a pre-shared key.",
        "key",
        key="the key in hex",
        identity="the only identity that it accepts",
        hint="the identity hint that it sends",
        raises="whether its callback raises an exception",
    ),
    Behaviour.RECORDS_ONE_BYTE_RECORDS: _of("Answers in records of one byte."),
    Behaviour.SNI_ALERT: _of("Refuses the server name with an alert.", code="the alert's number, 112 by default"),
    Behaviour.SNI_RAISE: _of("Raises an exception in its server-name callback."),
    Behaviour.SNI_RECORD: _of("Has a server-name callback that changes nothing."),
    Behaviour.SNI_SWAP: _of(
        "Changes to another certificate for the server name.", "certificate", certificate="a profile"
    ),
    Behaviour.TAMPERED_APPDATA_BAD_MAC: _of("Damages the first record of application data."),
    Behaviour.TAMPERED_CCS_MISSING: _of("Leaves out ChangeCipherSpec."),
    Behaviour.TAMPERED_CERT_BITFLIP_SIG: _of("Damages the signature of its certificate."),
    Behaviour.TAMPERED_CERT_DER_BROKEN: _of("Damages the DER of its certificate."),
    Behaviour.TAMPERED_CERT_EMPTY: _of("Sends an empty Certificate message."),
    Behaviour.TAMPERED_HELLO_REQUEST_FIRST: _of("Sends a HelloRequest before its flight."),
    Behaviour.TAMPERED_SH_CIPHER_NOT_OFFERED: _of("Chooses a cipher suite that was not offered."),
    Behaviour.TAMPERED_SH_UNSOLICITED_ALPN: _of("Chooses a protocol (ALPN) without being asked."),
    Behaviour.TAMPERED_SH_VERSION_0302: _of("Chooses TLS 1.1 in its ServerHello."),
    Behaviour.TAMPERED_SHD_MISSING: _of("Leaves out ServerHelloDone."),
    Behaviour.TAMPERED_SKE_BAD_CURVE: _of("Names another curve in ServerKeyExchange."),
    Behaviour.TAMPERED_SKE_BAD_SIGNATURE: _of("Damages the signature of ServerKeyExchange."),
    Behaviour.TAMPERED_SKE_MISSING: _of("Leaves out ServerKeyExchange."),
    Behaviour.TAMPERED_WARNING_ALERT_UNRECOGNIZED_NAME: _of("Sends the warning unrecognized_name before its flight."),
    Behaviour.TIME_SLOW: _of("Waits before each flight.", "delay_ms", delay_ms="milliseconds"),
}
