"""The two whole programs: valid Python, and what they need is in them."""

import ast

from harness.diagnose.programs import board_program, server_program
from harness.explain.client_lines import connecting
from harness.model import BoardInfo

INFO = BoardInfo(version=(1, 28, 0), tls_module="tls", api=("tls.SSLContext.load_cert_chain",))


def names(text):
    """Return the names that a program uses without defining them, except for built-in ones."""
    tree = ast.parse(text)
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    made = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    made |= {
        alias.asname or alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    }
    made |= {node.name for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler)}
    return used - made - set(dir(__builtins__) if not isinstance(__builtins__, dict) else __builtins__)


def test_nothing_is_missing():
    """Every name is imported or defined; the address, the port and the settings are there."""
    server = server_program(["context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)"], host="192.168.1.2", port=8443)
    board = board_program(connecting(INFO, host="h", ca=True), INFO, host="192.168.1.2", port=8443)
    assert (names(server.text), names(board.text)) == (set(), set())
    assert 'ADDRESS = ("192.168.1.2", 8443)' in server.text
    assert 'HOST, PORT = "192.168.1.2", 8443' in board.text
    assert board.text.startswith("# MicroPython 1.28.0. The board must be in the network already: WiFi is not part")
    assert [program.name for program in (server, board)] == ["server.py", "board.py"]


def test_ipv6():
    """The family is needed: create_server assumes IPv4."""
    assert "family=socket.AF_INET6" in server_program(["context = 1"], host="::1", port=1).text


def test_a_server_that_is_not_ours():
    """The board sends what the user gave, or nothing at all."""
    lines = connecting(INFO)
    assert "stream.write(b'GET /\\r\\n')" in board_program(lines, INFO, host="h", port=1, send="GET /\r\n").text
    assert "write" not in board_program(lines, INFO, host="h", port=1, talks=False).text


def test_a_clock_that_has_to_be_set():
    """The harness sets the clock of a board before a trial, so a program that checks dates says that it is needed."""
    lines = connecting(INFO, ca=True)
    text = board_program(lines, INFO, host="h", port=1, needs_clock=True).text
    assert (
        "# It checks dates: set the clock first, with ntptime.settime() or machine.RTC().datetime(...), in UTC." in text
    )
    assert "clock" not in board_program(lines, INFO, host="h", port=1).text


def test_the_old_api_has_no_settings_of_its_own():
    """wrap_socket has everything; nothing is left between the imports and the connection."""
    text = board_program(connecting(BoardInfo(tls_module="ussl")), INFO, host="h", port=1).text
    assert "import ussl\n\nHOST" in text
    assert names(text) == set()


def test_a_server_that_reads_its_environment():
    """Only then it imports os."""
    assert server_program(["context = 1"], host="127.0.0.1", port=1).text.startswith("import socket\nimport ssl\n")
    found = server_program(['context = os.environ["A"]'], host="127.0.0.1", port=1)
    assert found.text.startswith("import os\nimport socket\nimport ssl\n")
