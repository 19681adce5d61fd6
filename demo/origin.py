#!/usr/bin/env python3
"""The origin servers of the sample sites: what stands behind Guia. One process, one loopback port a site.

Deliberately careless where a gate is meant to help: /debug shows a database error, as a broken page of life would.
Prints one line, the ports as JSON, when ready. Ends with its parent (standard input closes).
"""

import html
import json
import sys
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from sites import SITES

STYLE = """body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:0 auto;padding:0 1rem;color:#1b1f24}
header{border-bottom:3px solid #0b5;padding:1rem 0}h1{font-size:1.3rem;margin:0}nav a{margin-right:1rem}
input,textarea{font:inherit;padding:.3rem;border:1px solid #888;border-radius:.2rem}footer{margin:3rem 0 1rem;color:#555}"""

UPLOAD_LIMIT = 4 * 1024 * 1024


def page(site, title, body):
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)} · {html.escape(site.en)}</title>
<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>
<header><h1>{site.zh}<br>{site.pt}<br>{site.en}</h1>
<nav><a href="/">Home</a><a href="/news">News</a><a href="/services">Services</a><a href="/search">Search</a>
<a href="/login">Sign in</a><a href="/upload">Send a file</a><a href="/api/records">Data</a></nav></header>
<main><h2>{html.escape(title)}</h2>{body}</main>
<footer>A sample site. Nothing here is real.</footer></body></html>"""


def home(site, _):
    news = "".join(f'<li><a href="/news/{a.slug}">{a.date} {html.escape(a.title)}</a></li>' for a in site.news)
    return page(site, site.en, f"<p>{html.escape(site.about)}</p><h3>News · 新聞 · Notícias</h3><ul>{news}</ul>")


def news_list(site, _):
    return page(site, "News", "".join(
        f'<h3><a href="/news/{a.slug}">{html.escape(a.title)}</a></h3><p>{a.date}</p>' for a in site.news))


def services(site, _):
    return page(site, "Services", "".join(
        f'<h3 id="{slug}">{html.escape(title)}</h3><p>{html.escape(text)}</p>' for slug, title, text in site.services))


def search(site, query):
    words = query.get("q", [""])[0]
    found = [r for r in site.records if words and words.lower() in r.lower()]
    rows = "".join(f"<li>{html.escape(r)}</li>" for r in found) or "<li>Nothing found · 沒有結果 · Sem resultados</li>"
    form = f'<form><input name="q" value="{html.escape(words)}"> <button>Search</button></form>'
    return page(site, "Search", form + (f"<ul>{rows}</ul>" if words else ""))


def login_form(site, _):
    return page(site, "Sign in", '<form method="post"><p><label>Name <input name="user"></label></p><p><label>Password '
                '<input name="password" type="password"></label></p><button>Sign in</button></form>')


def upload_form(site, _):
    return page(site, "Send a file", '<form method="post" enctype="multipart/form-data"><p><input name="note"></p><p>'
                '<input type="file" name="document"></p><button>Send</button></form>')


def debug(site, _):
    return page(site, "Error", "<pre>You have an error in your SQL syntax; check the manual that corresponds to your "
                "MySQL server version for the right syntax to use near ''records'' at line 1</pre>")


PAGES = {"/": home, "/news": news_list, "/services": services, "/search": search, "/login": login_form,
         "/upload": upload_form, "/debug": debug}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site = None

    def log_message(self, *_):
        pass

    def answer(self, status, body, kind="text/html; charset=utf-8", headers=()):
        data = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def body(self):
        length = int(self.headers.get("Content-Length") or 0)
        return self.rfile.read(min(length, UPLOAD_LIMIT))

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(url.query)
        article = next((a for a in self.site.news if url.path == f"/news/{a.slug}"), None)
        if url.path == "/api/records":
            rows = [{"id": n, "title": r} for n, r in enumerate(self.site.records, 1)]
            self.answer(200, json.dumps({"site": self.site.en, "records": rows}, ensure_ascii=False), "application/json")
        elif article:
            self.answer(200, page(self.site, article.title, f"<p>{article.date}</p><p>{html.escape(article.body)}</p>"),
                        headers=[("Cache-Control", "max-age=60")])
        elif url.path in PAGES:
            self.answer(200, PAGES[url.path](self.site, query))
        else:
            self.answer(404, page(self.site, "Not found · 找不到 · Não encontrado", ""))

    do_HEAD = do_GET

    def do_POST(self):
        data = self.body()
        path = urllib.parse.urlsplit(self.path).path
        if path == "/login":
            user = urllib.parse.parse_qs(data.decode(errors="replace")).get("user", ["?"])[0]
            self.answer(200, page(self.site, "Welcome", f"<p>{html.escape(user)}</p>"),
                        headers=[("Set-Cookie", "session=demo; HttpOnly; SameSite=Lax"), ("Cache-Control", "private")])
        elif path == "/upload":
            self.answer(200, page(self.site, "Received", f"<p>{len(data)} bytes. Thank you · 多謝 · Obrigado</p>"))
        elif path == "/api/records":
            try:
                known = json.loads(data)
            except ValueError:
                self.answer(400, '{"error":"not JSON"}', "application/json")
                return
            self.answer(201, json.dumps({"received": known}, ensure_ascii=False), "application/json")
        else:
            self.answer(404, page(self.site, "Not found", ""))


def main():
    ports = {}
    for site in SITES:
        handler = type(f"{site.key.title()}Handler", (Handler,), {"site": site})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        ports[site.key] = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps(ports), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
