"""What nginx knows by itself and rules are told: the headers that it adds when it sends, and its own address."""
import os

from harness import Gate, case, curl, free_port, main

RULES = """
SecRuleEngine On
SecRule REQUEST_URI "@beginsWith /" "id:1,phase:3,pass,log,msg:'asked %{SERVER_ADDR} %{SERVER_PORT} %{QUERY_STRING};'"
SecRule RESPONSE_HEADERS:Last-Modified "@rx ." "id:2,phase:3,pass,log,msg:'modified %{MATCHED_VAR};'"
SecRule RESPONSE_HEADERS:Content-Length "@rx ." "id:3,phase:3,pass,log,msg:'length %{MATCHED_VAR};'"
"""
DATES = {0: "Thu, 01 Jan 1970 00:00:00 GMT", 951782400: "Tue, 29 Feb 2000 00:00:00 GMT",
         1720641599: "Wed, 10 Jul 2024 19:59:59 GMT", 1735689599: "Tue, 31 Dec 2024 23:59:59 GMT",
         4102444801: "Fri, 01 Jan 2100 00:00:01 GMT"}
PORT, OTHER, WILDCARD = free_port(), free_port(), free_port()
files = {f"www/{when}": "x" * (when % 1000) for when in DATES}
gate = Gate("", start=False, files={"rules.conf": RULES, **files})
for _when in DATES:
    os.utime(gate.folder / f"www/{_when}", (_when, _when))
gate.configure(f"""
server {{
    listen 127.0.0.1:{PORT}; listen 127.0.0.2:{OTHER}; listen {WILDCARD};
    guia on; guia_rules rules.conf; location / {{ alias {gate.folder}/www/; }}
}}
""")
gate.start()


@case("rules see the date and the length that are sent")
def _():
    for when, date in DATES.items():
        reply = curl(f"http://127.0.0.1:{PORT}/{when}")
        assert reply.headers["last-modified"] == date, reply.headers
        assert gate.logged(f"modified {date};")
        assert gate.logged(f"length {reply.headers['content-length']};")


@case("rules see the address that was asked, whatever was asked before")
def _():
    for number, (host, port) in enumerate([("127.0.0.1", PORT), ("127.0.0.2", OTHER), ("127.0.0.1", PORT),
                                           ("127.0.0.3", WILDCARD), ("127.0.0.1", WILDCARD)]):
        curl(f"http://{host}:{port}/0?{number}")
        assert gate.logged(f"asked {host} {port} {number};")


main()
