"""Dates: a certificate that has expired or is not yet valid, and a board whose clock is at its epoch."""

from __future__ import annotations

from harness.certificates.chain_problems import Reason
from harness.expectations.clients import checks_dates
from harness.explain import fixes
from harness.explain.chain_evidence import server_chain, trusted_texts
from harness.explain.chain_fixes import renewal
from harness.explain.chain_sentences import first_of, further, sentence, titled
from harness.explain.evidence import Evidence
from harness.explain.registry import rule, told
from harness.explain.shown import read_certificates
from harness.firmware.since import Feature, since
from harness.model import Explanation, Fix, Verify
from harness.wire.alerts import AlertCode


def accepted_outside_dates(evidence: Evidence) -> bool:
    """Whether only the date was wrong, on a board whose library checks none and whose API has one number for every reason."""
    expected = evidence.expected
    if not evidence.accepted or expected is None or expected.note is None or expected.alert is None:
        return False
    verifies = evidence.case.client.verify is Verify.REQUIRED
    by_date = expected.alert.code in (AlertCode.CERTIFICATE_EXPIRED, AlertCode.CERTIFICATE_UNKNOWN)
    return verifies and by_date and not checks_dates(evidence.info)


def _dates(evidence: Evidence) -> tuple[str, ...]:
    sent = read_certificates(evidence.wire.certificates[:10])
    lines = tuple(f"sent {at}: {item.subject}, valid {item.valid_text}" for at, item in enumerate(sent, start=1))
    trusted = (f"trusted: {text}" for text in trusted_texts(evidence))
    return f"the board's clock: {evidence.clock_text}", *lines, *trusted


@rule("clock/board-clock-not-set")
def board_clock_not_set(evidence: Evidence) -> Explanation | None:
    """2000 on esp32 and esp8266, 2015 on stm32 without battery, 2021 on rp2."""
    if not evidence.clock_never_set or evidence.flags not in ({"future"}, {"expired"}):
        return None
    return told(
        why=(
            *_dates(evidence),
            "at power-up the clock is at 2021 on rp2, 2000 on esp32 and esp8266, 2015 on stm32 without a battery",
        ),
        fixes=(fixes.SET_CLOCK,),
    )


@rule("clock/board-clock-wrong")
def board_clock_wrong(evidence: Evidence) -> Explanation | None:
    """The clock was set, but wrongly: an empty battery, a wrong time server, day and month exchanged."""
    if not evidence.clock_is_off or evidence.clock_never_set or evidence.flags not in ({"future"}, {"expired"}):
        return None
    return told(
        why=_dates(evidence),
        fixes=(fixes.SET_CLOCK,),
    )


@rule("clock/expired")
def expired(evidence: Evidence) -> Explanation | None:
    """It has expired."""
    if evidence.flags != {"expired"} or evidence.clock_is_off:
        return None
    problem = first_of(server_chain(evidence), {Reason.EXPIRED})
    return told(
        titled(problem),
        why=(*_dates(evidence), *further(server_chain(evidence), problem)),
        fixes=renewal(evidence, problem),
    )


@rule("clock/not-yet-valid")
def not_yet_valid(evidence: Evidence) -> Explanation | None:
    """It is not yet valid according to the board's clock."""
    if evidence.flags != {"future"} or evidence.clock_is_off:
        return None
    problem = first_of(server_chain(evidence), {Reason.NOT_YET_VALID})
    who = sentence(problem) if problem is not None else "the server's certificate is not yet valid"
    return told(
        f"{who}, according to the board's clock",
        why=(
            *_dates(evidence),
            *further(server_chain(evidence), problem),
            "a clock set to local time instead of UTC is hours off",
        ),
        fixes=(
            fixes.SET_CLOCK,
            Fix(
                title="check the clock of the machine that issued the certificate, and issue it again",
                change=fixes.issued_again(evidence),
            ),
        ),
    )


@rule("clock/dates-not-checked")
def dates_not_checked(evidence: Evidence) -> Explanation | None:
    """Insecure: a TLS library built to check no dates."""
    expected = evidence.expected
    if not evidence.accepted or expected is None:
        return None
    if not {"expired", "future"} & set(expected.client_flags or ()) and not accepted_outside_dates(evidence):
        return None
    return told(
        why=tuple(note for note in (expected.note,) if note) or _dates(evidence),
        fixes=(fixes.newer_firmware(f"dates are checked since {since(Feature.DATES)}"),),
    )
