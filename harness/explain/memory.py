"""Too little heap: sometimes reported as such, otherwise it looks like a bad certificate or a wrong signature."""

from __future__ import annotations

from harness.explain import fixes
from harness.explain.evidence import Evidence
from harness.explain.registry import rule, told
from harness.model import Explanation, Fix, Stage
from harness.oracle.out_of_memory import is_out_of_memory
from harness.wire import mbedtls_numbers as mbedtls

_WHEN = {
    Stage.CONFIG: "while it loaded its certificates and its key",
    Stage.WRITE: "while it wrote, after a good handshake",
    Stage.READ: "while it read, after a good handshake",
}
_SMALL_PIECES = Fix(
    title="read and write in pieces of at most 1 KB",
    client_lines=("for at in range(0, len(data), 1024):", "    tls.write(data[at:at + 1024])"),
)


def _heap(evidence: Evidence) -> tuple[str, ...]:
    free = evidence.seen.free_before
    lines = [
        f"free heap before the handshake: {free} bytes"
        if free is not None
        else "free heap before the handshake: not known"
    ]
    lines.append(
        "needed: 28 kB (EC key) to 36 kB (RSA-4096), of which 16.7 kB in one piece; on esp32 from the IDF heap, not gc.mem_free()"
    )
    return tuple(lines)


def _says_so(evidence: Evidence) -> bool:
    client = evidence.client
    if client is None:
        return False
    return is_out_of_memory(client)


@rule("memory/out-of-memory")
def out_of_memory(evidence: Evidence) -> Explanation | None:
    """An allocation failed, by one of its many names: ENOMEM, 16, -17040 ..."""
    if not _says_so(evidence):
        return None
    shown = " ".join(sorted(evidence.client_names)) or (evidence.client.type if evidence.client else "")
    stage = evidence.seen.stage
    after = stage in (Stage.WRITE, Stage.READ)
    return told(
        f"the board ran out of memory {_WHEN.get(stage or Stage.HANDSHAKE, 'in the handshake')}",
        why=(
            f"the board says {shown}; MicroPython turns mbedTLS -16 into OSError 16, which prints as EBUSY",
            *_heap(evidence),
        ),
        fixes=(_SMALL_PIECES, *fixes.free_memory()[:2]) if after else fixes.free_memory(),
    )


@rule("memory/looks-like-a-bad-certificate")
def looks_like_a_bad_certificate(evidence: Evidence) -> Explanation | None:
    """In a range of 4 to 6 kB of free heap a good chain is reported as untrusted."""
    suspect = evidence.flags == {"not_trusted"} or evidence.number in (
        mbedtls.X509_CERT_VERIFY_FAILED,
        mbedtls.PK_INVALID_PUBKEY,
    )
    if not suspect or not evidence.short_of_memory or _says_so(evidence):
        return None
    return told(
        why=(
            *_heap(evidence),
            "to find out: with too little memory the same handshake with CERT_NONE fails with OSError 16 or -17040",
        ),
        fixes=fixes.free_memory(),
    )
