"""What to do about each reason of trust: the lines name the files, and the commands work."""

import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from harness.certificates.chain_problems import NOT_AN_ISSUER, Link, Problem, Reading, Reason, Role
from harness.certificates.parsed import parsed
from harness.certificates.placed import Origin, placed
from harness.explain.chain_fixes import chain_commands, command_line, renewal, trust_fixes
from tests.certificate_issuer import issue


@pytest.fixture(scope="module")
def chain():
    """A leaf, two intermediates and a root."""
    root = issue("Root", ca=True)
    upper = issue("Upper", root, ca=True)
    lower = issue("Lower", upper, ca=True)
    return issue("tls.test", lower), lower, upper, root


def links_of(files):
    """Return links for `(file, form, [certificates])`, in order."""
    return tuple(
        Link(parsed=parsed(at.der), at=at)
        for file, form, many in files
        for at in placed([one.der for one in many], origin=Origin.SENT, file=Path(file), form=form)
    )


@pytest.mark.parametrize("shape", ["files of their own", "one file", "wrong order", "DER"])
def test_the_commands_make_the_chain(chain, tmp_path, shape):
    """Run by a shell as they are printed: the file has the chain in order. A file name with a blank is quoted."""
    leaf, lower, upper, _root = chain
    one, two, three = tmp_path / "my server.pem", tmp_path / "two.pem", tmp_path / "three.der"
    if shape == "files of their own":
        one.write_bytes(leaf.pem)
        two.write_bytes(lower.pem)
        links = links_of([(one, "pem", [leaf]), (two, "pem", [lower])])
        expected = [leaf, lower]
    elif shape == "DER":
        one.write_bytes(leaf.pem)
        three.write_bytes(lower.der)
        links = links_of([(one, "pem", [leaf]), (three, "der", [lower])])
        expected = [leaf, lower]
    else:
        sent = [leaf, lower, upper] if shape == "one file" else [leaf, upper, lower]
        one.write_bytes(b"a comment\n" + b"".join(item.pem for item in sent))
        found = links_of([(one, "pem", sent)])
        links = tuple(sorted(found, key=lambda link: ["tls.test", "Lower", "Upper"].index(link.parsed.name)))
        expected = [leaf, lower, upper]
    commands = chain_commands(links)
    for command in commands:
        line = command_line(command)
        assert line.startswith("$ ")
        subprocess.run(["sh", "-c", line[2:]], cwd=tmp_path, check=True)
        assert all((tmp_path / name).exists() for name in command.creates)
    made = x509.load_pem_x509_certificates((tmp_path / "fullchain.pem").read_bytes())
    assert [item.public_bytes(Encoding.DER) for item in made] == [item.der for item in expected]


def test_no_commands_without_files(chain):
    """A certificate that is known from the wire only, or is not the first of a DER file, cannot be copied."""
    leaf, lower, _upper, _root = chain
    sent = tuple(Link(parsed=parsed(at.der), at=at) for at in placed([leaf.der], origin=Origin.SENT))
    assert chain_commands(sent) is None
    assert chain_commands(links_of([("x.der", "der", [leaf, lower])])) is None


CHANGES = {
    Reason.MISSING: [{"certificates": ("complete",)}],
    Reason.WRONG_ORDER: [{"certificates": ("complete",)}],
    Reason.NOT_LOADED: [{"ca": ("every-ca",), "ca_format": "der"}],
    Reason.OTHER_CA: [{"verify": "required", "ca": ("issuer",), "ca_format": "der"}],
    Reason.UNTRUSTED_ROOT: [{"verify": "required", "ca": ("issuer",), "ca_format": "der"}],
    Reason.LEAF_TRUSTED: [{"verify": "required", "ca": ("issuer",), "ca_format": "der"}],
    Reason.OTHER_KEY: [{"certificates": ("server-p256",)}],
    Reason.SELF_SIGNED: [
        {"certificates": ("server-p256",)},
        {"verify": "required", "ca": ("issuer",), "ca_format": "der"},
    ],
    **{reason: [{"certificates": ("server-p256",)}] for reason in sorted(NOT_AN_ISSUER)},
}


@pytest.mark.parametrize("reason", CHANGES)
def test_what_is_tried(made, chain, reason):
    """Each fix changes what the reason names, and nothing else."""
    links = links_of([("s.pem", "pem", chain[:1]), ("i.pem", "pem", chain[1:2])])
    problem = Problem(reason=reason, role=Role.INTERMEDIATE, at=links[1].at, link=links[1])
    found = trust_fixes(made(), Reading(path=links, problems=(problem,)), problem)
    assert [{**fix.change.server, **fix.change.client} for fix in found] == CHANGES[reason]


def test_the_lines_of_a_complete_chain(made, chain):
    """The user's files, in order, by their absolute paths: a recipe runs in a folder of its own."""
    links = links_of([("s.pem", "pem", chain[:1]), ("i.pem", "pem", chain[1:2]), ("ca.pem", "pem", chain[3:])])
    problem = Problem(reason=Reason.MISSING, role=Role.INTERMEDIATE, at=links[1].at, link=links[1])
    (fix,) = trust_fixes(made(), Reading(path=links, problems=(problem,)), problem)
    assert fix.server_lines == (
        f"$ cat {Path.cwd() / 's.pem'} {Path.cwd() / 'i.pem'} > fullchain.pem",
        'context.load_cert_chain("fullchain.pem", "key.pem")',
    )


def test_a_ca_that_was_generated_again_and_found(made, chain):
    """The right CA comes first."""
    links = links_of([("s.pem", "pem", chain[:1])])
    problem = Problem(reason=Reason.OTHER_KEY, role=Role.LEAF, at=links[0].at, link=links[0], detail="new.pem")
    found = trust_fixes(made(), Reading(path=links, problems=(problem,)), problem)
    assert [dict(fix.change.client).get("ca") for fix in found] == [("issuer",), None]


@pytest.mark.parametrize(
    ("reason", "wanted"),
    [
        (Reason.NOT_CA, "with basicConstraints=critical,CA:TRUE"),
        (Reason.NO_BASIC_CONSTRAINTS, "with basicConstraints=critical,CA:TRUE"),
        (Reason.NO_CERT_SIGN, "with keyUsage=critical,keyCertSign,cRLSign"),
        (Reason.PATH_LENGTH, "with a larger pathlen"),
    ],
)
def test_how_a_ca_is_issued_again(made, chain, reason, wanted):
    """The extension that was missing."""
    links = links_of([("i.pem", "pem", chain[1:2])])
    problem = Problem(reason=reason, role=Role.INTERMEDIATE, at=links[0].at, link=links[0])
    (fix,) = trust_fixes(made(), Reading(path=links, problems=(problem,)), problem)
    assert fix.title == f"issue 'Lower' again {wanted}, and the server's certificate from it; or use a CA of your own"


def test_an_expired_certificate(made, chain):
    """Renewed already: the board gets it. Otherwise it has to be renewed."""
    links = links_of([("s.pem", "pem", chain[:1]), ("new.pem", "pem", chain[3:])])
    problem = Problem(reason=Reason.EXPIRED, role=Role.ROOT, at=links[0].at, link=links[0], other=links[1])
    (fix,) = renewal(made(), problem)
    assert fix.change.client["ca"] == ("issuer",)
    (fix,) = renewal(made(), Problem(reason=Reason.EXPIRED, role=Role.LEAF, at=links[0].at, link=links[0]))
    assert fix.title == "renew 'tls.test', and restart the server so that it loads the new file"
    (fix,) = renewal(made(), None)
    assert fix.title == "renew it, and restart the server so that it loads the new file"
