"""TLS against OpenSSL: its command-line client and server, and Python's ssl module, which is made of it."""

import contextlib
import hashlib
import re
import select
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest
import warnings
from pathlib import Path

import wire
from c_process import CProcess
from framed_peer import Peer

RAW = 2
TLS_FAILED, TLS_MISMATCH, TLS_TRUNCATED = -604, -605, -606
CERTIFICATE_REQUIRED, CERTIFICATE_UNTRUSTED, CERTIFICATE_WRONG_NAME = -607, -608, -610
CERTIFICATE_REFUSED = -614
PROMPTLY = 2.0
TIMEOUT = 15

FOLDER = None


def setUpModule():
    global FOLDER
    FOLDER = Path(tempfile.mkdtemp())
    openssl("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout ca.key -out ca.pem"
            " -subj /CN=issuer -addext basicConstraints=critical,CA:TRUE -addext keyUsage=keyCertSign,cRLSign")
    make("server", "ec -pkeyopt ec_paramgen_curve:P-256", "serverAuth", "IP:127.0.0.1,DNS:localhost")
    make("rsa", "rsa:2048", "serverAuth", "IP:127.0.0.1,DNS:localhost")
    make("elsewhere", "ec -pkeyopt ec_paramgen_curve:P-256", "serverAuth", "DNS:elsewhere.example")
    names = "URI:spiffe://test/alice,email:alice@example.org"
    make("alice", "ec -pkeyopt ec_paramgen_curve:P-256", "clientAuth", names)


def tearDownModule():
    shutil.rmtree(FOLDER)


def openssl(arguments):
    subprocess.run(["openssl", *arguments.split()], cwd=FOLDER, check=True, capture_output=True)


def make(name, key, usage, names):
    """A certificate of our issuer."""
    openssl(f"req -newkey {key} -nodes -keyout {name}.key -out {name}.csr -subj /CN={name}")
    (FOLDER / f"{name}.ext").write_text(f"extendedKeyUsage={usage}\nsubjectAltName={names}\n")
    openssl(f"x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile {name}.ext"
            f" -out {name}.pem")


def pem(name):
    return str(FOLDER / f"{name}.pem")


def key(name):
    return str(FOLDER / f"{name}.key")


def client_context(version=None, certificate=None, ca="ca"):
    context = ssl.create_default_context(cafile=pem(ca))
    if version:
        context.minimum_version = context.maximum_version = version
    if certificate:
        context.load_cert_chain(pem(certificate), key(certificate))
    return context


def server_context(version=None, certificate="server"):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem(certificate), key(certificate))
    if version:
        context.minimum_version = context.maximum_version = version
    return context


def read_exactly(sock, size):
    data = b""
    while len(data) < size:
        piece = sock.recv(size - len(data))
        if not piece:
            raise EOFError(f"after {len(data)} bytes")
        data += piece
    return data


def what_comes_back(sock, data):
    """Sends all of it and reads as much, on one thread: OpenSSL takes no two at once for one connection."""
    sock.setblocking(False)
    sent, back = 0, b""
    while len(back) < len(data):
        if not sock.pending():
            ready = select.select([sock], [sock] if sent < len(data) else [], [], TIMEOUT)
            if not any(ready):
                raise TimeoutError(f"after {len(back)} bytes")
        with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLWantWriteError):
            sent += sock.send(data[sent:sent + 16384]) if sent < len(data) else 0
        with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLWantWriteError):
            piece = sock.recv(65536)
            if not piece:
                raise EOFError(f"after {len(back)} bytes")
            back += piece
    sock.settimeout(TIMEOUT)
    return back


class TlsTest(unittest.TestCase):
    def server(self, certificate="server", framing=RAW, **options):
        return self.enterContext(
            CProcess("server", framing=framing, certificate=pem(certificate), key=key(certificate), **options)
        )

    def connect(self, server, context, name="localhost", **options):
        sock = socket.create_connection(server.address, timeout=TIMEOUT)
        return self.enterContext(context.wrap_socket(sock, server_hostname=name, **options))

    def s_client(self, server, *arguments, say=b"hello\n", expect=b"hello\n"):
        """What openssl s_client prints, which is given `say` and ended once it has printed `expect`, or by itself."""
        host, port = server.address
        command = ["openssl", "s_client", "-connect", f"{host}:{port}", "-CAfile", pem("ca"), "-verify_return_error",
                   *arguments]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        timer = threading.Timer(TIMEOUT, process.kill)
        timer.start()
        output = b""
        try:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(say)
                process.stdin.flush()
            while expect not in output and (piece := process.stdout.read1(4096)):
                output += piece
            process.terminate()
            output += process.stdout.read()
        finally:
            timer.cancel()
            process.stdin.close()
            process.stdout.close()
            process.wait()
        return output.decode(errors="replace")


class AgainstClients(TlsTest):
    def test_s_client_speaks_both_versions(self):
        for certificate in ("server", "rsa"):
            server = self.server(certificate)
            for version, name in (("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")):
                output = self.s_client(server, version, "-servername", "localhost")
                self.assertIn("Verification: OK", output)
                self.assertRegex(output, f"New, {name}, Cipher is ")
                self.assertIn("Secure Renegotiation IS", output)
                self.assertIn("Compression: NONE", output)
                self.assertEqual(server.wait("tls .*version=(.*) suite=.* sni=(.*) cn=")[1], name)

    def test_older_versions_are_refused(self):
        server = self.server()
        for version in ("-tls1", "-tls1_1"):
            output = self.s_client(server, version, "-cipher", "DEFAULT@SECLEVEL=0")
            self.assertRegex(output, "alert (protocol version|handshake failure)")
            server.wait(f"error status={TLS_FAILED} ")
        server = self.server(min_version=13)
        self.assertRegex(self.s_client(server, "-tls1_2"), "alert protocol version")
        server.wait(f"error status={TLS_FAILED} ")

    def test_weak_ciphers_are_refused_and_good_ones_are_not(self):
        for certificate, kind in (("server", "ECDSA"), ("rsa", "RSA")):
            server = self.server(certificate)
            for suite in ("AES256-GCM-SHA384", "AES128-GCM-SHA256", "CHACHA20-POLY1305"):
                output = self.s_client(server, "-tls1_2", "-cipher", f"ECDHE-{kind}-{suite}")
                self.assertIn(f"Cipher is ECDHE-{kind}-{suite}", output)
            weak = ["AES128-SHA", "AES256-SHA256", "AES128-GCM-SHA256", f"ECDHE-{kind}-AES128-SHA"]
            weak += [f"ECDHE-{kind}-AES256-SHA384", "DHE-RSA-AES128-GCM-SHA256"]
            for suite in weak:
                output = self.s_client(server, "-tls1_2", "-cipher", f"{suite}:@SECLEVEL=0")
                self.assertIn("alert handshake failure", output, suite)
                server.wait(f"error status={TLS_FAILED} ")
            for suite in ("TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256"):
                self.assertIn(f"Cipher is {suite}", self.s_client(server, "-tls1_3", "-ciphersuites", suite))

    def test_a_client_cannot_renegotiate(self):
        server = self.server()
        output = self.s_client(server, "-tls1_2", say=b"R\n", expect=b"no renegotiation")
        self.assertRegex(output, "RENEGOTIATING")
        self.assertRegex(output, "no renegotiation|alert")

    def test_python_talks_and_both_end_in_good_order(self):
        data = bytes(range(256)) * 4000
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            server = self.server()
            sock = self.connect(server, client_context(version))
            self.assertEqual(what_comes_back(sock, data), data)
            # The unwrap ends only when the server says close_notify too.
            sock.unwrap()
            report = server.wait_close()
            self.assertEqual((report["reason"], report["by_peer"], report["undelivered"]), (0, 1, 0))

    def test_a_server_ends_with_close_notify(self):
        server = self.server()
        sock = self.connect(server, client_context())
        sock.sendall(b"x")
        self.assertEqual(sock.recv(10), b"x")
        server.command("close 0 bye")
        self.assertEqual(sock.recv(10), b"", "an end without close_notify would be an error")

    def test_an_end_without_close_notify_is_told(self):
        server = self.server()
        sock = self.connect(server, client_context())
        sock.sendall(b"x")
        self.assertEqual(sock.recv(10), b"x")
        sock.shutdown(socket.SHUT_WR)
        self.assertEqual(server.wait_close()["reason"], TLS_TRUNCATED)

    def test_python_speaks_the_framed_protocol_behind_tls(self):
        server = self.server(framing=0)
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            peer = Peer(self.connect(server, client_context(version)))
            peer.write(wire.PREAMBLE + peer.hello(False, "python"))
            peer.expect_preamble()
            self.assertEqual(peer.expect(wire.Hello).id, "c-server")
            for payload in (b"", b"hello", b"z" * 300_000):
                peer.send(wire.BINARY, payload)
                self.assertEqual(peer.expect(wire.Message).payload, payload)

    def test_sessions_are_resumed(self):
        server = self.server()
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context, session = client_context(version), None
            for resumed in (False, True, True):
                sock = self.connect(server, context, session=session)
                sock.sendall(b"x")
                self.assertEqual(sock.recv(10), b"x")
                self.assertEqual(sock.session_reused, resumed)
                self.assertEqual(server.wait("tls resumed=([01])")[1], str(int(resumed)))
                session = sock.session
                sock.unwrap()

    def test_client_certificates(self):
        server = self.server(ca=pem("ca"), client_certificate=2)
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            sock = self.connect(server, client_context(version, "alice"))
            sock.sendall(b"x")
            self.assertEqual(sock.recv(10), b"x")
            told = server.wait("tls .* verified=1 .* cn=(.*) san=(.*) sha256=(.*)")
            der = ssl.PEM_cert_to_DER_cert((FOLDER / "alice.pem").read_text())
            self.assertEqual(told.groups(), ("alice", "URI:spiffe://test/alice", hashlib.sha256(der).hexdigest()))
            sock.close()
            server.wait("end ")
            with self.assertRaises(OSError):
                sock = self.connect(server, client_context(version))
                sock.sendall(b"x")
                if not sock.recv(10):
                    raise EOFError
            server.wait(f"error status={CERTIFICATE_REQUIRED} ")
        self.assertEqual(len([line for line in server.history if line.startswith("open")]), 2)

    def test_application_protocols(self):
        server = self.server(alpn="one,two")
        for offered, agreed in ((["two", "one"], "one"), (["two"], "two"), ([], None)):
            context = client_context()
            if offered:
                context.set_alpn_protocols(offered)
            self.assertEqual(self.connect(server, context).selected_alpn_protocol(), agreed)
            server.wait(f"tls .* alpn={agreed or ''} sni=localhost ")
        context = client_context()
        context.set_alpn_protocols(["three"])
        with self.assertRaisesRegex(ssl.SSLError, "(?i)no.application.protocol"):
            self.connect(server, context)

    def test_what_is_no_tls_is_ended_at_once(self):
        server = self.server(framing=0)
        hello = wire.PREAMBLE + wire.frame(wire.HELLO, wire.hello_payload("python", 1 << 20))
        for words in (b"GET / HTTP/1.1\r\n\r\n", b"\x00", hello):
            begin = time.monotonic()
            with socket.create_connection(server.address, timeout=TIMEOUT) as sock:
                sock.sendall(words)
                answer = b""
                while piece := sock.recv(4096):
                    answer += piece
            self.assertLess(time.monotonic() - begin, PROMPTLY)
            self.assertEqual(bool(answer), words.startswith(wire.PREAMBLE))
            server.wait(f"error status={TLS_MISMATCH} ")

    def test_s_client_on_a_plain_port(self):
        server = self.enterContext(CProcess("server", framing=0))
        begin = time.monotonic()
        self.assertIn("wrong version number", self.s_client(server))
        self.assertLess(time.monotonic() - begin, PROMPTLY)
        server.wait(f"error status={TLS_MISMATCH} ")

    def test_certificates_are_reloaded(self):
        shutil.copy(pem("server"), FOLDER / "live.pem")
        shutil.copy(key("server"), FOLDER / "live.key")
        server = self.server("live")
        before = self.connect(server, client_context())
        shutil.copy(pem("rsa"), FOLDER / "live.pem")
        shutil.copy(key("rsa"), FOLDER / "live.key")
        server.command("reload")
        server.wait("reloaded")
        subject = self.connect(server, client_context()).getpeercert()["subject"]
        self.assertEqual(subject, ((("commonName", "rsa"),),))
        before.sendall(b"still here")
        self.assertEqual(read_exactly(before, 10), b"still here")


class PythonServer:
    """Echoes what the connections of a TLS server in Python bring."""

    def __init__(self, context):
        self.context = context
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.failures = []
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.settimeout(TIMEOUT)
            try:
                with self.context.wrap_socket(sock, server_side=True) as peer:
                    while data := peer.recv(65536):
                        peer.sendall(data)
                    peer.unwrap()
            except (OSError, ValueError) as error:
                self.failures.append(error)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()


class AgainstServers(TlsTest):
    def client(self, port, framing=RAW, **options):
        return self.enterContext(CProcess("client", port, framing=framing, **options))

    def python_server(self, context):
        return self.enterContext(PythonServer(context))

    def status(self, client):
        return int(client.wait("error status=(-?[0-9]+)")[1])

    def test_a_server_in_python(self):
        for version, name in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
            server = self.python_server(server_context(version))
            client = self.client(server.port, ca=pem("ca"))
            client.wait(f"tls resumed=0 verified=1 version={name} .* cn=server san=DNS:localhost ")
            client.wait("open")
            client.command("text hello")
            client.wait("message kind=3 len=5 data=hello")
            client.command("close 0 bye")
            self.assertEqual(client.wait_close()["undelivered"], 0)
            client.stop()
            self.assertEqual(server.failures, [], "Python is told the end in the way of TLS")

    def test_a_client_certificate_for_a_server_in_python(self):
        context = server_context()
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(pem("ca"))
        server = self.python_server(context)
        client = self.client(server.port, ca=pem("ca"), certificate=pem("alice"), key=key("alice"))
        client.wait("open")
        client.command("text hello")
        client.wait("message kind=3 len=5 data=hello")
        refused = self.client(server.port, ca=pem("ca"))
        self.assertEqual(self.status(refused), CERTIFICATE_REFUSED)

    def test_servers_that_are_refused(self):
        old = server_context()
        old.set_ciphers("DEFAULT:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
        weak = server_context(ssl.TLSVersion.TLSv1_2)
        weak.set_ciphers("ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0")
        for context, options, status in (
            (server_context(certificate="elsewhere"), {}, CERTIFICATE_WRONG_NAME),
            (server_context(), {"ca": pem("alice")}, CERTIFICATE_UNTRUSTED),
            (old, {}, TLS_FAILED),
            (weak, {}, TLS_FAILED),
        ):
            server = self.python_server(context)
            client = self.client(server.port, **{"ca": pem("ca"), **options})
            self.assertEqual(self.status(client), status)
        server = self.python_server(server_context(certificate="elsewhere"))
        client = self.client(server.port, ca=pem("ca"), server_name="elsewhere.example")
        client.wait("open")
        client.stop()
        client = self.client(server.port, take_anybody=1)
        client.wait("tls resumed=0 verified=0 ")

    def test_s_server(self):
        for version in ("-tls1_2", "-tls1_3"):
            command = ["openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", pem("server"), "-key", key("server"),
                       version, "-rev"]
            streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
            process = subprocess.Popen(command, **streams)
            try:
                output = b""
                while not (port := re.search(rb"ACCEPT .*:(\d+)\n", output)):
                    piece = process.stdout.read1(4096)
                    self.assertTrue(piece, output)
                    output += piece
                client = self.client(int(port[1]), ca=pem("ca"))
                client.wait("open")
                # A line has an end, which the commands of the peer cannot send: the server takes its own end for one.
                client.command("text " + "hello" * 3)
                client.command("close 0 bye")
                self.assertEqual(client.wait_close()["reason"], 0)
            finally:
                process.kill()
                process.stdout.close()
                process.wait()

    def test_a_server_without_tls(self):
        listener = self.enterContext(socket.create_server(("127.0.0.1", 0)))
        client = self.client(listener.getsockname()[1], ca=pem("ca"))
        sock, _ = listener.accept()
        with sock:
            begin = time.monotonic()
            sock.sendall(b"220 mail.example ESMTP\r\n")
            self.assertEqual(self.status(client), TLS_MISMATCH)
            self.assertLess(time.monotonic() - begin, PROMPTLY)


if __name__ == "__main__":
    unittest.main()
