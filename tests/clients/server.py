"""A built server on an empty data folder, and TLS in front of it.

Astra's toolkit speaks nothing but HTTPS; whoever ends TLS in front of the server
speaks HTTP/1.1 to it, as `docs/` says. Here that is a proxy of a few lines.
"""

import contextlib
import http.client
import http.server
import pathlib
import ssl
import subprocess
import tempfile
import threading
import urllib.parse

BINARY = pathlib.Path(__file__).parents[2] / "target" / "debug" / "tenterhook"


class Server:
    """Where the server listens, and the token of its owner."""

    def __init__(self, url, token):
        self.url = url
        self.token = token


@contextlib.contextmanager
def serving(binary=BINARY, *arguments):
    """Starts the server; ends it when the block is left."""
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [binary, "serve", "--data-dir", folder, "--listen", "127.0.0.1:0", *arguments],
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        log = []
        try:
            url = None
            for line in process.stderr:
                log.append(line)
                if line.startswith("listening on "):
                    url = line.removeprefix("listening on ").strip()
                    break
            if url is None:
                raise SystemExit("the server did not start:\n" + "".join(log))
            # What it logs from now on must not fill the pipe.
            threading.Thread(target=log.extend, args=(process.stderr,), daemon=True).start()
            token = pathlib.Path(folder, "owner.token").read_text().strip()
            yield Server(url, token)
        finally:
            process.terminate()
            process.wait(timeout=60)


@contextlib.contextmanager
def behind_tls(url):
    """Ends TLS before the server at `url`; tells where, and the file with its certificate."""
    upstream = urllib.parse.urlsplit(url)

    class Forward(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self):
            length = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length) if length else None
            connection = http.client.HTTPConnection(upstream.hostname, upstream.port)
            headers = dict(self.headers) | {"X-Forwarded-Proto": "https"}
            connection.request(self.command, self.path, body, headers)
            reply = connection.getresponse()
            content = reply.read()
            self.send_response(reply.status)
            for name, value in reply.getheaders():
                if name.lower() not in ("transfer-encoding", "content-length", "connection"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            connection.close()

        do_GET = do_POST = do_PUT = do_DELETE = forward

        def log_message(self, *_):
            pass

    with tempfile.TemporaryDirectory() as folder:
        key, certificate = f"{folder}/key.pem", f"{folder}/certificate.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
            + ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
            check=True,
            capture_output=True,
        )
        proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Forward)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        proxy.socket = context.wrap_socket(proxy.socket, server_side=True)
        thread = threading.Thread(target=proxy.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{proxy.server_address[1]}", certificate
        finally:
            proxy.shutdown()
