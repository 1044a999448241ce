"""The record keeps secrets out of its text, and the error survives a process boundary."""

from __future__ import annotations

import pickle

from harness.certificates import Certificates, Unavailable


def test_the_repr_of_a_material_has_no_key(made: Certificates) -> None:
    """pytest and reports print reprs: no key bytes, no PEM."""
    text = repr(made.make("server-p256"))
    assert "PRIVATE" not in text
    assert "key_der" not in text
    assert text.startswith("Material(name='server-p256', facts=KeyFacts(")


def test_unavailable_names_profile_and_reason_and_can_be_pickled() -> None:
    """The reason is what a case shows as `unsupported`; xdist sends it between processes."""
    error = Unavailable("server-p224", "no such curve")
    assert str(error) == "cannot generate the certificate of profile 'server-p224' on this machine: no such curve"
    again = pickle.loads(pickle.dumps(error))
    assert (again.profile, again.reason, str(again)) == ("server-p224", "no such curve", str(error))
