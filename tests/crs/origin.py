"""The origin that the Core Rule Set's tests expect: an empty 200, and what a POST to /reflect asks for."""
import base64
import http.server
import json
import socketserver


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 10

    def answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        status, headers, text = 200, {}, b""
        if self.command == "POST" and self.path.split("?")[0].rstrip("/") == "/reflect":
            try:
                wish = json.loads(body)
                status = wish.get("status") or 200
                headers = wish.get("headers") or {}
                text = (wish.get("body") or "").encode() or base64.b64decode(wish.get("encodedBody") or "")
            except (ValueError, AttributeError):
                status = 400
        self.send_response_only(status)
        if text and not any(name.lower() == "content-type" for name in headers):
            self.send_header("Content-Type", "text/html" if text.lstrip()[:1] == b"<" else "text/plain")
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    def __getattr__(self, name):
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def log_message(self, *_):
        pass


class Origin(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 128
