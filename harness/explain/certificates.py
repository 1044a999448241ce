"""Certificates and keys that one side cannot load, read or use; trust is another topic."""

from __future__ import annotations

from harness.certificates.chain_problems import KEYS, USES, Problem, Reason, Role
from harness.expectations.clients import is_mbedtls_2
from harness.explain import fixes
from harness.explain.chain_evidence import own_chain, server_chain
from harness.explain.chain_sentences import Sides, first_of, further, sentence, titled
from harness.explain.evidence import Evidence
from harness.explain.no_shared_cipher import Cause, cause, suite_table
from harness.explain.registry import rule, told
from harness.explain.shown import read_certificates
from harness.firmware.since import Feature, everywhere
from harness.model import Change, Explanation, Fix, Stage
from harness.wire import mbedtls_numbers as mbedtls
from harness.wire.alerts import AlertCode

_UNKNOWN_SIG_ALG = mbedtls.X509_UNKNOWN_SIG_ALG + mbedtls.OID_NOT_FOUND
# With the low-level errors, down to -0x7F, that are added to them.
_INVALID_EXTENSIONS = range(mbedtls.X509_UNKNOWN_VERSION + 1, mbedtls.X509_INVALID_EXTENSIONS + 1)
_UNREADABLE = range(mbedtls.X509_CERT_UNKNOWN_FORMAT, mbedtls.X509_UNKNOWN_OID + 1)
_UNREADABLE_CURVE = (mbedtls.ECP_FEATURE_UNAVAILABLE, mbedtls.PK_UNKNOWN_NAMED_CURVE, mbedtls.PK_KEY_INVALID_FORMAT)
_LARGEST_MESSAGE = 16384


def _config_reason(evidence: Evidence) -> str | None:
    """The reason of a server that refused its own settings."""
    failure = evidence.seen.server
    return failure.reason if failure is not None and failure.stage is Stage.CONFIG else None


@rule("certificates/server-key-too-short")
def server_key_too_short(evidence: Evidence) -> Explanation | None:
    """RSA-1024 at security level 2."""
    if _config_reason(evidence) != "EE_KEY_TOO_SMALL":
        return None
    return told(
        why=(
            "no client ever connected",
            "level 2 (OpenSSL 3.2, Python 3.10 and later) requires RSA with 2048 bits or an EC key",
        ),
        fixes=(fixes.ec_key(), fixes.rsa_key()),
    )


@rule("certificates/ca-key-too-short")
def ca_key_too_short(evidence: Evidence) -> Explanation | None:
    """A short key of an issuer, in the server's own file, at security level 2."""
    if _config_reason(evidence) != "CA_KEY_TOO_SMALL":
        return None
    problem = next((item for item in own_chain(evidence).of(KEYS) if item.role is not Role.LEAF), None)
    sides, otherwise = Sides(verifier="server"), "a CA's key in the server's file is too short"
    named = sentence(problem, sides=sides) if problem is not None else otherwise
    return told(
        f"{named}: load_cert_chain refuses the whole file",
        why=(
            "no client ever connected",
            "level 2 (OpenSSL 3.2, Python 3.10 and later) requires RSA with 2048 bits or an EC key of every certificate in the file",
        ),
        fixes=(
            Fix(
                title="issue the server's certificate from a CA with an EC key on P-256 or RSA with 2048 bits",
                change=fixes.issued_again(evidence),
            ),
        ),
    )


@rule("certificates/explicit-curve")
def explicit_curve(evidence: Evidence) -> Explanation | None:
    """A key with the parameters of its curve, as `openssl ecparam -param_enc explicit` writes it."""
    problem = first_of(server_chain(evidence), {Reason.EXPLICIT_CURVE})
    if problem is None or evidence.number not in _UNREADABLE_CURVE:
        return None
    return told(
        f"{sentence(problem)}, and the board reads named curves only",
        why=("RFC 5480 section 2.1.1 allows named curves only", *_chain(evidence), *_also(evidence, problem)),
        fixes=(fixes.ec_key(),),
    )


@rule("certificates/server-hash-too-weak")
def server_hash_too_weak(evidence: Evidence) -> Explanation | None:
    """A SHA-1 signature on the server's own certificate."""
    if _config_reason(evidence) != "CA_MD_TOO_WEAK":
        return None
    return told(
        why=(
            "no client ever connected",
            "SHA-1 and MD5 are refused from level 1 on, TLS has no SHA-3 signatures at all",
        ),
        fixes=(_signed_with_sha256(evidence),),
    )


@rule("certificates/two-pairs")
def two_pairs(evidence: Evidence) -> Explanation | None:
    """Certificate and key do not belong together; with two key types, OpenSSL reports that no certificate was assigned to the key."""
    if _config_reason(evidence) not in ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED"):
        return None
    return told(
        why=("compare:  openssl x509 -in cert.pem -noout -pubkey  and  openssl pkey -in key.pem -pubout",),
        fixes=(
            Fix(
                title="load the key that the certificate was made for",
                server_lines=(fixes.load("cert.pem", "key.pem"),),
            ),
        ),
    )


@rule("certificates/server-file-unreadable")
def server_file_unreadable(evidence: Evidence) -> Explanation | None:
    """`[SSL] PEM lib`: an SSLError without a reason while loading."""
    failure = evidence.seen.server
    if failure is None or failure.stage is not Stage.CONFIG or failure.type != "SSLError" or failure.reason is not None:
        return None
    if failure.errno is None:
        return None  # set_ciphers: the only SSLError without a number
    return told(
        why=(
            "the message names neither the file nor the reason",
            "the first file begins with -----BEGIN CERTIFICATE-----, the second with a key",
        ),
        fixes=(
            Fix(
                title="give the certificate first, the key second",
                server_lines=(fixes.load("cert.pem", "key.pem"),),
                change=Change(server={"swap_key_and_certificate": not evidence.case.server.swap_key_and_certificate}),
            ),
            Fix(title="turn DER into PEM", server_lines=("$ openssl x509 -inform der -in cert.der -out cert.pem",)),
        ),
    )


@rule("certificates/key-usage")
def key_usage(evidence: Evidence) -> Explanation | None:
    """KeyUsage without digitalSignature: OpenSSL does not use the key."""
    if cause(evidence) is not Cause.KEY_USAGE:
        return None
    return told(
        why=suite_table(evidence),
        fixes=(
            Fix(
                title="issue it again with keyUsage = digitalSignature",
                server_lines=("# openssl.cnf: keyUsage = critical,digitalSignature",),
                change=fixes.issued_again(evidence),
            ),
        ),
    )


@rule("certificates/no-signature-scheme")
def no_signature_scheme(evidence: Evidence) -> Explanation | None:
    """TLS 1.3 with a key whose signatures the client does not support; in 1.2 this is NO_SHARED_CIPHER."""
    reasons = ("NO_SUITABLE_SIGNATURE_ALGORITHM", "NO_SHARED_SIGNATURE_ALGORITHMS", "MISSING_SIGALGS_EXTENSION")
    old = evidence.server is not None and evidence.server.maximum_version in ("TLSv1", "TLSv1.1")
    if evidence.reason not in reasons or old or evidence.hidden:
        return None
    return told(
        f"the server's key is {' and '.join(evidence.key_types) or 'unknown'}, and the board supports no signature of that kind",
        why=(
            f"the board lists the schemes {', '.join(evidence.schemes) or 'none'}"
            if evidence.hello
            else "no ClientHello",
        ),
        fixes=fixes.other_keys(evidence),
    )


@rule("certificates/key-too-short")
def key_too_short(evidence: Evidence) -> Explanation | None:
    """The client's certificate profile: RSA of 2048 bits, P-256 and larger."""
    if evidence.flags != {"bad_key"}:
        return None
    problem = first_of(server_chain(evidence), KEYS)
    return told(
        titled(problem),
        why=(
            "mbedTLS's default profile looks at every key of the chain, the CA's too (x509_crt.c)",
            *_chain(evidence),
            *_also(evidence, problem),
        ),
        fixes=(fixes.ec_key(), fixes.rsa_key()),
    )


@rule("certificates/old-hash")
def old_hash(evidence: Evidence) -> Explanation | None:
    """SHA-1 or MD5 under a certificate."""
    if evidence.flags != {"bad_md"}:
        return None
    problem = first_of(server_chain(evidence), {Reason.HASH})
    return told(
        titled(problem),
        why=(*_chain(evidence), *_also(evidence, problem)),
        fixes=(_signed_with_sha256(evidence),),
    )


@rule("certificates/pss-signed")
def pss_signed(evidence: Evidence) -> Explanation | None:
    """RSASSA-PSS on the certificate itself."""
    if evidence.number not in (mbedtls.X509_INVALID_ALG, _UNKNOWN_SIG_ALG):
        return None
    problem = first_of(server_chain(evidence), {Reason.SIGNATURE_ALGORITHM, Reason.HASH})
    return told(
        titled(problem),
        why=(
            "MicroPython's own mbedTLS configuration has no X509_RSASSA_PSS_SUPPORT; esp32 and distributions have",
            *_chain(evidence),
            *_also(evidence, problem),
        ),
        fixes=(
            Fix(
                title="have it signed with PKCS#1 v1.5 or ECDSA and SHA-256",
                server_lines=("$ openssl x509 -req -sha256 ...  # without -sigopt rsa_padding_mode:pss",),
                change=fixes.issued_again(evidence),
            ),
        ),
    )


@rule("certificates/unknown-extension")
def unknown_extension(evidence: Evidence) -> Explanation | None:
    """A client must refuse a critical extension that it does not know."""
    if evidence.number is None or evidence.number not in _INVALID_EXTENSIONS:
        return None
    problem = first_of(server_chain(evidence), {Reason.EXTENSION})
    return told(
        titled(problem),
        why=(
            "RFC 5280 section 4.2: a client that does not know a critical extension must reject the certificate",
            *_chain(evidence),
            *_also(evidence, problem),
        ),
        fixes=(
            Fix(
                title="issue it without that extension, or mark the extension as not critical",
                change=fixes.issued_again(evidence),
            ),
        ),
    )


@rule("certificates/unreadable")
def unreadable(evidence: Evidence) -> Explanation | None:
    """Any other X.509 number: the certificate is damaged."""
    number = evidence.number
    if number is None or number not in _UNREADABLE or number in _INVALID_EXTENSIONS:
        return None
    verdict = number == mbedtls.X509_CERT_VERIFY_FAILED
    out_of_memory = any(name.endswith("ALLOC_FAILED") for name in evidence.client_names)
    if number in (mbedtls.X509_INVALID_ALG, _UNKNOWN_SIG_ALG) or verdict or out_of_memory:
        return None
    return told(
        f"the board cannot read the server's certificate ({' '.join(sorted(evidence.client_names)) or number})",
        why=("damaged in transit, or not made by a common tool", *_chain(evidence)),
        fixes=(
            Fix(title="inspect it", server_lines=("$ openssl x509 -in cert.pem -noout -text",)),
            Fix(title="issue it again", change=fixes.issued_again(evidence)),
        ),
    )


@rule("certificates/wrong-use")
def wrong_use(evidence: Evidence) -> Explanation | None:
    """ExtendedKeyUsage or KeyUsage of a server's certificate."""
    if evidence.number != mbedtls.SSL_BAD_CERTIFICATE or evidence.alert("client") != AlertCode.UNSUPPORTED_CERTIFICATE:
        return None
    problem = first_of(server_chain(evidence), USES)
    return told(
        titled(problem),
        why=(*_chain(evidence), *_also(evidence, problem)),
        fixes=(
            Fix(
                title="issue it for a server",
                server_lines=(
                    "# openssl.cnf: extendedKeyUsage = serverAuth",
                    "# openssl.cnf: keyUsage = critical,digitalSignature",
                ),
                change=fixes.issued_again(evidence),
            ),
        ),
    )


@rule("certificates/chain-too-deep")
def chain_too_deep(evidence: Evidence) -> Explanation | None:
    """MBEDTLS_X509_MAX_INTERMEDIATE_CA."""
    if evidence.number != mbedtls.X509_FATAL_ERROR:
        return None
    return told(
        why=_chain(evidence),
        fixes=(
            Fix(
                title="send the leaf and its one intermediate only (fullchain.pem)",
                server_lines=(fixes.load("fullchain.pem", "key.pem"),),
                change=fixes.issued_again(evidence),
            ),
        ),
    )


@rule("certificates/chain-too-large")
def chain_too_large(evidence: Evidence) -> Explanation | None:
    """The Certificate message must fit the client's buffer."""
    size = max((key.chain_bytes for key in evidence.server.keys), default=0) if evidence.server else 0
    numbers = (mbedtls.SSL_BAD_INPUT_DATA, mbedtls.SSL_FEATURE_UNAVAILABLE)
    if evidence.number not in numbers or evidence.hello is None or size <= _LARGEST_MESSAGE:
        return None
    spans = evidence.number == mbedtls.SSL_FEATURE_UNAVAILABLE
    large = any(key.type.startswith("RSA") for key in evidence.server.keys) if evidence.server else False
    return told(
        f"the server's certificate chain is {size} bytes long, more than the board can receive in one message ({_LARGEST_MESSAGE})",
        why=(
            "MBEDTLS_SSL_IN_CONTENT_LEN is 16384 in MicroPython; axTLS on esp8266 accepts about 5 kB",
            *(
                ("mbedTLS before 3.6.3 refuses a message that spans records before it looks at the size",)
                if spans
                else ()
            ),
            *_chain(evidence),
        ),
        fixes=(
            Fix(
                title="send a shorter chain, with fewer names",
                server_lines=(fixes.load("fullchain.pem", "key.pem"),),
                change=fixes.issued_again(evidence),
            ),
            *(
                (
                    Fix(
                        title="an EC chain instead of an RSA one: a tenth of the size",
                        server_lines=fixes.ec_key().server_lines,
                        change=fixes.ec_key().change,
                    ),
                )
                if large
                else ()
            ),
        ),
    )


@rule("certificates/use-not-checked")
def use_not_checked(evidence: Evidence) -> Explanation | None:
    """Insecure: mbedTLS 2 in MicroPython's configuration does not check usages."""
    expected = evidence.expected
    if not evidence.accepted or expected is None or expected.client_number != mbedtls.SSL_BAD_CERTIFICATE:
        return None
    if not is_mbedtls_2(evidence.info):
        return None
    return told(
        why=tuple(note for note in (expected.note,) if note),
        fixes=(fixes.newer_firmware(f"{everywhere(Feature.KEY_USAGES)} and later (mbedTLS 3) always check"),),
    )


def _signed_with_sha256(evidence: Evidence) -> Fix:
    lines = ("$ openssl req -x509 -sha256 ...",)
    return Fix(title="have it signed again with SHA-256", server_lines=lines, change=fixes.issued_again(evidence))


def _also(evidence: Evidence, problem: Problem | None) -> tuple[str, ...]:
    return further(server_chain(evidence), problem)


def _chain(evidence: Evidence) -> tuple[str, ...]:
    """The chain as the server sent it, a line each; TLS 1.3 hides it."""
    found = read_certificates(evidence.wire.certificates[:10])
    return tuple(
        f"sent {at}: {item.subject}, issued by {item.issuer}, {item.valid_text}"
        for at, item in enumerate(found, start=1)
    )
