"""Start servers of Debian's packages on free loopback ports, in the foreground, with their own files; each ends with its test."""

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.certificates import Certificates
from harness.system.deadline import Deadline

NGINX = """
daemon off;
pid nginx.pid;
error_log stderr notice;
worker_processes 1;
events { worker_connections 32; }
http {
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  server {
    listen 127.0.0.1:%(port)d ssl;
    %(pair)s
    %(more)s
    location / { return 200 "hello"; }
  }
}
"""
MOSQUITTO = """
listener %(port)d 127.0.0.1
allow_anonymous true
%(pair)s
%(more)s
"""
APACHE = """
ServerRoot %(folder)s
ServerName tls.test
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so
User nobody
Group nogroup
DefaultRuntimeDir %(folder)s
PidFile apache.pid
ErrorLog /dev/stderr
SSLSessionCache none
Listen 127.0.0.1:%(port)d
SSLEngine on
%(pair)s
%(more)s
"""
HAPROXY = """
defaults
  mode http
  timeout connect 5s
  timeout client 5s
  timeout server 5s
frontend tls
  bind 127.0.0.1:%(port)d ssl %(options)s
  http-request return status 200 content-type text/plain string hello
"""
PROFILES = ("server-p256", "server-rsa2048", "client-p256", "client-untrusted", "ca-p256", "ca-other")


@pytest.fixture(scope="session")
def pairs(tmp_path_factory):
    """`pairs / "server-p256" / "cert.pem"`, `key.pem`, `both.pem`, `cert.der`, `key.der`; the keys are readable for their owner only."""
    folder = tmp_path_factory.mktemp("pairs")
    with Certificates() as certificates:
        for name in PROFILES:
            made, own = certificates.make(name), folder / name
            own.mkdir(mode=0o700)
            for file, content in (
                ("cert.pem", made.chain_pem),
                ("key.pem", made.key_pem),
                ("both.pem", made.chain_pem + made.key_pem),
                ("cert.der", made.certificate_der),
                ("key.der", made.key_der),
            ):
                path = own / file
                path.touch(0o600)
                path.write_bytes(content)
    return folder


@pytest.fixture
def started(tmp_path):
    """Start a program and wait until it listens on the port: `started(port, *command)`. The previous program is ended."""
    running = []

    def end():
        while running:
            process = running.pop()
            process.terminate()
            process.communicate(timeout=60)

    def start(port, *command):
        end()
        program = shutil.which(command[0], path=f"{Path('/usr/sbin')}:/usr/bin:/bin:/usr/local/bin") or shutil.which(
            command[0]
        )
        if program is None:
            pytest.skip(
                f"{command[0]} is not installed (Debian packages nginx-light, mosquitto, apache2-bin, haproxy, openssl)"
            )
        log = tmp_path / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [program, *map(str, command[1:])],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=tmp_path,
            )
        running.append(process)
        deadline = Deadline(60)
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                assert process.poll() is None, log.read_text(errors="replace")
                assert not deadline.expired, log.read_text(errors="replace")
                time.sleep(0.02)  # nothing else shows that it listens

    yield start
    end()


@pytest.fixture
def port():
    """Return a port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@pytest.fixture
def nginx(started, pairs, port, tmp_path):
    """Start nginx with a certificate and more lines of its `server` block, which may name another certificate."""

    def start(profile, more=""):
        config = tmp_path / "nginx.conf"
        pair = f"ssl_certificate {pairs / profile}/cert.pem; ssl_certificate_key {pairs / profile}/key.pem;"
        config.write_text(NGINX % {"port": port, "pair": "" if "ssl_certificate " in more else pair, "more": more})
        started(port, "nginx", "-p", tmp_path, "-c", config)

    return start


@pytest.fixture
def mosquitto(started, pairs, port, tmp_path):
    """Start mosquitto with a certificate and more lines; it needs to read the files as its own user."""

    def start(profile, more=""):
        config = tmp_path / "mosquitto.conf"
        user = "user root\n" if os.geteuid() == 0 else ""
        pair = f"certfile {pairs / profile}/cert.pem\nkeyfile {pairs / profile}/key.pem"
        config.write_text(user + MOSQUITTO % {"port": port, "pair": "" if "certfile" in more else pair, "more": more})
        started(port, "mosquitto", "-c", config)

    return start


@pytest.fixture
def apache(started, pairs, port, tmp_path):
    """Start Apache with a certificate and more lines of its configuration; it serves no files."""

    def start(profile, more=""):
        pair = f"SSLCertificateFile {pairs / profile}/cert.pem\nSSLCertificateKeyFile {pairs / profile}/key.pem"
        config = tmp_path / "apache.conf"
        words = {"port": port, "folder": tmp_path, "more": more}
        config.write_text(APACHE % {**words, "pair": "" if "SSLCertificateFile" in more else pair})
        started(port, "apache2", "-X", "-f", config)

    return start


@pytest.fixture
def haproxy(started, pairs, port, tmp_path):
    """Start HAProxy with a certificate and more options of its `bind` line."""

    def start(profile, options=""):
        pair = "" if "crt " in options else f"crt {pairs / profile}/both.pem"
        config = tmp_path / "haproxy.cfg"
        config.write_text(HAPROXY % {"port": port, "options": f"{pair} {options}"})
        started(port, "haproxy", "-f", config)

    return start


@pytest.fixture
def s_server(started, pairs, port):
    """Start OpenSSL's test server with a certificate and more options."""

    def start(profile, *more):
        pair = () if "-cert" in more else ("-cert", pairs / profile / "cert.pem", "-key", pairs / profile / "key.pem")
        started(port, "openssl", "s_server", "-accept", f"127.0.0.1:{port}", *pair, "-quiet", *more)

    return start


@pytest.fixture
def diagnose(port, tmp_path):
    """Run `tls-harness diagnose --board unix --connect` and return its exit code and output."""

    def run(*more, board="unix"):
        done = subprocess.run(
            [
                *(sys.executable, "-m", "harness", "diagnose", "--board", board),
                *("--connect", f"127.0.0.1:{port}", *map(str, more)),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        assert done.stderr == ""
        return done.returncode, done.stdout

    return run


@pytest.fixture
def tls13_board():
    """A board with TLS 1.3. No official firmware has it; the interpreter that $MICROPYTHON_OLD names may."""
    path = os.environ.get("MICROPYTHON_OLD")
    if not path:
        pytest.skip(
            "$MICROPYTHON_OLD names no interpreter with TLS 1.3 (`python3 tools/fetch_debian.py` gets Debian's)"
        )
    return f"unix:{path}"
