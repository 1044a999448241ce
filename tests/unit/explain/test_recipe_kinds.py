"""Each cause has recipes or says why not, and each recipe that can be printed belongs to a cause."""

import pytest

import harness.explain
from harness.diagnose.settings import Settings
from harness.diagnose.trying import ladder
from harness.explain.catalogue.causes import all_causes
from harness.explain.recipe_kinds import NONE_BECAUSE, WORDS, NoRecipe, RecipeKind, kinds
from harness.explain.registry import names
from harness.model import Change, ClientPlan, ServerProfile, Verify
from tests.unit.explain.conftest import TEXTS

# Kinds that a rule proposes in variants of its evidence only: the stored text is another one.
IN_VARIANTS = {
    "api/invalid-key": {RecipeKind.BOARD_FORMS},
    "ciphers/key-type": {RecipeKind.SERVER_GROUP},
    "configuration/found-by-handshake": {RecipeKind.SERVER_CERTIFICATE},
    "identity/one-number-for-all": {RecipeKind.SERVER_CERTIFICATE},
    "peer/more-required": {RecipeKind.SERVER_GROUP},
}


def proposed(cause):
    """Return the kinds of recipes in the stored text of a cause."""
    place = TEXTS / f"{cause.replace('/', '.')}.txt"
    lines = place.read_text(encoding="utf-8").splitlines() if place.exists() else []
    proofs = (line.removeprefix("    proof   ").split(", ") for line in lines if line.startswith("    proof   "))
    return {RecipeKind(word) for words in proofs for word in words}


def test_every_cause_has_recipes_or_says_why_not():
    """Exactly one of recipes, a reason for none, and more specific causes that have them."""
    unclear = [
        cause.id
        for cause in all_causes()
        if [bool(cause.recipes), cause.no_recipe is not None, bool(cause.reasons) and not cause.recipes].count(True)
        != 1
    ]
    assert unclear == []
    assert [cause.id for cause in all_causes() if len(set(cause.recipes)) != len(cause.recipes)] == []


def test_what_is_listed_is_proposed():
    """A kind that an entry lists is in the stored text of its rule, or in a variant named here; `conftest` checks the converse."""
    harness.explain._load()
    missing = {cause.id: set(cause.recipes) - proposed(cause.id) for cause in all_causes() if cause.recipes}
    assert {cause: kinds for cause, kinds in missing.items() if kinds} == IN_VARIANTS
    assert [cause.id for cause in all_causes() if cause.recipes and cause.id not in names()] == []


def test_every_kind_belongs_to_a_cause():
    """No kind is left over, and each has its words; the general changes, which no rule proposes, have kinds of causes, too."""
    listed = {kind for cause in all_causes() for kind in cause.recipes}
    assert listed == set(RecipeKind) == set(WORDS)
    assert {cause.no_recipe for cause in all_causes()} - {None} == set(NoRecipe) == set(NONE_BECAUSE)
    everything = Settings(
        server=ServerProfile(ciphers="x", minimum_version="TLSv1.2", curve="x", verify=Verify.REQUIRED),
        client=ClientPlan(verify=Verify.REQUIRED, suites=("x",), ca_format="pem"),
    )
    for step in ladder(everything, kind="EC"):
        assert kinds(step.change), step.title
        assert kinds(step.change) <= listed


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (Change(server={"certificates": ("server-p256",)}), {RecipeKind.SERVER_CERTIFICATE}),
        (Change(server={"certificates": ("*", "server-p256")}), {RecipeKind.SECOND_CERTIFICATE}),
        (Change(server={"certificates": ("complete",)}), {RecipeKind.COMPLETE_CHAIN}),
        (Change(client={"verify": "none", "ca": ()}), {RecipeKind.UNCHECKED}),
        (Change(client={"verify": "required", "ca": ("issuer",), "ca_format": "der"}), {RecipeKind.BOARD_CA}),
        (Change(client={"ca_format": "der"}), {RecipeKind.BOARD_FORMS}),
        (Change(client={"certificate": "c", "certificate_format": "der"}), {RecipeKind.BOARD_CERTIFICATE}),
        (Change(server={"verify": "optional"}), {RecipeKind.CLIENT_CHECK}),
        (Change(), set()),
    ],
)
def test_kinds(change, kind):
    """A field decides, or its value where that matters."""
    assert kinds(change) == kind
