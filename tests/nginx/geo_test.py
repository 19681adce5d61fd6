"""@geoLookup with a database of MaxMind's format, written here: countries and cities of addresses, and what is none."""
from harness import Gate, case, curl, free_port, main
from mmdb import database

MACAU = {"country": {"iso_code": "MO", "names": {"en": "Macao", "zh-CN": "\u6fb3\u95e8"}},
         "continent": {"code": "AS", "names": {"en": "Asia"}}, "city": {"names": {"en": "Taipa"}},
         "postal": {"code": "999078"}, "location": {"latitude": 22.1987, "longitude": 113.5439}}
DATABASE = database({
    "198.51.100.0/24": MACAU, "203.0.113.128/25": {"country": {"iso_code": "PT", "names": {"en": "Portugal"}}},
    "2001:db8:53::/48": {"country": {"iso_code": "FR", "names": {"en": "France"}}}, "192.0.2.7/32": {"country": {}},
})
RULES = """
SecRuleEngine On
SecGeoLookupDb geo.mmdb
SecRule REMOTE_ADDR "@geoLookup" "id:1,phase:1,pass,log,logdata:'%{GEO.COUNTRY_CODE}|%{GEO.COUNTRY_NAME}|%{GEO.COUNTRY_CONTINENT}|%{GEO.CITY}|%{GEO.POSTAL_CODE}|%{GEO.LATITUDE}|%{GEO.LONGITUDE}'"
SecRule GEO:COUNTRY_CODE "@streq MO" "id:2,phase:1,deny,status:401"
SecRule GEO:COUNTRY_CODE "!@streq MO" "id:3,phase:1,deny,status:402,chain"
    SecRule &GEO "@gt 0"
SecRule REMOTE_ADDR "!@geoLookup" "id:4,phase:1,deny,status:405"
"""
PORT = free_port()
gate = Gate("", start=False, files={"rules.conf": RULES, "geo.mmdb": DATABASE})
gate.configure(f"""
set_real_ip_from 127.0.0.1;
server {{ listen 127.0.0.1:{PORT}; guia on; guia_rules rules.conf; location / {{ empty_gif; }} }}
""")
gate.start()


def status(address):
    return curl(f"http://127.0.0.1:{PORT}/", "-H", f"X-Real-IP: {address}").status


@case("the country of an address is a variable")
def _():
    assert status("198.51.100.7") == 401
    assert gate.logged("MO|Macao|Asia|Taipa|999078|22.198700|113.543900")
    assert status("203.0.113.200") == 402
    assert gate.logged("PT|Portugal|||||")
    assert status("2001:db8:53::1") == 402
    assert gate.logged("FR|France|||||")


@case("an address that the database does not know is no match")
def _():
    for address in ("203.0.113.1", "192.0.2.8", "2001:db8:54::1", "10.0.0.1", "::1"):
        assert status(address) == 405, address
    assert status("192.0.2.7") == 200, "known, with no country"


@case("a database that is none, or is missing, is told by name")
def _():
    for content, name in ((b"no database", "geo.mmdb"), (DATABASE[:-40], "geo.mmdb"), (b"", "geo.mmdb"), (None, "other.mmdb")):
        bad = Gate(f"server {{ listen 127.0.0.1:{free_port()}; guia on; guia_rules rules.conf; }}", start=False,
                   files={"rules.conf": RULES.replace("geo.mmdb", name)})
        if content is not None:
            bad.write(name, content)
        accepted, said = bad.check()
        assert not accepted and name in said and "rules.conf:3:" in said, (content, said)
        bad.close()


@case("without a database nothing is known of any address")
def _():
    port = free_port()
    bare = Gate(f"server {{ listen 127.0.0.1:{port}; guia on; guia_rules rules.conf; location / {{ empty_gif; }} }}",
                files={"rules.conf": RULES.replace("SecGeoLookupDb geo.mmdb\n", "\n")})
    assert curl(f"http://127.0.0.1:{port}/").status == 405


if __name__ == "__main__":
    main()
