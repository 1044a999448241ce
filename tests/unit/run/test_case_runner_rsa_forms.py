"""The forms of cases with an RSA key, on the virtual board restricted by set_ciphers as firmware without ECDHE_ECDSA is by its build."""

from dataclasses import replace

import pytest

from harness.cases import all_cases, find_case
from harness.expectations.needs import OFFERS_ECDHE_RSA, READS_PEM
from harness.model import VerdictWord

PLAIN_RSA = (*find_case("no-shared-cipher/plain-rsa-only-rsa-key").client.suites, "TLS_RSA_WITH_AES_128_GCM_SHA256")
ECDHE_RSA = (
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
)
FORMS = [item for item in all_cases() if item.without_ecdsa is not None]


@pytest.mark.parametrize("item", FORMS, ids=lambda item: item.id)
def test_an_rsa_key_changes_no_result(lab, spec, item):
    """Each form ends as its case does, with plain RSA suites, unless the case is about a message that these lack, and with ECDHE_RSA."""
    runner, form = lab.runner(spec, "in-process"), item.without_ecdsa
    for suites in (ECDHE_RSA,) if OFFERS_ECDHE_RSA in form.needs else (PLAIN_RSA, ECDHE_RSA):
        result = runner.run(replace(form, client=replace(form.client, suites=suites)))
        # The packaged interpreter reads only DER.
        word = VerdictWord.UNSUPPORTED if READS_PEM in form.needs else VerdictWord.PASS
        assert result.verdict.word is word, (suites[0], result.verdict)


@pytest.mark.parametrize(
    "item", [item for item in all_cases() if item.topic in ("records", "close")], ids=lambda item: item.id
)
def test_cases_that_need_no_form(lab, spec, item):
    """Data and endings have a server with both keys: firmware with plain RSA only runs them as they are."""
    assert item.without_ecdsa is None
    result = lab.runner(spec, "in-process").run(replace(item, client=replace(item.client, suites=PLAIN_RSA)))
    assert result.verdict.word is VerdictWord.PASS, result.verdict
