"""The TLS server engine: one listener per case, one connection per listener, every byte recorded.

Runs in process as `harness.server.engine.engine`, and alone under any CPython from 3.8 as `python engine.py`, answering one
JSON object per line (protocol at `main`). Stdlib only, plain dicts; its parts (`engine_jobs`, `tls_contexts`,
`tls_link`, `tls_session`, `flights`, `odd_peers`) are in the same folder. Knows sockets and one worker thread; must not know
boards, cases or harness.model.
"""

from __future__ import annotations

import base64
import json
import os
import queue
import shutil
import socket
import ssl
import sys
import tempfile
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or __package__:
    from harness.server.engine.applications import APPLICATIONS
    from harness.server.engine.engine_jobs import SNI_BEHAVIOURS, Job, ignore_deliberate, legacy_job, set_sni
    from harness.server.engine.flights import FLIGHTS, flight_of
    from harness.server.engine.odd_peers import CLOSINGS, RAW_BYTES, close_notify_first, serve_raw, what_is_missing
    from harness.server.engine.tls_contexts import (
        ContextStore,
        SettingsRefused,
        context_facts,
        describe_interpreter,
        failure_of,
        out_of_descriptors,
    )
    from harness.server.engine.tls_link import Link, Stopped, Waiter, listen, listen_error
    from harness.server.engine.tls_session import Session
else:  # started by its path; at the end of sys.path, so that no file here can hide a stdlib module
    sys.path.append(os.path.dirname(os.path.abspath(__file__)))
    from applications import APPLICATIONS
    from engine_jobs import SNI_BEHAVIOURS, Job, ignore_deliberate, legacy_job, set_sni
    from flights import FLIGHTS, flight_of
    from odd_peers import CLOSINGS, RAW_BYTES, close_notify_first, serve_raw, what_is_missing
    from tls_contexts import (
        ContextStore,
        SettingsRefused,
        context_facts,
        describe_interpreter,
        failure_of,
        out_of_descriptors,
    )
    from tls_link import Link, Stopped, Waiter, listen, listen_error
    from tls_session import Session

PROTOCOL = "tls-harness/engine/1"
BEHAVIOURS = ("", *FLIGHTS, *CLOSINGS, *RAW_BYTES, *SNI_BEHAVIOURS, "psk")
DEFAULTS: dict[str, Any] = {
    "address": "127.0.0.1",
    "ports": None,
    "peer": None,
    "handshake_timeout_s": 30.0,
    "idle_timeout_s": 30.0,
    "reply": "Hallo, Client!",
    "send_bytes": None,
    "expect_bytes": 0,
    "application": None,
    "behaviour": {},
}

# Every connection of an unexpected peer is counted, but only this many addresses are kept.
MAX_STRANGERS_NAMED = 8
# More than this at once is a flood, and as doubtful.
MAX_CONTESTED = 16


class Engine:
    """TLS servers one after the other: `open`, then `wait` or `cancel`, and `close` at the end.

    Args:
        folder: a private one for the key log, which `close` removes; None makes one. The host gives one where it is in the
            same process, and the place for one (TMPDIR) where it is not: both can be cleaned up after a kill.
    """

    def __init__(self, *, folder: str | None = None) -> None:
        self._folder = folder or tempfile.mkdtemp(prefix="tls-engine-")
        path = os.path.join(self._folder, "keylog")
        flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_BINARY", 0)
        self._keylog = os.open(path, flags, 0o600)
        self._store = ContextStore(keylog_path=path)
        self._waiter = Waiter()
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._job: Job | None = None
        self._worker: threading.Thread | None = None
        self._closed = False

    def describe(self) -> dict[str, Any]:
        """Return the Python and OpenSSL of this process and their defaults."""
        return describe_interpreter()

    def open(self, settings: dict[str, Any]) -> dict[str, Any]:
        """Start listening for one connection.

        Returns:
            {"ok": True, address, port, facts}; or {"ok": False, failure, facts} when Python refuses the settings; or
            {"ok": False, "error": text} if the request is impossible (port taken, unknown name).
        """
        self.cancel()
        settings = {**DEFAULTS, **settings}
        name = settings["behaviour"].get("name", "")
        if name not in BEHAVIOURS:
            return {"ok": False, "error": f"unknown server behaviour {name!r}"}
        missing = what_is_missing(settings["behaviour"])
        if missing:
            return {"ok": False, "error": missing}
        if settings.get("legacy_wrap_socket") and not settings.get("certificates"):
            return {"ok": False, "error": "ssl.wrap_socket needs a certificate"}
        try:
            job = self._prepare(settings, name)
        except SettingsRefused as exc:
            if out_of_descriptors(exc.cause):
                return {"ok": False, "error": f"cannot open the server's files ({exc.cause})"}
            return {"ok": False, "failure": failure_of(exc.cause, stage="config"), "facts": exc.facts}
        try:
            job.listener = listen(settings["address"], settings["ports"])
        except OSError as exc:
            job.release()
            return {"ok": False, "error": listen_error(settings, exc)}
        address, port = job.listener.getsockname()[:2]
        job.report.update(local=address, local_port=port)
        self._waiter.reset()
        self._start_worker()
        self._job = job
        self._jobs.put(job)
        return {"ok": True, "address": address, "port": port, "facts": job.facts}

    def wait(self, timeout_s: float) -> dict[str, Any]:
        """Return the report of the last `open`; end the session after `timeout_s` and report that it timed out."""
        job = self._take()
        if not job.done.wait(timeout_s):
            self._waiter.stop()
            job.done.wait()
            job.report["timed_out"] = not job.report["exchanged"]
        return job.report

    def cancel(self) -> dict[str, Any] | None:
        """Close the listener or session at once and return its report; None if nothing is open."""
        if self._job is None:
            return None
        job = self._take()
        if not job.done.is_set():
            self._waiter.stop()
            job.done.wait()
        return job.report

    def close(self) -> None:
        """End the session and the thread, drop the contexts and the key-log file. May be called twice."""
        if self._closed:
            return
        self._closed = True
        self.cancel()
        if self._worker is not None:
            self._jobs.put(None)
            self._worker.join()
        self._waiter.close()
        self._store.clear()
        os.close(self._keylog)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _take(self) -> Job:
        """Return the open job, once."""
        job, self._job = self._job, None
        if job is None:
            raise RuntimeError("wait() without an open server")
        return job

    def _prepare(self, settings: dict[str, Any], name: str) -> Job:
        """Prepare a job except for its listener."""
        if settings.get("legacy_wrap_socket"):
            return legacy_job(settings)
        if name in RAW_BYTES:
            return Job(settings, facts=context_facts(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), settings))
        context, facts, tap = self._store.get(settings)
        job = Job(settings, facts=facts)
        job.context, job.tap = context, tap
        if name == "sni.swap":
            job.swap_context = self._store.get({**settings, "certificates": [settings["behaviour"]["files"]]})[0]
        return job

    def _start_worker(self) -> None:
        """Start the one thread, on first use."""
        if self._worker is None:
            self._worker = threading.Thread(target=self._work, name="tls-engine", daemon=True)
            self._worker.start()

    def _work(self) -> None:
        """Serve jobs until the end marker None."""
        while True:
            job = self._jobs.get()
            if job is None:
                return
            try:
                self._serve(job)
            except Stopped:
                pass
            except Exception as exc:  # a fault of the engine must reach the report, not kill the thread
                job.report["error"] = f"{type(exc).__name__}: {exc}"
            finally:
                job.release()
                job.done.set()

    def _serve(self, job: Job) -> None:
        """Accept one connection from an allowed address and serve it."""
        sock = self._accept(job)
        link = Link(sock, waiter=self._waiter)
        try:
            job.report.update(accepted=True, started_unix_s=time.time())
            job.report["peer"], job.report["peer_port"] = sock.getpeername()[:2]
            job.report["local"] = sock.getsockname()[0]  # the listener's may be "any address"
            if job.settings["behaviour"].get("name") in RAW_BYTES:
                job.report.update(serve_raw(link, job.settings))
            else:
                self._serve_tls(job, link)
        finally:
            link.close()
            job.report.update(wire=link.wire, tcp_ends=link.ends)

    def _accept(self, job: Job) -> socket.socket:
        """Return the first connection from an allowed address and stop listening.

        Others from an allowed address that wait by then are counted: one of them may be the board's.
        """
        listener = job.listener
        assert listener is not None
        sock = self._next_expected(job, listener)
        while sock is None:
            self._waiter.wait(listener, end=None)
            sock = self._next_expected(job, listener)
        for _ in range(MAX_CONTESTED):
            other = self._next_expected(job, listener)
            if other is None:
                break
            job.report["contested"] += 1
            other.close()
        listener.close()
        return sock

    def _next_expected(self, job: Job, listener: socket.socket) -> socket.socket | None:
        """Return the next connection from an allowed address, None if none waits; drop and count all others."""
        peers, report = job.settings["peer"], job.report
        while True:
            try:
                sock, address = listener.accept()
            except BlockingIOError:
                return None
            except ConnectionAbortedError:
                continue
            if peers is None or address[0] in peers:
                return sock
            report["strangers"] += 1
            known = report["stranger_addresses"]
            if address[0] not in known and len(known) < MAX_STRANGERS_NAMED:
                known.append(address[0])
            report["peer"] = address[0]  # until the right one connects: the address, for the message
            sock.close()

    def _serve_tls(self, job: Job, link: Link) -> None:
        """Run the TLS session and collect what it negotiated."""
        incoming: Any = job.pair
        outgoing: Any = job.pair
        tls: Any = job.wrapped
        context: ssl.SSLContext = job.context or tls.context
        if job.pair is None:
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            set_sni(job)
            tls = context.wrap_bio(incoming, outgoing, server_side=True)
        behaviour = job.settings["behaviour"]
        name = behaviour.get("name", "")
        link.piece_bytes = int(behaviour.get("size", 1)) if name == "fragments.tcp" else 0
        reading, ends_itself = APPLICATIONS.get(job.settings["application"], (None, False))
        session = Session(
            link, tls=tls, incoming=incoming, outgoing=outgoing, settings=job.settings,
            flight=flight_of(behaviour), reading=reading,
            closing=CLOSINGS.get(name, close_notify_first if ends_itself else None),
        )  # fmt: skip
        # With a callback, Python decodes the server name itself, and only ASCII (Modules/_ssl.c, _servername_callback).
        deliberate = name in SNI_BEHAVIOURS or bool(behaviour.get("raises"))
        hook = sys.unraisablehook
        if deliberate:
            sys.unraisablehook = ignore_deliberate
        try:
            with self._store.secrets_of(job.context, job.swap_context):
                job.report.update(session.run())
        finally:
            if deliberate:
                sys.unraisablehook = hook
            if name in SNI_BEHAVIOURS:
                context.sni_callback = None
        codes = {suite: code for code, _protocol, suite in job.facts["suites"]}
        job.report["suite_code"] = codes.get(job.report["negotiated_suite"])
        job.report["message_alerts"] = job.tap.take() if job.tap is not None else []
        job.report["key_log"] = self._new_secrets()

    def _new_secrets(self) -> str:
        """Return the key-log lines of this connection and empty the file: secrets must not accumulate on disk."""
        size = os.fstat(self._keylog).st_size
        if not size:
            return ""
        os.lseek(self._keylog, 0, os.SEEK_SET)
        data = os.read(self._keylog, size)
        os.ftruncate(self._keylog, 0)
        lines = data.decode("ascii", "replace").splitlines()
        return "".join(line + "\n" for line in lines if line and not line.startswith("#"))


def json_safe(report: dict[str, Any] | None) -> dict[str, Any] | None:
    """Encode the bytes of the wire as base64 for the pipe."""
    if report is None:
        return None
    wire = [[sender, at_ms, base64.b64encode(data).decode("ascii")] for sender, at_ms, data in report["wire"]]
    return {**report, "wire": wire}


def main() -> int:
    """Answer JSON lines on stdin until it ends.

    First line out: {"engine": PROTOCOL, "describe": {...}}. Request: {"call": "describe" | "open" | "wait" | "cancel",
    "argument": ...}; answer: {"result": ...} or {"error": text}. One request at a time.
    """
    engine = Engine()
    answers = sys.stdout
    sys.stdout = sys.stderr  # a stray print must not appear between the answers

    def say(answer: dict[str, Any]) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    try:
        say({"engine": PROTOCOL, "describe": engine.describe()})
        for line in sys.stdin:
            try:
                request = json.loads(line)
                say({"result": _call(engine, str(request["call"]), request.get("argument"))})
            except Exception as exc:  # the other end gets the fault, the engine continues
                say({"error": f"{type(exc).__name__}: {exc}"})
    except (KeyboardInterrupt, BrokenPipeError):
        return 1
    finally:
        engine.close()
    return 0


def _call(engine: Engine, name: str, argument: Any) -> Any:
    """Serve one request."""
    if name == "describe":
        return engine.describe()
    if name == "open":
        return engine.open(argument)
    if name == "wait":
        return json_safe(engine.wait(float(argument)))
    if name == "cancel":
        return json_safe(engine.cancel())
    raise ValueError(f"unknown call {name!r}")


if __name__ == "__main__":
    sys.exit(main())
