"""A cut stops a connection without breaking it."""

import socket

import pytest
from testbed.network import can_cut, cut


def test_a_cut_connection_is_silent_and_then_goes_on(require):
    require(can_cut(), "nft does not work here (as root: apt-get install nftables)")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            there, _ = server.accept()
            with there:
                with cut(port):
                    client.sendall(b"late")
                    there.settimeout(0.5)
                    with pytest.raises(TimeoutError):
                        there.recv(4)
                there.settimeout(60)
                assert there.recv(4) == b"late"
