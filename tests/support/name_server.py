"""A name server on this machine that has some TXT records."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
from dns.resolver import Resolver


class _Handler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        data, sock = self.request
        query = dns.message.from_wire(data)
        reply = dns.message.make_response(query)
        name = query.question[0].name
        texts = self.server.texts.get(name.to_text())  # type: ignore[attr-defined]
        if texts is None:
            reply.set_rcode(dns.rcode.NXDOMAIN)
        elif texts:
            reply.answer.append(dns.rrset.from_text(name, 60, "IN", "TXT", *texts))
        sock.sendto(reply.to_wire(), self.client_address)


@contextmanager
def serving(texts: Mapping[str, Sequence[str]]) -> Iterator[Resolver]:
    """Give a resolver that asks it. `texts`: records by name; none: the name has no TXT."""
    with socketserver.UDPServer(("127.0.0.1", 0), _Handler) as server:
        server.texts = texts  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            resolver = Resolver(configure=False)
            resolver.nameservers, resolver.port = ["127.0.0.1"], server.server_address[1]
            yield resolver
        finally:
            server.shutdown()
            thread.join()
