"""What visitors do on the sample sites: every one of these must pass."""

import json
import urllib.parse
from dataclasses import dataclass, field

BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 "
    "Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36",
)
LANGUAGES = ("zh-HK,zh;q=0.9,en;q=0.6", "pt-PT,pt;q=0.9,en;q=0.5", "en-GB,en;q=0.9", "zh-TW,zh;q=0.9")

SEARCHES = ("annual report", "MX-12-34", "失物 背包", "extintores aprovados", "O'Neill", "where do I pay & how?",
            "50% off tickets", "select committee", "C++ source code", "São Januário", "\"safe account\"", "119 / 999",
            "how to drop a complaint", "fish and chips; opening hours", "union of crafts", "第12/2026號", "email@example.org",
            "D'Angelo", "1+1", "rock 'n' roll", "#12", "2026-10-05", "Rua do Campo, n.º 78", "what's on?")
OPINIONS = (
    "I think the new crossing should open earlier.\nMy children walk to school at 7:30, and cars come from both sides.",
    "Concordo com a proposta, mas peço que o prazo seja de 60 dias (não 30). Obrigada, Maria d'Oliveira",
    "本人支持有關建議；惟希望當局可多設無障礙通道（例如：斜道、升降機），並於晚上加強照明。多謝！",
    "Prices went from $5 to $8, i.e. up 60%! Who decides? Please explain in plain words: what, why & when.",
)
NAMES = ("Chan Tai Man", "João d'Almeida", "陳大文", "Siobhan O'Brien", "Ana-Maria Conceição")


@dataclass(frozen=True)
class Request:
    kind: str
    method: str
    path: str
    headers: tuple = ()
    body: bytes = b""
    note: str = field(default="")


def form(fields):
    return urllib.parse.urlencode(fields).encode()


def multipart(fields, files):
    """fields: (name, text); files: (name, filename, type, bytes) -> (content type, body)."""
    boundary = "----WebKitFormBoundary7MA4YWxkTrZu0gW"
    out = b""
    for name, text in fields:
        out += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'.encode()
    for name, filename, kind, data in files:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\nContent-Type: {kind}'
        out += head.encode() + b"\r\n\r\n" + data + b"\r\n"
    return f"multipart/form-data; boundary={boundary}", out + f"--{boundary}--\r\n".encode()


def browser(number):
    return (("User-Agent", BROWSERS[number % len(BROWSERS)]), ("Accept-Language", LANGUAGES[number % len(LANGUAGES)]),
            ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"),
            ("Cookie", f"lang=zh; consent=2026-10-0{number % 9 + 1}; _ga=GA1.1.{1234567 + number}.1760000000"))


def visits(site):
    """Every visit to one site, in a fixed order."""
    made = []

    def add(kind, method, path, headers=(), body=b""):
        made.append(Request(kind, method, path, browser(len(made)) + tuple(headers), body))

    for path in ["/", "/news", "/services", "/search", "/login", "/upload"] + [f"/news/{a.slug}" for a in site.news]:
        add("pages", "GET", path, [("Referer", f"http://{site.host}/")])
    add("pages", "GET", "/not-there")
    add("pages", "HEAD", "/")
    for words in SEARCHES:
        add("search", "GET", "/search?" + urllib.parse.urlencode({"q": words}))
    for number, name in enumerate(NAMES):
        add("login", "POST", "/login", [("Content-Type", "application/x-www-form-urlencoded")],
            form({"user": name, "password": f"Correct-Horse-{number}!"}))
    for number, text in enumerate(OPINIONS):
        kind, body = multipart([("note", text)], [("document", f"form-{number}.pdf", "application/pdf",
                                                   b"%PDF-1.7\n" + bytes(range(256)) * 40)])
        add("upload", "POST", "/upload", [("Content-Type", kind)], body)
    for number, text in enumerate(OPINIONS):
        add("API", "POST", "/api/records", [("Content-Type", "application/json")],
            json.dumps({"title": NAMES[number], "opinion": text, "tags": ["a", "b"], "age": 40 + number},
                       ensure_ascii=False).encode())
    add("API", "GET", "/api/records?page=1&sort=title")
    return made
