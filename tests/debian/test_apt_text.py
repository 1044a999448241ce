"""Test reading apt's sources and package dependencies."""

import pytest
from apt_text import CannotError, Source, closure, dependencies, own_archive, read_deb822, read_one_line

DEB822 = """\
# A comment before everything
Types: deb deb-src
# and one inside
URIs: http://mirror.test/debian http://second.test/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/archive.gpg

Types: deb
Enabled: no
URIs: http://off.test/
Suites: bookworm
Components: main
\t
Types: deb-src
URIs: http://sources.test/
Suites: bookworm
Components: main

types: deb
uris: http://key.test/
suites: stable
components: main
signed-by:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc=
"""

DEPENDS = """\
micropython
  Depends: libc6
  PreDepends: dpkg
 |Depends: libffi8
  Depends: <libffi-any>
    libffi8
  Depends: media-types
libc6
  Depends: libgcc-s1
  Depends: libc6
libgcc-s1
  Depends: gcc-14-base
media-types
  Depends: libnot-ours
"""


def test_deb822() -> None:
    """Each URI and suite of an enabled stanza with binaries is an archive; the field may contain the key itself."""
    components, key = ("main", "contrib"), "/usr/share/keyrings/archive.gpg"
    assert list(read_deb822(DEB822)) == [
        Source(uri=uri, suite=suite, components=components, signed_by=key)
        for uri in ("http://mirror.test/debian", "http://second.test/debian")
        for suite in ("bookworm", "bookworm-updates")
    ] + [
        Source(
            uri="http://key.test/",
            suite="stable",
            components=("main",),
            signed_by="\n-----BEGIN PGP PUBLIC KEY BLOCK-----\n.\nabc=",
        )
    ]


def test_one_line() -> None:
    """Options are in brackets; `deb-src` lines and comments are ignored."""
    text = (
        "# deb http://off.test/ bookworm main\n"
        "deb http://plain.test/debian bookworm main contrib # note\n"
        "deb [arch=amd64 signed-by=/k.gpg] http://options.test/debian bookworm main\n"
        "deb-src http://sources.test/debian bookworm main\n"
    )
    assert list(read_one_line(text)) == [
        Source(uri="http://plain.test/debian", suite="bookworm", components=("main", "contrib")),
        Source(uri="http://options.test/debian", suite="bookworm", components=("main",), signed_by="/k.gpg"),
    ]


def test_own_archive_goes_by_code_name() -> None:
    """A third party's `stable main` does not take precedence over the system's own archive."""
    other = Source(uri="http://other.test/", suite="stable", components=("main",))
    security = Source(uri="http://mirror.test/security", suite="bookworm-security", components=("main",))
    extra = Source(uri="http://extra.test/", suite="bookworm", components=("contrib",))
    own = Source(uri="http://mirror.test/", suite="bookworm", components=("main",))
    assert own_archive([other, security, extra, own], codename="bookworm") == own
    assert own_archive([other, security], codename="") == other


def test_no_own_archive() -> None:
    """A machine without one gets a clear error."""
    with pytest.raises(CannotError, match=r"no archive of its own system \(bookworm main\)"):
        own_archive([], codename="bookworm")


def test_dependencies() -> None:
    """Both sides of an alternative count; a virtual package, in angle brackets, does not."""
    assert dependencies(DEPENDS) == {
        "micropython": ["libc6", "dpkg", "libffi8", "media-types"],
        "libc6": ["libgcc-s1", "libc6"],
        "libgcc-s1": ["gcc-14-base"],
        "media-types": ["libnot-ours"],
    }


def test_closure_follows_libraries_only() -> None:
    """The dependencies of a package that is not unpacked are not unpacked either."""
    assert closure("micropython", dependencies(DEPENDS)) == ["micropython", "libc6", "libffi8", "libgcc-s1"]


def test_closure_takes_the_parts_of_a_program() -> None:
    """python3.13 is split into packages whose names start with it."""
    edges = {"python3.13": ["python3.13-minimal", "tzdata"], "python3.13-minimal": ["zlib1g"]}
    assert closure("python3.13", edges) == ["python3.13", "python3.13-minimal", "zlib1g"]
