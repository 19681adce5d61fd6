"""A timestamp authority of the tests' own: `openssl ts` behind a port of loopback."""
import http.server
import subprocess
import threading

TS_CONFIG = """
[tsa]
default_tsa = one
[one]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.crt
certs = {folder}/ca.crt
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
[usage]
extendedKeyUsage = critical,timeStamping
"""


def openssl(*words, **options):
    return subprocess.run(["openssl", *words], check=True, capture_output=True, **options).stdout


class Authority:
    """`openssl ts` behind a port of loopback; `away`: it answers with a fault."""

    def __init__(self, folder, name):
        self.folder = folder / name
        self.folder.mkdir()
        self.away = False
        (self.folder / "serial").write_text("01\n")
        (self.folder / "ts.cnf").write_text(TS_CONFIG.format(folder=self.folder))
        path = lambda file: str(self.folder / file)
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", path("ca.key"), "-out", path("ca.crt"), "-subj", f"/CN={name}", "-days", "2")
        openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", path("tsa.key"), "-out", path("tsa.csr"), "-subj", f"/CN={name} stamps")
        openssl("x509", "-req", "-in", path("tsa.csr"), "-CA", path("ca.crt"), "-CAkey", path("ca.key"), "-CAcreateserial", "-days", "2",
                "-extfile", path("ts.cnf"), "-extensions", "usage", "-out", path("tsa.crt"))
        authority = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                query = self.rfile.read(int(self.headers["Content-Length"]))
                if authority.away or self.headers["Content-Type"] != "application/timestamp-query":
                    self.send_error(503)
                    return
                (authority.folder / "query").write_bytes(query)
                reply = openssl("ts", "-reply", "-config", path("ts.cnf"), "-queryfile", path("query"))
                self.send_response(200)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.end_headers()
                self.wfile.write(reply)

            def log_message(self, *_):
                pass

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/tsr"

    def end(self):
        self.server.shutdown()
        self.server.server_close()
