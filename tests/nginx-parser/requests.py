"""Raw requests, most of them wrong in some way, from a seed."""

METHODS = ["GET", "GET", "POST", "POST", "HEAD", "PUT", "OPTIONS", "DELETE", "TRACE", "CONNECT", "PROPFIND", "A_B-C", "get",
           "G", "", "GE T", "M1", "GETGETGETGETGET", "\r\nGET", "\nPOST", "\x00GET"]
TARGETS = ["/", "/", "/a/b.html", "/a/b.html?c=d&e=f", "*", "", "http://h/", "http://H.example:80/x?y", "http://h",
           "http://h?a", "https://h:1", "http://[::1]:80/a", "http://[::1/a", "http://a_b/", "http:///x", "http:/x",
           "http://h.:8/", "http://h../", "1http://h/", "h+t-t.p://h/", "ftp://h/x", "http://h:8a/", "http://h:/"]
SEGMENTS = ["/", "/", "a", "b", ".", "..", "...", "%", "%2", "%2f", "%2F", "%2e", "%2E%2e", "%00", "%25", "%23", "%3f",
            "%zz", "?", "&", "=", "#", "+", "\\", "\x01", "\t", "\x7f", "\x80", "\xff", "\"", "'", "<", "~", ";", ":", "@",
            "%e6%be%b3", " ", "//", "/./", "/../", "\x00", "\r", "{", "|", "^", "`"]
VERSIONS = ["HTTP/1.1"] * 8 + ["HTTP/1.0"] * 5 + ["", "HTTP/0.9", "HTTP/2.0", "HTTP/1.2", "HTTP/1.10", "HTTP/1.100",
            "HTTP/1.1000", "HTTP/10.1", "HTTP/1", "HTTP/1.", "HTTP/.1", "http/1.1", "HTTP/1.1x", "HTTP/1.1 ", "HTTP/1.1  ",
            "HTTP /1.1", "HTTPS/1.1", "HTTP/01.1", "HTTP/1.01", "X"]
ENDS = ["\r\n"] * 12 + ["\n"] * 4 + ["\r\r\n", "\r", " \r\n"]
HOSTS = ["h", "h", "h", "H.Example.", "a.b:80", "[::1]:8", "[::1", "a_b", "", " ", ".", "a..b", "a/b", "a b", "a:b:c", ":80",
         "\x80", "a\x7f", "h:", "h.:8.", "[]", "]x[", "a\\b", "a%41", "a,b"]
NAMES = ["Accept", "User-Agent", "X-A", "x-b", "X_C", "a_b", "Content-Type", "Referer", "Range", "If-Match", "If-None-Match",
         "If-Range", "If-Modified-Since", "If-Unmodified-Since", "Authorization", "Expect", "Content-Range", "Cookie",
         "X-Forwarded-For", "Via", "Date", "a", "1", "-", "a!b", "a b", "a\tb", "", "\xc3\xa9", "a\x7f", "a\x00", "(x)",
         "a/b", "_", "Accept-Encoding", "Upgrade", "TE", "Keep-Alive", "X-" + "long" * 20]
VALUES = ["", "x", "x y", "  x  ", "\tx\t", "x\t", "\x80\xff", "\x01", "\x00", "x\x00y", "a: b", "x\r y", ":", "\"q\"",
          "x\x7fy", " " * 20, "a, b;c=d", "100-continue", "close", "keep-alive", "x\r", "\x0b"]
LENGTHS = ["0", "3", "3", "5", "-1", "+3", "3 ", " 3", "3x", "", "0x3", "03", "99999", "1048576", "1048577",
           "9223372036854775807", "9223372036854775808", "99999999999999999999", "3,3", "3\t"]
CODINGS = ["chunked"] * 6 + ["Chunked", "CHUNKED ", "gzip", "identity", "chunked, gzip", "gzip, chunked", "", "\tchunked", "chunked\t"]
CHUNKS = ["3\r\nabc\r\n", "3\r\nabc\r\n", "1\nx\n", "0\r\n\r\n", "0\r\n\r\n", "0\r\n\r\n", "0\n\n", "00\r\n\r\n", "5;e=f\r\nabcde\r\n", "5 ;x\nabcde\n",
          "A\r\n0123456789\r\n", "a\r\n0123456789\r\n", "3\r\nabcd\r\n", "3\r\nab", "x\r\n", "-1\r\n", "", "\r\n", "3\rabc",
          "3 x\r\nabc\r\n", "3\t\r\nabc\r\n", "ffffffffffffffff\r\nx", "7fffffffffffffff\r\nx", "800000000000000\r\nx",
          "100001\r\nx", "0\r\nTrailer: x\r\n\r\n", "0\r\nT\r\rx\r\n\r\n", "0;x\r\n\r\n", "0 \n\r\n", "0\r\n\rx", "3;\rx\r\n", "3\r\nabc\n",
          "0\r\nA: b\nC: d\n\n", "0x3\r\nabc\r\n"]


def target(r):
    if r.random() < 0.5:
        return r.choice(TARGETS)
    return r.choice(["/", "/", "/", "", "http://h", "http://h/"]) + "".join(r.choices(SEGMENTS, k=r.randrange(9)))


def line(r, name, value):
    return name + r.choice([": ", ": ", ": ", ":", ":  ", " : ", ":\t"] if r.random() < 0.1 else [": "]) + value


def headers(r):
    lines = []
    if r.random() < 0.97:
        lines.append(line(r, r.choice(["Host", "Host", "host", "HOST"]), r.choice(HOSTS) if r.random() < 0.2 else "h"))
    for _ in range(r.randrange(5)):
        odd = r.random() < 0.08
        name = r.choice(NAMES) if odd or r.random() < 0.5 else r.choice(NAMES[:8])
        lines.append(line(r, name, r.choice(VALUES if odd or r.random() < 0.3 else VALUES[:5])))
    if r.random() < 0.05:
        lines.append(r.choice(["nocolon", " folded", "\tfolded", "", ":", "Host: h", "Connection: close", "\x00"]))
    return lines


def body(r, lines):
    kind = r.random()
    if kind < 0.5:
        return ""
    if kind < 0.75:
        lines.append("Content-Length: " + (r.choice(LENGTHS) if r.random() < 0.3 else "5"))
        if r.random() < 0.05:
            lines.append(r.choice(["Content-Length: 5", "Transfer-Encoding: chunked"]))
        return r.choice(["hello", "hello", "hello, more than said", "abc", "", "x" * 99999])
    lines.append("Transfer-Encoding: " + r.choice(CODINGS if r.random() < 0.3 else ["chunked"]))
    if r.random() < 0.05:
        lines.append(r.choice(["Transfer-Encoding: chunked", "Content-Length: 3"]))
    return "".join(r.choices(CHUNKS[:6] if r.random() < 0.7 else CHUNKS, k=r.randrange(5))) + r.choice(["0\r\n\r\n", "0\r\n\r\n", ""])


def mutate(r, text):
    for _ in range(r.choice([0, 0, 0, 0, 0, 0, 0, 1, 1, 2])):
        at = r.randrange(len(text) + 1)
        what = r.randrange(4)
        if what == 0:
            text = text[:at] + text[at + 1:]
        elif what == 1:
            text = text[:at] + chr(r.randrange(256)) + text[at:]
        elif what == 2:
            text = text[:at] + r.choice("\r\n :\t\0%/?#_") + text[at + 1:]
        else:
            text = text[:at]
    return text


def usual(r):
    """Mostly right, so that what comes behind the request line is reached."""
    lines = headers(r)
    content = body(r, lines)
    r.shuffle(lines)
    start = r.choice(["GET", "POST", "POST"]) + " " + r.choice(TARGETS[:4]) + " HTTP/1." + r.choice("0111")
    return "\r\n".join([start] + lines + ["", content])


def odd(r):
    lines = headers(r)
    content = body(r, lines)
    r.shuffle(lines)
    space = r.choice([" "] * 12 + ["  ", "\t", ""])
    start = r.choice(METHODS) + space + target(r) + space + r.choice(VERSIONS)
    return "".join(text + r.choice(ENDS if r.random() < 0.2 else ENDS[:12]) for text in [start] + lines + [""]) + content


def path(r):
    return "GET " + r.choice(["/", "http://h/"]) + "".join(r.choices(SEGMENTS[:20], k=r.randrange(12))) + " HTTP/1.0\r\n\r\n"


def long(r):
    """Lengths about nginx's buffers, 1 KB and 4 of 8 KB."""
    size = r.choice([1024, 1024, 8192, 8192, 2048, 9216, 16384]) + r.randrange(-40, 40)
    kind = r.randrange(5)
    if kind == 0:
        return "GET /" + "x" * (size - r.choice([5, 14, 16])) + " HTTP/1.0\r\n" + r.choice(["\r\n", "a: b\r\n\r\n", ""])
    if kind == 1:
        return "GET / HTTP/1.0\r\n" + "".join(
            "a%d: " % i + "y" * (size - r.randrange(20)) + "\r\n" for i in range(r.randrange(1, 7))) + "\r\n"
    if kind == 2:
        return "\r\n" * r.randrange(3000) + "GET /" + "x" * r.randrange(1200) + " HTTP/1.0\r\n\r\n"
    if kind == 3:
        count = r.randrange(1, 60)
        return "GET / HTTP/1.1\r\nHost: h\r\n" + "".join("n%d: %s\r\n" % (i, "z" * r.randrange(1500)) for i in range(count)) + "\r\n"
    return "GET /" + "%41" * r.randrange(2000, 2740) + r.choice([" ", " \x01", "\x02 "]) + "HTTP/1.0\r\n\r\n"


def generate(r):
    make = r.choices([usual, odd, path, long], weights=[60, 22, 14, 4])[0]
    text = make(r)
    if make is not long:
        text = mutate(r, text)
    return (text or "\r").encode("latin-1")  # without a byte there is no request, and no line in the log
