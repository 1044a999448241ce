"""What a user has after `pip install`, all at once: a suite with own files, a running server and the packaged matrix, with workers."""

import json
from xml.etree import ElementTree

import pytest

from harness.certificates import Certificates

pytestmark = pytest.mark.slow

# The server of the user's own: it is started by the suite, and the harness knows only its address.
CONFTEST = """
import socket, ssl, threading
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def broker():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(HERE / "broker.pem", HERE / "broker.key")
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                plain, _peer = listener.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(plain, server_side=True) as tls:
                    tls.recv(100)
                    tls.sendall(b"welcome")
            except OSError:
                plain.close()

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"127.0.0.1:{listener.getsockname()[1]}"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()
"""
SUITE = '''
from pathlib import Path

HERE = Path(__file__).parent
CA = HERE / "ca.pem"


def test_our_files(board, tls_server, expect):
    """The broker's own certificate and key."""
    server = tls_server(cert=HERE / "broker.pem", key=HERE / "broker.key")
    expect.connected(board.connect(server, verify="required", ca=CA))


def test_our_running_server(board, broker, expect):
    """The broker as it runs."""
    expect.connected(board.connect(broker, text="hello", verify="required", ca=CA, server_hostname="tls.test"))
'''
BOARDS = '[board.desk]\nspec = "unix"\n\n[board.shelf]\nspec = "unix"\n'
OWN = {"own/broker-our-files", "own/broker-our-running-server"}


@pytest.fixture(scope="module")
def folder(installed, tmp_path_factory):
    """A user's folder: two boards, and a suite with its own files."""
    made = tmp_path_factory.mktemp("user")
    with Certificates() as certificates:
        broker = certificates.make("server-p256")
        (made / "broker.pem").write_bytes(broker.chain_pem)
        (made / "broker.key").write_bytes(broker.key_pem)
        (made / "ca.pem").write_bytes(broker.root_pem)
    (made / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    (made / "test_broker.py").write_text(SUITE, encoding="utf-8")
    (made / "boards.toml").write_text(BOARDS, encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def workers(installed, tmp_path_factory):
    """A folder with pytest-xdist, which the environment of the wheel does not have."""
    target = tmp_path_factory.mktemp("xdist")
    done = installed.run(
        "python", "-m", "pip", "install", "-q", "--no-deps", "--target", target, "pytest-xdist", "execnet"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return target


def test_own_suite_and_matrix_with_workers(installed, folder, workers):
    """`pytest test_broker.py --pyargs harness.compat -n 2`: one record, one page and one JUnit file with all results of both boards."""
    installed.needs_unix()
    done = installed.run(
        "pytest",
        *("test_broker.py", "--pyargs", "harness.compat", "--board", "desk", "--board", "shelf"),
        *("--cases", "smoke", "-n", "2", "--junitxml", "junit.xml", "-W", "error"),
        cwd=folder,
        also={"PYTHONPATH": str(workers)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    record = json.loads((folder / ".compat" / "run.json").read_text(encoding="utf-8"))
    results = record["results"]
    boards = {entry["board"] for entry in record["boards"]}
    assert {row["verdict"] for row in results} <= {"pass", "unsupported"}
    assert (boards, {row["board"] for row in results}) == ({"desk", "shelf"}, {"desk", "shelf"})
    for board in sorted(boards):
        cases = {row["case"] for row in results if row["board"] == board}
        assert cases > OWN, board
        assert any(case.startswith("seed/") for case in cases), board
    suite = ElementTree.parse(folder / "junit.xml").getroot().find("testsuite")
    assert (suite.get("failures"), suite.get("errors"), suite.get("tests")) == ("0", "0", str(len(results)))
    page = (folder / ".compat" / "matrix.html").read_text(encoding="utf-8")
    assert [case for case in sorted({row["case"] for row in results}) if case not in page] == []
