"""Programs that people run on boards: each talks to a server of the harness, with and without verification. On request only.

A program that is not on the board, or has no way to be given what a case needs, is `unsupported`: the board is asked, no version decides.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from harness.cases import Row, Situation, checked, ordinary, table
from harness.expectations.builders import connected, refused
from harness.expectations.clients import refuses_certificate
from harness.expectations.needs import CHECKS_CERTIFICATES, LOADS_CLIENT_CERTIFICATE
from harness.model import PROGRAMS, Behaviour, ClientPlan, ServerProfile, Side, Stage, Subject, Tier, Verify

# More than one record of TLS.
LARGE_BYTES = 20_000
OWN_CHOICE = "what a program raises when its server closes without an answer is its own choice"
OWN_CAS = "which CA certificates a program trusts if it is given none is its own choice"
GIVES_UP = replace(
    refused(by=Side.CLIENT, stage=Stage.READ, open_because=OWN_CHOICE), no_server_error=True, no_alert=True
)


def _answers(name: str) -> Iterable[tuple[str, str, Situation]]:
    """What must work: with each program, the same round trips."""
    yield (
        "unverified",
        "without verification. The encrypted round trip: the text arrives, and so does the answer",
        ordinary("server-p256", program=name, expect=connected()),
    )
    yield (
        "large-answer",
        "reads an answer of more than one TLS record. The program reads all of it",
        ordinary("server-p256", program=name, receive_bytes=LARGE_BYTES, expect=connected()),
    )
    yield (
        "verified",
        "verifies the server with its CA. The positive control of the refusals",
        checked("server-p256", program=name),
    )
    yield (
        "client-certificate",
        "has a client certificate, which the server requires. Both sides verify each other",
        Situation(
            server=ServerProfile(certificates=("server-p256",), verify=Verify.REQUIRED, client_ca=("ca-p256",)),
            client=ClientPlan(verify=Verify.REQUIRED, ca=("ca-p256",), certificate="client-p256", program=name),
            expect=connected(),
            predicted=True,
            needs=(CHECKS_CERTIFICATES, LOADS_CLIENT_CERTIFICATE),
        ),
    )


def _refusals(name: str) -> Iterable[tuple[str, str, Situation]]:
    """What must not work: with each program, the same wrong servers."""
    control = f"app/{_case_name(name)}-verified"
    yield (
        "wrong-ca",
        "is given another CA. A program that connects here accepts any server",
        checked(
            "server-p256",
            program=name,
            ca="ca-other",
            expect=refuses_certificate("not_trusted"),
            positive_control=control,
        ),
    )
    yield (
        "wrong-name",
        "connects to a server whose certificate has another name. A program that connects here accepts any server of that CA",
        checked("server-wrong-host", program=name, expect=refuses_certificate("cn_mismatch"), positive_control=control),
    )
    yield (
        "server-closes",
        "connects to a server that closes instead of answering. The program must raise an error and not wait",
        ordinary(
            "server-p256",
            program=name,
            behaviour={"name": Behaviour.CLOSE_WITHOUT_ANSWER},
            expect=GIVES_UP,
            subject=Subject.DATA,
        ),
    )


def _case_name(name: str) -> str:
    return name.replace(".", "-")


@table(tier=Tier.FULL)
def round_trips() -> Iterable[Row]:
    """Each program against a server that it must accept, and servers that it must refuse."""
    for name, program in PROGRAMS.items():
        for case, text, situation in (*_answers(name), *_refusals(name)):
            yield Row(f"{_case_name(name)}-{case}", f"{program.title} {text}.", situation)


@table(tier=Tier.FULL)
def by_themselves() -> Iterable[Row]:
    """Programs that open a connection without being told whom to trust."""
    yield Row(
        "requests-without-ca",
        "requests is called as in its examples; an unknown CA signed the server's certificate. A secure program refuses it.",
        ordinary(
            "server-untrusted",
            program="requests",
            needs=(CHECKS_CERTIFICATES,),
            expect=refused(by=Side.CLIENT, server="TLSV1_ALERT_UNKNOWN_CA", alert="unknown_ca", open_because=OWN_CAS),
            subject=Subject.SERVER_CERTIFICATE,
        ),
    )
