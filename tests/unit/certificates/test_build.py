"""Every declared profile is made and verified by OpenSSL itself (CPython's ssl over memory, no sockets)."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, SignatureAlgorithmOID

from harness.certificates import Certificates, Material, Profile, Role
from harness.certificates.declarations import DEFECTS, HOST, KEY_USAGES, load
from harness.system.data_files import data_dir

PROFILES = load(data_dir("certs"))
# The key of 8192 bits takes seconds; `server-rsa4096` shows the same code. One of the 60 listed roots stands for all.
SLOW = ("server-rsa8192",)
LISTED = [name for name in PROFILES if name.startswith("ca-listed-")][1:]
NAMES = [name for name in PROFILES if name not in (*SLOW, *LISTED)]
LEAVES = [name for name in NAMES if PROFILES[name].role is not Role.AUTHORITY]

# OpenSSL's verify codes (include/openssl/x509_vfy.h); 0: OpenSSL accepts it, or refuses it only as a test below shows.
VERIFY_CODES = {
    "expired": 10,
    "expired-issuer": 10,
    "expired-root": 10,
    "not-yet-valid": 9,
    "wrong-host": 62,
    "wide-wildcard": 62,
    "address-as-name": 64,
    "untrusted": 20,
    "self-signed": 18,
    "missing-intermediate": 20,
    "missing-middle": 20,
    "issuer-not-ca": 79,
    "issuer-without-basic-constraints": 79,
    "path-length": 25,
    "name-constraint": 47,
    "unknown-critical-extension": 34,
    "wrong-extended-key-usage": 26,
    "unusual-extended-key-usage": 26,
    "weak-key": 66,
    "weak-issuer-key": 67,
    "weak-hash": 68,
    "chain-order": 0,
    "chain-too-long": 0,
    "leaf-is-ca": 0,
    "missing-staple": 0,
    "no-authority-key-identifier": 0,
    "no-extensions": 0,
    "no-san": 0,
    "oversized": 0,
    "unusual-key": 0,
    "unusual-signature": 0,
}
# These need more than one check each: see the tests that name them.
LOOKED_AT_ALONE = ("foreign-key", "wrong-key-usage", "unusual-hash", "expired+wrong-host", "self-signed+expired")
CURVES = {"p224": "secp224r1", "secp256k1": "secp256k1", "brainpool-p256": "brainpoolP256r1"}
HOSTS = {"server-wildcard": "board.tls.test", "server-wildcard-top-level": HOST, "server-ip-as-dns": "127.0.0.1"}


@dataclass(frozen=True, kw_only=True)
class Ends:
    """How a handshake ended on both sides: a verify code, an `SSLError.reason`, or `ok`."""

    client: int | str
    server: int | str


def host_of(profile: Profile) -> str:
    """Return the host name that a client uses: that of the certificate, or tls.test if the certificate is for another host."""
    if profile.name in HOSTS:
        return HOSTS[profile.name]
    if "wrong-host" in profile.defect:
        return HOST
    return next(iter((*profile.dns, *profile.ip)), profile.subject)


def anchor_of(made: Certificates, profile: Profile) -> str:
    """Return the root that a peer would trust: the chain's own, or ca-p256 if the defect is a missing trust anchor."""
    unknown = profile.self_signed or profile.defect == "untrusted"
    return (made.make("ca-p256") if unknown else made.make(profile.name)).root_pem.decode()


def contexts(made: Certificates, profile: Profile, *, anchor: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return contexts of a server without restrictions and a client that verifies (reversed for client profiles)."""
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    material, partner = made.make(profile.name), made.make("server-p256")
    shown, checking = (client, server) if profile.role is Role.CLIENT else (server, client)
    shown.set_ciphers("ALL:@SECLEVEL=0")
    checking.set_ciphers("DEFAULT:@SECLEVEL=2")
    checking.load_verify_locations(cadata=anchor)
    checking.verify_mode = ssl.CERT_REQUIRED
    if profile.role is Role.CLIENT:
        server.load_cert_chain(partner.chain_file, partner.key_file)
        client.load_verify_locations(cadata=partner.root_pem.decode())
    shown.load_cert_chain(material.chain_file, material.key_file)
    if profile.key in CURVES:  # outside the default groups; TLS 1.3 has no scheme for them
        for context in (server, client):
            context.set_ecdh_curve(CURVES[profile.key])
            context.maximum_version = ssl.TLSVersion.TLSv1_2
    return server, client


def handshake(server: ssl.SSLContext, client: ssl.SSLContext, *, host: str) -> Ends:
    """Run one handshake through memory until both sides have ended."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = {
        "client": client.wrap_bio(to_client, to_server, server_hostname=host),
        "server": server.wrap_bio(to_server, to_client, server_side=True),
    }
    ends: dict[str, int | str] = {}
    while len(ends) < 2:
        moved = to_server.pending + to_client.pending
        for name, side in sides.items():
            if name in ends:
                continue
            try:
                side.do_handshake()
                ends[name] = "ok"
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError as error:
                ends[name] = error.verify_code
            except ssl.SSLError as error:
                ends[name] = error.reason or "?"
        assert ends or moved != to_server.pending + to_client.pending, "the handshake stands still"
    return Ends(client=ends["client"], server=ends["server"])


def verify_code(made: Certificates, profile: Profile, *, strict: bool, anchor: str | None = None) -> int | str:
    """Return the verifying side's result for a profile; 0 for a finished handshake."""
    server, client = contexts(made, profile, anchor=anchor or anchor_of(made, profile))
    checking_server = profile.role is Role.CLIENT
    if strict:
        (server if checking_server else client).verify_flags |= ssl.VerifyFlags.VERIFY_X509_STRICT
    ends = handshake(server, client, host=HOST if checking_server else host_of(profile))
    end = ends.server if checking_server else ends.client
    return 0 if end == "ok" else end


@pytest.mark.parametrize("name", [name for name in LEAVES if not PROFILES[name].defect])
def test_good_profiles_connect_even_under_strict_checking(made: Certificates, name: str) -> None:
    """A profile without a defect passes X509_STRICT, which Python 3.13 switches on by default."""
    assert verify_code(made, PROFILES[name], strict=True) == 0


@pytest.mark.parametrize("name", [name for name in LEAVES if PROFILES[name].defect in VERIFY_CODES])
def test_each_defect_gives_exactly_its_verify_code(made: Certificates, name: str) -> None:
    """A profile with one defect fails with the code of that defect and no other."""
    profile = PROFILES[name]
    assert VERIFY_CODES[profile.defect] == verify_code(made, profile, strict=False)


def test_every_declared_defect_is_tested() -> None:
    """Every defect has a proof in this file, and every proof belongs to a defect."""
    used = {profile.defect for profile in PROFILES.values() if profile.role is not Role.AUTHORITY} - {""}
    assert used == {*VERIFY_CODES, *LOOKED_AT_ALONE}
    assert {word for defect in used for word in defect.split("+")} == set(DEFECTS)


# ---------------------------------------------------------------------------------- defects that need a closer look


def test_both_of_two_defects_exist(made: Certificates) -> None:
    """Of two defects OpenSSL reports one: without that one it reports the other."""
    both = PROFILES["server-expired-wrong-host"]
    server, client = contexts(made, both, anchor=anchor_of(made, both))
    assert handshake(server, client, host=HOST).client == VERIFY_CODES["wrong-host"]
    client.check_hostname = False
    assert handshake(server, client, host=HOST).client == VERIFY_CODES["expired"]
    both = PROFILES["server-self-signed-expired"]
    assert verify_code(made, both, strict=False) == VERIFY_CODES["self-signed"]
    own = made.make(both.name).certificate_pem.decode()
    assert verify_code(made, both, strict=False, anchor=own) == VERIFY_CODES["expired"]


@pytest.mark.parametrize("name", ["server-p256-foreign-key", "client-foreign-key"])
def test_a_foreign_key_does_not_match_the_certificate(made: Certificates, name: str) -> None:
    """OpenSSL detects at once that key and certificate do not belong together."""
    with pytest.raises(ssl.SSLError) as caught:
        contexts(made, PROFILES[name], anchor=made.make(name).root_pem.decode())
    assert caught.value.reason == "KEY_VALUES_MISMATCH"


def test_an_encryption_only_key_serves_rsa_key_exchange(made: Certificates) -> None:
    """KeyUsage keyEncipherment alone is correct for TLS_RSA; the defect shows only in suites that sign."""
    profile = PROFILES["server-rsa2048-encrypts-only"]
    server, client = contexts(made, profile, anchor=anchor_of(made, profile))
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    client.set_ciphers("AES128-GCM-SHA256")
    assert handshake(server, client, host=HOST) == Ends(client="ok", server="ok")
    assert made.make(profile.name).facts.key_usage == ("keyEncipherment",)


def test_a_certificate_signing_key_is_not_a_server_key(made: Certificates) -> None:
    """KeyUsage keyCertSign alone is the wrong purpose for a server; TLS 1.2 does not even offer it."""
    profile = PROFILES["server-certificate-sign-only"]
    assert verify_code(made, profile, strict=False) == 26
    server, client = contexts(made, profile, anchor=anchor_of(made, profile))
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    assert handshake(server, client, host=HOST).server == "NO_SHARED_CIPHER"


def test_a_sha3_signature_is_sound(made: Certificates) -> None:
    """The signature is correct. An OpenSSL that does not know the identifier finds no issuer (20), others report it as weak."""
    profile = PROFILES["server-sha3-256"]
    leaf = x509.load_der_x509_certificate(made.make(profile.name).certificate_der)
    leaf.verify_directly_issued_by(x509.load_der_x509_certificate(made.make(profile.issuer).certificate_der))
    assert leaf.signature_hash_algorithm is not None
    assert leaf.signature_hash_algorithm.name == "sha3-256"
    assert verify_code(made, profile, strict=False) in (20, 68)


def test_a_name_in_the_subject_only_needs_the_old_rule(made: Certificates) -> None:
    """Without the fall-back to the common name (RFC 9525 section 6.1) the certificate matches no host."""
    profile = PROFILES["server-common-name-only"]
    server, client = contexts(made, profile, anchor=anchor_of(made, profile))
    client.hostname_checks_common_name = False
    assert handshake(server, client, host=HOST).client == VERIFY_CODES["wrong-host"]


@pytest.mark.parametrize("name", ["server-no-authority-key-identifier", "client-no-authority-key-identifier"])
def test_strict_checking_misses_the_authority_key_identifier(made: Certificates, name: str) -> None:
    """X509_V_ERR_MISSING_AUTHORITY_KEY_IDENTIFIER (85), only under X509_STRICT."""
    assert verify_code(made, PROFILES[name], strict=True) == 85


@pytest.mark.parametrize(
    ("host", "code"), [("board.tls.test", "ok"), ("a.board.tls.test", 62), (HOST, 62), ("BOARD.TLS.TEST", "ok")]
)
def test_the_wildcard_matches_one_label(made: Certificates, host: str, code: int | str) -> None:
    """*.tls.test matches one label, in any case, and neither two labels nor the bare domain."""
    profile = PROFILES["server-wildcard"]
    server, client = contexts(made, profile, anchor=anchor_of(made, profile))
    assert handshake(server, client, host=host).client == code


def test_a_root_of_the_same_name_is_not_the_issuer(made: Certificates) -> None:
    """The twin of ca-p256 has its name and another key, so it did not issue the certificate."""
    twin = made.make("ca-twin")
    assert PROFILES["ca-twin"].subject == PROFILES["ca-p256"].subject
    assert verify_code(made, PROFILES["server-p256"], strict=False, anchor=twin.root_pem.decode()) == 20


@pytest.mark.parametrize("name", ["ca-expired", "ca-not-yet-valid", "inter-expired"])
def test_an_authority_has_the_time_it_declares(made: Certificates, name: str) -> None:
    """The defect of an authority is its own validity."""
    certificate = x509.load_der_x509_certificate(made.make(name).certificate_der)
    valid = certificate.not_valid_before_utc <= made.now <= certificate.not_valid_after_utc
    assert not valid
    assert PROFILES[name].defect == ("expired" if certificate.not_valid_after_utc < made.now else "not-yet-valid")


def test_sizes_are_on_the_side_of_the_record_that_they_declare(made: Certificates) -> None:
    """`oversized` is more than a record (16384) for a server and more than mbedTLS's buffer (4096) for a client."""
    for name in LEAVES:
        profile, chain_bytes = PROFILES[name], made.make(name).facts.chain_bytes
        limit = 4096 if profile.role is Role.CLIENT else 16384
        assert (chain_bytes + 100 > limit) == (profile.defect == "oversized"), (name, chain_bytes)


@pytest.mark.parametrize("size", [6000, 8000, 15000, 17000, 30000])
def test_sized_profiles_have_their_size(made: Certificates, size: int) -> None:
    """The number in the name is the size in bytes, within two per cent."""
    assert made.make(f"server-size-{size}").facts.chain_bytes == pytest.approx(size, rel=0.02)


@pytest.mark.parametrize("name", ["server-depth-2", "server-depth-5", "server-depth-9", "server-depth-10"])
def test_depth_is_the_number_of_certificates_sent(made: Certificates, name: str) -> None:
    """`depth-n` sends n certificates, the leaf first."""
    assert len(made.make(name).chain_der) == int(name.rpartition("-")[2])


# ------------------------------------------------------------------------------------------- declared against made


@pytest.mark.parametrize("name", NAMES)
def test_certificates_match_their_declarations(made: Certificates, name: str) -> None:
    """Names, validity, constraints, usages and identifiers of the certificate are those of the profile."""
    profile, material = PROFILES[name], made.make(name)
    certificate = x509.load_der_x509_certificate(material.certificate_der)
    issuer = profile if profile.self_signed else PROFILES[profile.issuer]
    assert certificate.subject.rfc4514_string() == (f"CN={profile.subject}" if profile.subject else "")
    assert certificate.issuer.rfc4514_string() == f"CN={issuer.subject}"
    assert certificate.not_valid_before_utc == moment(profile.not_before, made.now, time(0, 0))
    assert certificate.not_valid_after_utc == moment(profile.not_after, made.now, time(23, 59, 59))
    assert declared_extensions(profile) == made_extensions(certificate)


def moment(day: int | date, now: datetime, at: time) -> datetime:
    """Return the time of a declared day, computed independently of the code under test."""
    if isinstance(day, int):
        return (now + timedelta(days=day)).replace(microsecond=0)
    return datetime.combine(day, at, tzinfo=UTC)


def declared_extensions(profile: Profile) -> dict[str, object]:
    """Return the extensions that a profile declares, as plain values."""
    numbers = range(1, profile.many_dns + 1)
    names = [*profile.dns, *profile.ip, *(f"name-{number:04d}.tls.test" for number in numbers)]
    wanted: dict[str, object] = {
        "BasicConstraints": None if "basic-constraints" in profile.omit else (profile.ca, profile.path_length),
        "KeyUsage": set(profile.key_usage) or None,
        "ExtendedKeyUsage": list(profile.extended_key_usage) or None,
        "SubjectAlternativeName": names or None,
        "SubjectKeyIdentifier": "subject-key-identifier" not in profile.omit or None,
        "AuthorityKeyIdentifier": "authority-key-identifier" not in profile.omit or None,
        "NameConstraints": [*profile.permitted_dns, *profile.excluded_dns] or None,
        "TLSFeature": profile.must_staple or None,
        "padding": bool(profile.padding_bytes) or None,
        "unknown": profile.unknown_extension or None,
    }
    return {name: value for name, value in wanted.items() if value is not None}


def made_extensions(certificate: x509.Certificate) -> dict[str, object]:
    """Return the extensions of a certificate in the same form."""
    found: dict[str, object] = {}
    for extension in certificate.extensions:
        value, name = extension.value, type(extension.value).__name__
        if isinstance(value, x509.BasicConstraints):
            found[name] = (value.ca, value.path_length)
        elif isinstance(value, x509.KeyUsage):
            found[name] = key_usage_words(value)
        elif isinstance(value, x509.ExtendedKeyUsage):
            words = {
                ExtendedKeyUsageOID.SERVER_AUTH: "serverAuth",
                ExtendedKeyUsageOID.CLIENT_AUTH: "clientAuth",
                ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE: "anyExtendedKeyUsage",
            }
            found[name] = [words[usage] for usage in value]
        elif isinstance(value, x509.SubjectAlternativeName):
            found[name] = [str(item.value) for item in value]
        elif isinstance(value, x509.NameConstraints):
            found[name] = [item.value for item in (*(value.permitted_subtrees or ()), *(value.excluded_subtrees or ()))]
        elif isinstance(value, x509.UnrecognizedExtension):
            is_padding = extension.oid.dotted_string.endswith(".1")
            found["padding" if is_padding else "unknown"] = is_padding or (
                "critical" if extension.critical else "non-critical"
            )
        else:
            found[name] = True
    return found


def key_usage_words(usage: x509.KeyUsage) -> set[str]:
    """Return the set bits by their names in RFC 5280 section 4.2.1.3."""
    bits = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    pairs = zip(KEY_USAGES, (*bits, "key_cert_sign", "crl_sign"), strict=True)
    return {word for word, bit in pairs if getattr(usage, bit)}


@pytest.mark.parametrize("name", NAMES)
def test_facts_describe_the_certificate(made: Certificates, name: str) -> None:
    """Type, size, curve and signature in the facts are what a parser reads in the certificate."""
    material = made.make(name)
    certificate = x509.load_der_x509_certificate(material.certificate_der)
    facts = material.facts
    assert facts.key_usage == (tuple(usage for usage in KEY_USAGES if usage in PROFILES[name].key_usage) or None)
    assert facts.chain_bytes == sum(len(one) for one in material.chain_der)
    if facts.type == "RSA-PSS":  # parsers differ in whether they name the type: test_factory checks the bytes
        return
    key = certificate.public_key()
    types = {
        rsa.RSAPublicKey: "RSA",
        ec.EllipticCurvePublicKey: "EC",
        ed25519.Ed25519PublicKey: "Ed25519",
        ed448.Ed448PublicKey: "Ed448",
    }
    assert facts.type == next(word for kind, word in types.items() if isinstance(key, kind))
    if isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        assert facts.bits == key.key_size
    if isinstance(key, ec.EllipticCurvePublicKey):
        assert facts.curve == key.curve.name.replace("brainpoolP256R1", "brainpoolP256r1")
    signature_hash = certificate.signature_hash_algorithm
    assert facts.signature_hash == (signature_hash.name if signature_hash else None)
    pss = certificate.signature_algorithm_oid == SignatureAlgorithmOID.RSASSA_PSS
    assert (facts.signature_key_type == "RSA-PSS") == pss


def test_weak_signatures_are_sound(made: Certificates) -> None:
    """Signatures that cryptography's builder refuses are still correct: without a security level they connect."""
    for name in ("server-sha1", "server-rsa2048-sha1", "server-rsa2048-md5", "server-rsa1024"):
        profile = PROFILES[name]
        server, client = contexts(made, profile, anchor=anchor_of(made, profile))
        client.set_ciphers("ALL:@SECLEVEL=0")
        assert handshake(server, client, host=HOST) == Ends(client="ok", server="ok"), name


def test_the_root_signed_with_sha1_says_so(made: Certificates) -> None:
    """The root of server-under-sha1-root is signed with SHA-1; otherwise the case would prove nothing."""
    material: Material = made.make("server-under-sha1-root")
    root = x509.load_der_x509_certificate(material.root_der)
    assert root.signature_algorithm_oid == SignatureAlgorithmOID.ECDSA_WITH_SHA1
