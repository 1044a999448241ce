"""The page of facts about firmware."""

from harness.firmware.table import firmwares, stored_hellos
from website.firmware import firmware_page

TEXT = firmware_page().text


def part(heading: str) -> list[str]:
    """The lines below a heading."""
    return TEXT.partition(f"\n{heading}\n")[2].partition("\n\n#")[0].splitlines()


def test_every_release_and_hello():
    """Each release of each port has a row, each ClientHello a part."""
    for one in firmwares():
        assert [line for line in part(f"### {one.port}") if line.startswith(f"| {one.version} |")], one.name
    assert [name for name in stored_hellos() if f"\n### {name}\n" not in TEXT] == []


def test_a_release():
    """An assumed value has a mark; the ClientHello is a link."""
    assert "| 1.25.0 | mbedTLS 3.6.3 | `D` [1.25.0-debian](#1250-debian) | yes | yes | yes | yes |" in part(
        "### debian"
    )
    assert "| 1.21.0 | mbedTLS 3.3.0 | `E2` [1.21.0-esp32](#1210-esp32)\\* | yes | no | no\\* | yes |" in part(
        "### esp32"
    )


def test_what_a_build_accepts():
    """Firmwares with the same library and configuration share a part; what was not measured is marked."""
    lines = part("### esp32 1.22.2 to 1.23.0")
    assert "| RSA keys of a certificate | 2048 to 8192 bits\\* |" in lines
    assert "| largest record, sent | 4096 bytes |" in lines
    assert "| reads PKCS\\#8 keys | yes\\* |" in lines
    assert lines[-1].startswith("| also | an mbedTLS number from -1 to -255 is raised as an errno")


def test_a_hello():
    """Suites, groups and signatures by name, in the order of the wire."""
    lines = part("### 1.14-axtls")
    assert lines[1] == "Family `X`; a Linux build of this release with the configuration of these ports, captured."
    assert lines[5].startswith("| cipher suites | `TLS_RSA_WITH_AES_128_CBC_SHA`, `TLS_RSA_WITH_AES_128_CBC_SHA256`, ")
    assert lines[6] == "| groups | none sent |"
