"""Declaring and applying rules."""

import pytest

from harness.explain.registry import evidence_of, first, fitting, rule, told
from harness.model import Fix, Stage

# Each rule with a case that fails for its reason.
REAL = {
    "api/invalid-cert": "seed/pem-on-der-client",
    "api/invalid-key": "mtls/ed25519",
    "api/unknown-suite": "suite/client-iana-underscore",
    "certificates/server-key-too-short": "seed/rsa-1024-key",
    "certificates/server-hash-too-weak": "cert/sha1-leaf",
    "certificates/two-pairs": "key/foreign-key",
    "certificates/server-file-unreadable": "seed/key-and-certificate-swapped",
    "certificates/key-usage": "cert/ku-certsign-only",
    "certificates/key-too-short": "key/rsa1024-sec0",
    "certificates/old-hash": "cert/sha1-leaf-sec0",
    "certificates/pss-signed": "cert/pss-signed-by-ca",
    "certificates/unknown-extension": "cert/unknown-critical-ext",
    "certificates/unreadable": "tampered/cert-der-broken",
    "certificates/wrong-use": "cert/eku-client-only",
    "certificates/chain-too-deep": "chain/depth-10",
    "certificates/chain-too-large": "chain/size-17000",
    "ciphers/no-certificate": "no-shared-cipher/no-certificate",
    "ciphers/nothing-offered": "suite/client-only-psk-no-key",
    "ciphers/key-type": "seed/rsa-key-no-shared-cipher",
    "ciphers/ecdhe-rsa-only": "no-shared-cipher/ecdhe-rsa-only-p256-key",
    "ciphers/plain-rsa-only": "no-shared-cipher/plain-rsa-only-ec-key",
    "ciphers/sha1-mac-only": "no-shared-cipher/sha1-mac-only-ecdsa",
    "ciphers/key-without-signature": "no-shared-cipher/key-without-scheme-ed25519",
    "ciphers/server-contradicts-itself": "suite/ecdsa-suite-rsa-cert",
    "ciphers/pre-shared-key": "psk/server-has-no-psk",
    "ciphers/nothing-in-common": "suite/rare-ecdhe-ecdsa-chacha20-poly1305",
    "client-auth/none-sent": "mtls/required-none-sent",
    "client-auth/untrusted": "mtls/untrusted",
    "client-auth/dates": "mtls/expired",
    "client-auth/wrong-use": "mtls/eku-server-only",
    "client-auth/key-too-short": "mtls/rsa1024",
    "client-auth/key-of-another-pair": "mtls/key-mismatch",
    "client-auth/too-large": "mtls/large-5k",
    "clock/expired": "cert/expired",
    "clock/not-yet-valid": "cert/not-yet-valid",
    "closing/closed-by-server": "not-tls/close-after-ch",
    "closing/reset": "not-tls/reset-after-ch",
    "closing/silent-server": "timing/silent-server",
    "closing/silent-after-handshake": "timing/no-answer",
    "groups/key-curve": "no-shared-cipher/key-curve-p224",
    "groups/no-common-group": "no-shared-cipher/no-group-ec-key",
    "groups/unknown-name": "group/unknown-name",
    "identity/self-signed": "cert/selfsigned-untrusted",
    "identity/leaf-as-ca": "cert/trust-leaf-pinned",
    "identity/other-key": "cert/untrusted-twin",
    "identity/issuer-not-ca": "chain/inter-no-bc",
    "identity/path-length": "chain/path-length",
    "identity/wrong-order": "chain/reversed",
    "identity/unknown-issuer": "chain/missing-inter",
    "identity/no-ca": "api/required-no-ca",
    "identity/several-reasons": "cert/two-errors-expired-wronghost",
    "names/wrong-host": "cert/wrong-host",
    "names/no-hostname": "api/required-no-hostname",
    "names/unknown-to-server": "sni/unrecognized",
    "names/callback-raised": "sni/callback-raises",
    "peer/plain-text": "not-tls/http-400",
    "peer/plain-text-in-session": "close/plaintext-after-handshake",
    "peer/fragments-too-small": "fragments/hs-records-1",
    "peer/record-too-large": "not-tls/record-too-long",
    "peer/broken-messages": "tampered/ske-missing",
    "peer/damaged-data": "tampered/appdata-bad-mac",
    "peer/wrong-signature": "tampered/sh-unsolicited-alpn",
    "peer/alert-only": "alert/handshake-failure",
    "peer/early-goodbye": "alert/close-notify-warning",
    "versions/server-too-new": "versions/13-only",
    "versions/server-too-old": "versions/11-only-sec0",
    "versions/server-settings-leave-none": "versions/11-only-sec2",
    "versions/alert-only": "alert/protocol-version",
}


def test_a_rule_of_another_topic():
    """A rule's topic must be the name of its file."""
    with pytest.raises(ValueError, match="ciphers/x: declared twice, or not in its topic's file"):
        rule("ciphers/x")(lambda evidence: None)


def test_discouraged_fixes_come_last():
    """Fixes keep their order, but discouraged ones come last."""
    said = told("t", fixes=(Fix(title="a", discouraged=True), Fix(title="b"), Fix(title="c")))
    assert [fix.title for fix in said.fixes] == ["b", "c", "a"]


def test_the_first_rule_that_fits_explains(made, monkeypatch):
    """Rules are tried in the order of declaration; the explanation has the id of its rule."""
    monkeypatch.setattr("harness.explain.registry._RULES", {})
    for name, title in (("a", None), ("b", "second"), ("c", "third")):
        rule(f"test-registry/{name}")(lambda evidence, title=title: told(title) if title else None)
    evidence = made("OSError", -1)
    said = first(evidence)
    assert (said.rule, said.title) == ("test-registry/b", "second")
    assert [item.rule for item in fitting(evidence)] == ["test-registry/b", "test-registry/c"]


def test_no_rule_that_fits(made, monkeypatch):
    """Without a matching rule there is no explanation."""
    monkeypatch.setattr("harness.explain.registry._RULES", {})
    evidence = made("OSError", -1)
    assert (first(evidence), fitting(evidence)) == (None, ())


def test_an_id_is_declared_once(monkeypatch):
    """A second rule with the same id is refused."""
    monkeypatch.setattr("harness.explain.registry._RULES", {})
    rule("test-registry/a")(lambda evidence: None)
    with pytest.raises(ValueError, match="test-registry/a: declared twice"):
        rule("test-registry/a")(lambda evidence: None)


@pytest.mark.parametrize("rule", REAL)
def test_real_failures(rule, real, stored):
    """A failure of the virtual board with a real server: only its own rule matches, with the stored text."""
    stored(rule, real(REAL[rule]))


def test_a_title_of_its_own_or_the_sentence_of_the_catalogue(made):
    """A rule without a title for the values of a case has the catalogue's sentence; both ways of applying rules fill it in."""
    case = made("AttributeError", "'SSLContext' object has no attribute 'x'", stage=Stage.CONFIG)
    sentence = "this firmware's TLS module does not have that class or method"
    assert [said.title for said in fitting(case)] == [sentence]
    assert first(case).title == sentence


def test_evidence():
    """What a rule looks for is the first sentence of its docstring; an unknown id has none."""
    assert evidence_of("ciphers/no-certificate") == "The server has no key: load_cert_chain was forgotten."
    assert evidence_of("link/wifi-lost") is None
