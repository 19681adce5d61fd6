"""Who is let in to the screen, and who may change anything. TAP."""
import http.client
import os
import pathlib
import tempfile
from urllib.parse import urlencode

from harness import Screen, Skip, case, incident_write, main, wait_for
from notify import Manager

HEADERS = {"Content-Security-Policy": "frame-ancestors 'none'", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
           "Referrer-Policy": "same-origin", "X-Frame-Options": "DENY"}


@case
def an_address_lets_in_once():
    with Screen() as screen:
        assert screen.ask("/")[0] == 403 and screen.ask("/incidents")[0] == 403 and screen.ask("/live/")[0] == 403
        headers = screen.enter()
        cookie = headers["Set-Cookie"]
        assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and "Path=/" in cookie, cookie
        assert screen.ask("/")[0] == 200
        for _ in range(3):
            code, headers, _text = screen.ask("/" + screen.address.split("/", 3)[3], cookie=False)
            assert code == 403 and headers["Set-Cookie"] is None
        other = screen.new_address()
        assert other != screen.address
        first = screen.cookie
        screen.enter(other)
        assert screen.cookie != first and screen.ask("/")[0] == 200 and screen.ask("/", cookie=first)[0] == 200


@case
def who_only_looks_does_not_use_an_address_up():
    """HEAD, and a browser that fetches ahead of its user: neither gets a session, and the user who comes then does."""
    with Screen() as screen:
        path = "/" + screen.address.split("/", 3)[3]
        for _ in range(2):
            code, headers, text = screen.ask(path, "HEAD", cookie=False)
            assert code == 200 and text == "" and headers["Set-Cookie"] is None, (code, headers)
            for ahead in ({"Sec_Purpose": "prefetch"}, {"Sec_Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}, {"X_Purpose": "preview"}, {"X_Moz": "prefetch"}):
                for method in ("GET", "HEAD"):
                    code, headers, _text = screen.ask(path, method, cookie=False, **ahead)
                    assert code == (503 if method == "GET" else 200) and headers["Set-Cookie"] is None, (ahead, method, code)
                    assert headers["Cache-Control"] == "no-store"
        screen.enter()
        assert screen.ask("/")[0] == 200
        assert screen.ask(path, "HEAD", cookie=False)[0] == 403 and screen.ask(path, cookie=False, Sec_Purpose="prefetch")[0] == 403


@case
def wrong_tokens_and_cookies_let_nobody_in():
    with Screen() as screen:
        token = screen.address.rsplit("/", 1)[1]
        for wrong in ("", token[:-1], token + "0", token.upper() if token.upper() != token else token[::-1], "0" * 64, "%00" + token, token + "/x"):
            assert screen.ask("/enter/" + wrong, cookie=False)[0] in (403, 404), wrong
        screen.enter()
        name, value = screen.cookie.split("=")
        for wrong in ("", value[:-1], value + "0", "0" * 64, token):
            assert screen.ask("/", cookie=f"{name}={wrong}")[0] == 403, wrong
        assert screen.ask("/", cookie=f"other={value}")[0] == 403


@case
def every_answer_says_what_a_browser_must_not_do():
    with Screen().ready(0) as screen:
        for path in ("/", "/incidents", "/incidents/9", "/screen.css", "/screen.js", "/plot.js", "/uPlot.min.css", "/nothing"):
            code, headers, _ = screen.ask(path)
            for name, part in HEADERS.items():
                assert part in headers[name], (path, code, name, headers[name])
            policy = headers["Content-Security-Policy"]
            assert "unsafe" not in policy and "default-src 'none'" in policy and "*" not in policy and "http" not in policy, policy


@case
def other_names_are_refused():
    """DNS rebinding: a page of elsewhere whose name now leads here."""
    with Screen().ready(0) as screen:
        for host in ("evil.example", f"evil.example:{screen.port}", f"127.0.0.1.evil.example:{screen.port}", f"localhost.:{screen.port}", "127.0.0.2",
                     "[::ffff:127.0.0.1]", "169.254.169.254", ""):
            code, _, text = screen.ask("/", Host=host)
            assert code in (400, 403) and "tiles" not in text, (host, code)
            assert screen.ask("/live/", Host=host)[0] in (400, 403)
        for host in ("localhost", f"localhost:{screen.port}", "127.0.0.1:4444"):
            assert screen.ask("/", Host=host)[0] == 200, host


@case
def pages_of_elsewhere_are_refused():
    with Screen().ready(0) as screen:
        own = f"127.0.0.1:{screen.port}"
        for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": f"http://localhost:{screen.port}"}, {"Origin": f"https://{own}"},
                        {"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"}, {"Origin": f"http://{own}", "Sec_Fetch_Site": "cross-site"}):
            assert screen.ask("/", **headers)[0] == 403, headers
            assert screen.ask("/live/", **headers)[0] == 403, headers
        assert screen.ask("/", Origin=f"http://{own}", Sec_Fetch_Site="same-origin")[0] == 200
        # A link in a mail: the browser brings no cookie along, which is the cookie's doing; with one it would be the person's own.
        assert screen.ask("/", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate")[0] == 200


@case
def changes_want_the_token_of_the_session():
    with Screen().ready(0) as screen:
        incident_write(screen.history, 1, ["a.test"])
        csrf, own = screen.csrf("/incidents/1"), f"http://127.0.0.1:{screen.port}"
        form = "order=unban%20192.0.2.7&back=/incidents/1&why=it%20was%20us"
        mime = {"Content_Type": "application/x-www-form-urlencoded"}
        other = Screen.__new__(Screen)
        other.__dict__.update(screen.__dict__)
        other.enter(screen.new_address())
        for code, body, headers in (
                (403, form, {}), (403, form + "&csrf=", {}), (403, form + "&csrf=" + "0" * 64, {}), (403, form + "&csrf=" + other.csrf("/incidents/1"), {}),
                (403, form + "&csrf=" + csrf, {"Origin": "http://evil.example"}), (403, form + "&csrf=" + csrf, {"Origin": "null"}),
                (403, form + "&csrf=" + csrf, {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"})):
            got = screen.ask("/orders", "POST", body, **mime, **headers)[0]
            assert got == code, (got, body, headers)
        assert screen.ask("/orders", "POST", form + "&csrf=" + csrf, cookie=False, **mime)[0] == 403
        assert screen.ask("/orders?" + form + "&csrf=" + csrf)[0] in (404, 405)
        assert screen.watch.orders() == []
        code, headers, _ = screen.ask("/orders", "POST", form + "&csrf=" + csrf, Origin=own, **mime)
        assert code == 303 and headers["Location"] == "/incidents/1", (code, headers["Location"])
        wait_for(screen.watch.orders, "the order")
        assert screen.watch.orders() == [f"for {os.getuid()} unban 192.0.2.7 it was us"], screen.watch.orders()


@case
def only_what_the_buttons_say_is_passed_on():
    with Screen().ready(0) as screen:
        incident_write(screen.history, 1, ["a.test"])
        csrf = screen.csrf("/incidents/1")

        def order(text, why="", back="/"):
            body = urlencode({"csrf": csrf, "order": text, "why": why, "back": back})
            return screen.ask("/orders", "POST", body, Content_Type="application/x-www-form-urlencoded")

        for text in ("", "unban", "unban x", "ban 192.0.2.1 0 - x", "unban 192.0.2.1\nban 192.0.2.2 0 - x", "open a b", "open", "lift x", "lift 1 2", "for 0 unban 192.0.2.1",
                     "status", "lift -1", "unban 192.0.2.1 extra", "open " + "x" * 300):
            assert order(text)[0] == 303
        assert screen.watch.orders() == [], screen.watch.orders()
        order("lift 7", "line\none\r\ntwo\t\x00three")
        order("open a.test", "w" * 1000)
        wait_for(lambda: len(screen.watch.orders()) >= 2, "both orders")
        assert len(screen.watch.orders()) == 2 and all("\n" not in line for line in screen.watch.orders()), screen.watch.orders()
        assert screen.watch.orders()[0].startswith(f"for {os.getuid()} lift 7 ")
        assert screen.watch.orders()[1].startswith(f"for {os.getuid()} mode a.test open ")
        for back in ("//evil.example", "http://evil.example", "/\\evil.example", "javascript:alert(1)", "", "/x\r\nSet-Cookie: a=b"):
            _, headers, _ = order("lift 7", back=back)
            assert headers["Location"] == "/" and headers["Set-Cookie"] is None, (back, headers["Location"])


@case
def a_cookie_is_of_no_use_to_another_user():
    if os.getuid() != 0:
        raise Skip("needs root, to become another user")
    with Screen().ready(0) as screen:
        def as_nobody(path, cookie):
            read, write = os.pipe()
            if (child := os.fork()) == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
                screen.cookie = cookie
                os.write(write, b"%d" % screen.ask(path)[0])
                os._exit(0)
            os.close(write)
            os.waitpid(child, 0)
            with os.fdopen(read, "rb") as answer:
                return answer.read()

        assert as_nobody("/", screen.cookie) == b"403"
        assert screen.ask("/")[0] == 200
        path = "/" + screen.new_address().split("/", 3)[3]
        assert as_nobody(path, "") == b"200"
        assert screen.ask(path, cookie=False)[0] == 403


@case
def a_service_manager_hears_of_it():
    with tempfile.TemporaryDirectory(prefix="guia-notify-") as folder:
        path = pathlib.Path(folder) / "notify"
        with Manager(path) as manager, Screen(env={"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "400000"}) as screen:
            wait_for(lambda: manager.said.count(b"WATCHDOG=1") >= 3, "signs of life")
            assert manager.said[0] == b"READY=1", manager.said
            screen.process.terminate()
            wait_for(lambda: b"STOPPING=1" in manager.said, "word of the end")
            assert set(manager.said[1:]) == {b"WATCHDOG=1", b"STOPPING=1"}, manager.said


@case
def methods_and_bodies_that_do_not_belong_are_refused():
    with Screen().ready(0) as screen:
        for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"):
            assert screen.ask("/", method)[0] in (403, 405, 501), method
        assert screen.ask("/orders", "POST", "x" * 100000, Content_Type="application/x-www-form-urlencoded")[0] == 413
        code, headers, text = screen.ask("/", "HEAD")
        assert code == 200 and text == "" and int(headers["Content-Length"]) > 0
        connection = http.client.HTTPConnection("127.0.0.1", screen.port, timeout=120)
        connection.request("GET", "/", headers={"Cookie": screen.cookie, "X": "y" * 40000})
        assert connection.getresponse().status == 431
        connection.close()


main()
