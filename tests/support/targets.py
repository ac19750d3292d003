"""URLs that lead, or might lead, where a webhook must not go."""

# ruff: noqa: RUF001, S104 - odd spellings are what this is about

from typing import Final

_HOSTS: Final = (
    # IPv4, plainly and oddly spelled.
    "127.0.0.1", "127.0.0.2", "127.1", "127.0.1", "0.0.0.0", "0", "2130706433", "017700000001",
    "0x7f000001", "0x7f.0.0.1", "0x7F.1", "0177.0.0.1", "0177.1", "127.0.0.1.", "00127.0.0.1",
    "127。0。0。1", "１２７.0.0.1", "①②⑦.0.0.1", "127.0.0.1%00.example.com", "127.0.0.1%0a",
    "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "100.64.0.1",
    "100.127.255.254", "169.254.169.254", "2852039166", "0xa9fea9fe", "192.0.0.1", "192.0.0.192",
    "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1",
    "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    # IPv6.
    "[::]", "[::1]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
    "[::ffff:a9fe:a9fe]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b::127.0.0.1]",
    "[64:ff9b:1::1]", "[fe80::1]", "[fe80::1%25lo]", "[fec0::1]", "[fc00::1]", "[fd12:3456::1]",
    "[ff02::1]", "[100::1]", "[2001::1]", "[2001:db8::1]", "[2002:7f00:1::]", "[3fff::1]",
    "[5f00::1]",
    # Names of ours.
    "localhost", "LOCALHOST", "localhost.", "ⓛocalhost", "metadata.internal", "half.example",
)  # fmt: skip

FORBIDDEN: Final = (
    *(f"https://{host}/" for host in _HOSTS),
    "https://127.0.0.1:8443/",
    "https://good.example@127.0.0.1/",
    "https://good.example:443@127.0.0.1/",
    "https://user@good.example/",
    "https://good.example\\@127.0.0.1/",
    "https://127.0.0.1\\@good.example/",
    "https://good.example#@127.0.0.1/\\",
    "http://good.example/",
    "https://good.example:22/",
    "https://good.example:6379/",
    "https://good.example:99999/",
    "ftp://good.example/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_INFO",
    "//127.0.0.1/",
    "https:///etc/passwd",
    "https://a b.example/",
    "https://good.example\r\nhost: 127.0.0.1/",
    "",
)
