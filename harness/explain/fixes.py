"""Fixes that several causes share, with the exact lines."""

from __future__ import annotations

from dataclasses import replace

from harness.explain.client_lines import connecting
from harness.explain.evidence import Evidence
from harness.firmware.since import Feature, last_port, since
from harness.model import BoardInfo, Change, Fix, KeyFacts, Outcome
from harness.oracle.predict import predict
from harness.wire.suites import SuiteInfo, suite_info

NO_FORWARD_SECRECY = (
    "TLS_RSA has no forward secrecy: anyone who gets the server's key later can decrypt previously recorded traffic"
)
NEW_EC_KEY = (
    "$ openssl ecparam -name prime256v1 -genkey -noout -out ec-key.pem",
    '$ openssl req -x509 -new -key ec-key.pem -days 365 -subj "/CN=HOST" -addext "subjectAltName=DNS:HOST" -out ec-cert.pem',
)
# Certificates that `diagnose` makes to try a fix, by the kind of the key.
MADE = {"EC": "server-p256", "RSA": "server-rsa2048"}
_NEW_KEYS = {
    "EC": KeyFacts(type="EC", bits=256, curve="secp256r1", signature_hash="sha256"),
    "RSA": KeyFacts(type="RSA", bits=2048, signature_hash="sha256"),
}
# set_ciphers leaves them as they are.
_TLS13_SUITES = ((0x1302, "TLSv1.3", "TLS_AES_256_GCM_SHA384"), (0x1301, "TLSv1.3", "TLS_AES_128_GCM_SHA256"))
_AUTHENTICATION = {"EC": "ECDSA", "RSA": "RSA"}

SET_CLOCK = Fix(
    title="set the board's clock before connecting, in UTC",
    client_lines=(
        "import machine, ntptime",
        "ntptime.settime()  # or: machine.RTC().datetime((2026, 1, 31, 0, 12, 0, 0, 0))",
    ),
)


def load(certificate: str, key: str) -> str:
    """Return the line that gives the server a certificate."""
    return f'context.load_cert_chain("{certificate}", "{key}")'


def ec_key() -> Fix:
    """Another key for the server."""
    return Fix(
        title="give the server an EC key on P-256 (its certificate from the CA that the board trusts)",
        server_lines=(*NEW_EC_KEY, load("ec-cert.pem", "ec-key.pem")),
        change=Change(server={"certificates": (MADE["EC"],)}),
    )


def other_keys(evidence: Evidence) -> tuple[Fix, ...]:
    """Another key for the server, of each kind that this board can use with the server's suites."""
    return tuple(fix() for kind, fix in (("EC", ec_key), ("RSA", rsa_key)) if key_helps(evidence, kind))


def key_helps(evidence: Evidence, kind: str) -> bool:
    """Whether a new key of this kind would connect; groups are another obstacle. True if the ClientHello is not known."""
    hello, server = evidence.hello, evidence.server
    if hello is None or server is None:
        return True
    if not server.python:
        return any(info.authentication in (_AUTHENTICATION[kind], "any") for info in _offered(evidence))
    changed = replace(server, keys=(_NEW_KEYS[kind],), groups=None)
    return predict(hello, changed).outcome is Outcome.CONNECTED


def forward_secret_list_helps(evidence: Evidence) -> bool:
    """Whether the server's own key would connect with the suites of Python's default list that the board offers."""
    hello, server = evidence.hello, evidence.server
    if hello is None or server is None:
        return True
    offered = (info for info in _offered(evidence) if info.key_exchange == "ECDHE" and info.mac != "SHA")
    suites = (*_TLS13_SUITES, *((info.code, "TLSv1.2", info.name) for info in offered))
    return predict(hello, replace(server, suites=suites)).outcome is Outcome.CONNECTED


def _offered(evidence: Evidence) -> tuple[SuiteInfo, ...]:
    known = (suite_info(int(item.code, 16)) for item in evidence.selection)
    return tuple(info for info in known if info is not None)


def issued_again(evidence: Evidence) -> Change:
    """A valid certificate for the server's kind of key, from a CA that the board gets."""
    kind = "RSA" if evidence.key_types[:1] == ("RSA",) else "EC"
    return Change(server={"certificates": (MADE[kind],)})


def loads_rsa_only(evidence: Evidence) -> bool:
    """Whether the board can load no EC key of its own: axTLS, and firmware up to 1.19."""
    version = tuple(part for part in evidence.info.version[:2] if isinstance(part, int))
    return evidence.is_axtls or (1,) < version < (1, 20)


def own_certificate(evidence: Evidence) -> Change:
    """A generated client certificate, with its CA on the server."""
    rsa = loads_rsa_only(evidence)
    name, authority = ("client-rsa2048", "ca-rsa") if rsa else ("client-p256", "ca-p256")
    return Change(server={"client_ca": ("*", authority)}, client={"certificate": name, "certificate_format": "der"})


def other_own_key(evidence: Evidence) -> Fix:
    """Another key for the board itself, of a type that it can load, in the form that every firmware reads."""
    kind, line = (
        ("an RSA key", "$ openssl genrsa 2048 | openssl rsa -traditional -outform der -out client-key.der")
        if loads_rsa_only(evidence)
        else (
            "an EC key on P-256",
            "$ openssl ecparam -name prime256v1 -genkey -noout -outform der -out client-key.der",
        )
    )
    return Fix(
        title=f"give the board {kind}, and have the CA issue its certificate again",
        server_lines=(line, '$ openssl req -new -key client-key.der -keyform der -subj "/CN=board" -out client.csr'),
        change=own_certificate(evidence),
    )


def second_key(new: str) -> Fix:
    """Add a key of the other kind and keep the present one."""
    other = "EC" if new == "RSA" else "RSA"
    lines = (load("rsa-cert.pem", "rsa-key.pem"), load("ec-cert.pem", "ec-key.pem"))
    return Fix(
        title=f"keep the {other} key for other clients and load an {new} key as well",
        server_lines=lines,
        change=Change(server={"certificates": ("*", MADE[new])}),
    )


def rsa_key() -> Fix:
    """An RSA key for clients that have nothing else."""
    return Fix(
        title="give the server an RSA key (2048 bits or more)",
        server_lines=("$ openssl genrsa -out rsa-key.pem 2048", load("rsa-cert.pem", "rsa-key.pem")),
        change=Change(server={"certificates": (MADE["RSA"],)}),
    )


def plain_rsa(suites: str, *, has_key: bool = True) -> Fix:
    """Suites without forward secrecy: their only advantage is that they connect.

    Args:
        suites: the server's whole list, as an OpenSSL string.
        has_key: whether the server has the RSA key that they need.
    """
    key = () if has_key else (load("rsa-cert.pem", "rsa-key.pem"),)
    return Fix(
        title="allow TLS_RSA suites on the server" + ("" if has_key else ", and give it an RSA key"),
        discouraged=True,
        because=NO_FORWARD_SECRECY,
        server_lines=(*key, f'context.set_ciphers("{suites}")'),
        change=Change(server={"ciphers": suites, **({} if has_key else {"certificates": ("*", MADE["RSA"])})}),
    )


def newer_firmware(what: str) -> Fix:
    """A firmware update."""
    return Fix(title=f"update the board's firmware: {what}")


def firmware_since(info: BoardInfo, feature: Feature, what: str) -> tuple[Fix, ...]:
    """A firmware update, unless the board already has a release in which every port has the feature.

    Args:
        info: the board.
        feature: what the firmware lacks.
        what: the beginning of the sentence that ends with the releases.
    """
    numbers = tuple(part for part in info.version[:2] if isinstance(part, int))
    newest = len(numbers) == 2 and numbers >= last_port(feature)
    return () if newest else (newer_firmware(f"{what} {since(feature)}"),)


def default_groups() -> Fix:
    """Restore the server's groups."""
    return Fix(
        title="let the server use P-256 for the key exchange",
        server_lines=('context.set_ecdh_curve("prime256v1")  # or omit the call: the default includes P-256',),
        change=Change(server={"curve": "prime256v1"}),
    )


def allow_tls12() -> Fix:
    """TLS 1.2 is the newest version of official firmware."""
    return Fix(
        title="let the server speak TLS 1.2 as well",
        server_lines=("context.minimum_version = ssl.TLSVersion.TLSv1_2",),
        change=Change(server={"minimum_version": "TLSv1.2"}),
    )


def send_name(info: BoardInfo, *, host: str) -> Fix:
    """Pass server_hostname, so that the board sends SNI."""
    return Fix(
        title="send the server name (SNI)",
        client_lines=connecting(info, host=host),
        change=Change(client={"server_hostname": "*"}),
    )


def trust(info: BoardInfo, *, host: str | None) -> Fix:
    """Load the CA."""
    return Fix(
        title="load the CA that issued the server's certificate, as DER",
        server_lines=("$ openssl x509 -in ca.pem -outform der -out ca.der",),
        client_lines=connecting(info, host=host, ca=True),
        change=Change(client={"verify": "required", "ca": ("issuer",), "ca_format": "der"}),
    )


def python_suites() -> Fix:
    """Remove the set_ciphers() call."""
    return Fix(
        title="leave set_ciphers out on the server: Python's own suites",
        server_lines=("# remove the call to context.set_ciphers(...)",),
        change=Change(server={"ciphers": None}),
    )


def unchecked() -> Fix:
    """Disable certificate verification."""
    return Fix(
        title="do not check the certificate (CERT_NONE)",
        discouraged=True,
        because="anyone on the network path can then read and change everything",
        change=Change(client={"verify": "none", "ca": ()}),
    )


def free_memory() -> tuple[Fix, ...]:
    """What helps a board that has too little heap."""
    return (
        Fix(
            title="free memory before the handshake",
            client_lines=("import gc", "gc.collect()", "print(gc.mem_free())  # 28 kB for EC, 36 kB for RSA-4096"),
        ),
        Fix(title="connect early, before other modules and buffers are loaded, and keep one TLS connection at a time"),
        Fix(
            title="use a smaller server key: P-256 needs less than RSA-2048, which needs less than RSA-4096",
            server_lines=ec_key().server_lines,
            change=ec_key().change,
        ),
    )
