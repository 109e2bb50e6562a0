"""Where a request comes from: the client's address behind a known number of proxies, cut to its network."""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network

UNKNOWN = "0.0.0.0/24"


def client_network(peer: str | None, forwarded_for: str, hops: int) -> str:
    """The client's /24 (IPv4) or /64 (IPv6) in CIDR form.

    `peer` is the socket's address, `forwarded_for` the joined X-Forwarded-For headers, `hops` how many
    proxies of ours stand in front (TRUST_PROXY). Only that many entries are believed, counted from our side.
    """
    if hops and forwarded_for:
        chain = [peer or "", *(part.strip() for part in reversed(forwarded_for.split(",")))]
        believed = chain[min(hops, len(chain) - 1)]
        return _network(_without_port(believed)) or _network(peer or "") or UNKNOWN
    return _network(peer or "") or UNKNOWN


def _without_port(text: str) -> str:
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text


@lru_cache(maxsize=4096)
def _network(text: str) -> str | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        mapped = address.ipv4_mapped
        if mapped is None:
            return str(ip_network((int(address), 64), strict=False))
        address = mapped
    return str(ip_network((int(address), 24), strict=False))
