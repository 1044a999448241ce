"""`tls-harness diagnose --connect` with a port of a real server on which it speaks no TLS; with the printed lines it connects."""

import os
import re

import pytest

MOSQUITTO = "listener {port} 127.0.0.1\nallow_anonymous true\n"
NGINX = """
daemon off;
pid nginx.pid;
error_log stderr notice;
events {{ worker_connections 32; }}
http {{
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  server {{
    listen 127.0.0.1:{port};
    location / {{ return 200 "hello"; }}
  }}
}}
"""
APACHE = """
ServerRoot {folder}
ServerName tls.test
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so
User nobody
Group nogroup
DefaultRuntimeDir {folder}
PidFile apache.pid
ErrorLog /dev/stderr
SSLSessionCache none
Listen 127.0.0.1:{port}
"""
HAPROXY = """
defaults
  mode http
  timeout connect 5s
  timeout client 5s
  timeout server 5s
frontend web
  bind 127.0.0.1:{port}
  http-request return status 200 content-type text/plain string hello
"""
PROGRAMS = {
    "mosquitto": (MOSQUITTO, ("mosquitto", "-c"), "MQTT"),
    "nginx": (NGINX, ("nginx", "-p", "{folder}", "-c"), "HTTP"),
    "Apache": (APACHE, ("apache2", "-X", "-f"), "HTTP"),
    "HAProxy": (HAPROXY, ("haproxy", "-f"), "HTTP"),
}
# The first word of a printed line -> the line of the plain configuration that it replaces.
REPLACED = {
    "listener": r"^listener .*$",
    "listen": r"listen 127\S+;",
    "Listen": r"^Listen .*$",
    "bind": r"bind 127.*$",
}


@pytest.mark.slow
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_port_without_tls(started, diagnose, pairs, port, tmp_path, program):
    """The protocol is named from the server's answer; with the printed lines, and this port for the printed one, the board connects."""
    text, command, protocol = PROGRAMS[program]
    text = text.format(port=port, folder=tmp_path)
    text = f"user root\n{text}" if program == "mosquitto" and os.geteuid() == 0 else text
    config = tmp_path / "config"
    start = [*(word.format(folder=tmp_path) for word in command), config]
    for part in ("cert", "key"):
        (tmp_path / f"{part}.pem").write_bytes((pairs / "server-p256" / f"{part}.pem").read_bytes())
    config.write_text(text)
    started(port, *start)
    code, answer = diagnose()
    assert code == 1
    assert f"why: this port speaks plain {protocol}, not TLS   [plain-peer/no-tls]" in answer
    lines = re.findall(rf"^  server      {program} +(.*)$", answer, re.MULTILINE)
    assert lines
    for line in lines:
        if line.startswith("$ "):
            joined = (tmp_path / "cert.pem").read_bytes() + (tmp_path / "key.pem").read_bytes()
            assert line == "$ cat cert.pem key.pem > both.pem"
            (tmp_path / "both.pem").write_bytes(joined)
            continue
        here = re.sub(r"(?<= )(127\.0\.0\.1)?:?(443|8883)\b", lambda _found: f"127.0.0.1:{port}", line)
        here = here.replace(f"listener 127.0.0.1:{port}", f"listener {port} 127.0.0.1")
        place = REPLACED.get(line.split()[0])
        text = re.sub(place, here, text, flags=re.MULTILINE) if place else f"{text}{here}\n"
    config.write_text(text)
    started(port, *start)
    code, answer = diagnose()
    assert code == 0, (text, answer)
