"""Declaring a case: its id, its text, its tier, and what is refused."""

import pytest

from harness import cases
from harness.cases import Row, Situation, all_cases, case, checked, find_case, ordinary, select, table
from harness.errors import UsageError
from harness.expectations.builders import connected
from harness.model import ServerProfile, Subject, Tier, Verify

SITUATION = Situation(server=ServerProfile(), expect=connected())


@pytest.fixture
def registry(monkeypatch):
    """Provide an empty registry, so that a test's declarations do not become cases of the harness."""
    empty = {}
    monkeypatch.setattr(cases, "_REGISTRY", empty)
    return empty


def declare(row, *, module="harness.cases.some_topic", tier=Tier.CORE):
    """Declare one row, as the table of a topic file does."""

    def rows():
        return [row]

    rows.__module__ = module
    table(tier=tier)(rows)


def test_a_function_is_a_case(registry):
    """The id is the file and the function's name with dashes, the first sentence of the docstring the title."""

    def wrong_ca() -> Situation:
        """The board trusts another CA. It must
        refuse."""
        return SITUATION

    wrong_ca.__module__ = "harness.cases.some_topic"
    case(tier=Tier.SMOKE)(wrong_ca)
    (made,) = registry.values()
    assert (made.id, made.topic, made.tier) == ("some-topic/wrong-ca", "some-topic", Tier.SMOKE)
    assert (made.title, made.description) == ("The board trusts another CA", "It must refuse.")


def test_a_row_is_a_case(registry):
    """A row has its own name and text; the table's tier applies unless the row has one."""
    declare(Row("one", "First. Because.", SITUATION))
    declare(Row("two-2", "Second. Because.", SITUATION, Tier.FULL))
    assert [(made.id, made.tier) for made in registry.values()] == [
        ("some-topic/one", Tier.CORE),
        ("some-topic/two-2", Tier.FULL),
    ]


@pytest.mark.parametrize("name", ["", "One", "a_b", "a--b", "a/b", "a::b", "a[b]", "a@b", "é", "-a"])
def test_a_name_is_made_of_words(registry, name):
    """Ids become parts of test ids and file names: only lower case, digits and dashes."""
    with pytest.raises(ValueError, match="a name consists of lower-case ASCII words"):
        declare(Row(name, "Text.", SITUATION))


def test_a_case_needs_a_docstring(registry):
    """A case without a docstring is refused."""
    with pytest.raises(ValueError, match="some-topic/one: a case needs a docstring that says why the case exists"):
        declare(Row("one", "  ", SITUATION))


def test_something_is_expected(registry):
    """A case states an expectation, or has its negotiation predicted; otherwise every result would be as good."""
    with pytest.raises(ValueError, match=r"^some-topic/one: no expected result: specify `expect` or set `predicted`$"):
        declare(Row("one", "First. Because.", Situation(server=ServerProfile())))


def test_a_case_has_a_subject(registry):
    """It follows from the declaration, or the declaration names it."""
    declare(Row("one", "First. Because.", checked("server-p256")))
    declare(Row("two", "Second. Because.", ordinary("server-p256")))
    declare(Row("three", "Third. Because.", ordinary("server-p256", expect=connected(), subject=Subject.DATA)))
    assert [made.subject for made in registry.values()] == ["server-certificate", "negotiation", "data"]


def test_an_id_is_declared_once(registry):
    """A second row with the same name is refused, because one would hide the other."""
    declare(Row("one", "Text.", SITUATION))
    with pytest.raises(ValueError, match="some-topic/one: declared twice"):
        declare(Row("one", "Text.", SITUATION))


def test_keywords_reach_their_side():
    """`ordinary` and `checked` pass each keyword to the server, the board or the case."""
    made = ordinary("server-p256", "server-rsa2048", ciphers="ALL", server_verify=Verify.REQUIRED, suites=("X",))
    assert made.server == ServerProfile(
        certificates=("server-p256", "server-rsa2048"), ciphers="ALL", verify=Verify.REQUIRED
    )
    assert (made.client.suites, made.client.verify, made.predicted) == (("X",), Verify.NONE, True)
    strict = checked("server-p256", ca=("ca-a", "ca-b"), server_hostname="x")
    assert (strict.client.verify, strict.client.ca, strict.client.server_hostname) == (
        Verify.REQUIRED,
        ("ca-a", "ca-b"),
        "x",
    )
    assert [need.name for need in strict.needs] == ["verification"]


def test_an_unknown_word_is_refused():
    """A misspelled keyword in a declaration is an error, not an ignored setting."""
    with pytest.raises(TypeError, match="cipher"):
        ordinary("server-p256", cipher="ALL")


def test_larger_sets_contain_smaller_ones():
    """smoke is part of core, core of full; any other name is a usage error."""
    smoke, core, full = ({each.id for each in select(tier)} for tier in ("smoke", "core", "full"))
    assert smoke < core < full
    with pytest.raises(UsageError, match="--cases 'all': expected one of smoke, core, full"):
        select("all")


def test_no_set_has_the_cases_that_run_on_request():
    """The programs' cases are in no set, and complete in each if they are asked for."""
    programs = {each.id for each in all_cases() if each.topic == "app"}
    for tier in ("smoke", "core", "full"):
        usual = {each.id for each in select(tier)}
        assert not usual & programs
        assert {each.id for each in select(tier, on_request=True)} == usual | programs
    assert {each.id for each in all_cases()} == {each.id for each in select("full", on_request=True)}


def test_a_former_id_finds_its_case():
    """A case is found under the id that it had before its topic got its full word."""
    assert find_case("raw/http-400") is find_case("not-tls/http-400")


def test_a_form_with_an_rsa_key():
    """It differs from its case in the server's key and suites and in the needs, and keeps the id and the differences table's rows."""
    item = find_case("fragments/hs-records-512")
    form = item.without_ecdsa
    assert (item.server.certificates, form.server.certificates) == (("server-p256",), ("server-rsa2048",))
    assert (item.server.behaviour["size"], form.server.behaviour["size"]) == (512, 1024)
    assert [need.name for need in form.needs] == ["rsa"]
    assert [need.name for need in find_case("mtls/ok-rsa2048").without_ecdsa.needs][:2] == ["rsa", "mbedtls"]
    assert (form.id, form.title, form.subject, form.expect) == (item.id, item.title, item.subject, item.expect)
    assert find_case("seed/ecdsa-key-connects").without_ecdsa is None
