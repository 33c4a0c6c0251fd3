#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""google_dhcp.py DEVICE: gives everybody the lease of a machine on Google Cloud: an address
all alone in its network (/32), the way out by option 121, jumbo frames."""
import socket
import struct
import sys

DISCOVER, OFFER, REQUEST, ACK = 1, 2, 3, 5
ADDRESS, GATEWAY, METADATA = map(socket.inet_aton, ("10.128.0.7", "10.128.0.1", "169.254.169.254"))
NOWHERE = bytes(4)
OPTIONS = {
    1: socket.inet_aton("255.255.255.255"),
    3: GATEWAY,
    6: METADATA,  # name server
    12: b"w-1.c.project.internal",
    26: struct.pack("!H", 8896),  # MTU
    42: METADATA,  # NTP
    51: struct.pack("!I", 86400),
    54: METADATA,
    # the gateway is on the link; all else is behind it
    121: bytes([32]) + GATEWAY + NOWHERE + bytes([0]) + GATEWAY,
}


def kind_of(request):
    at = 240
    while at + 2 < len(request) and request[at] != 255:
        if request[at] == 53:
            return request[at + 2]
        at += 2 + request[at + 1] if request[at] else 1
    return None


def reply(request, kind):
    head = struct.pack("!BBBB4sHH4s4s4s4s16s192s4s", 2, 1, 6, 0, request[4:8], 0, 0x8000, NOWHERE,
                       ADDRESS, NOWHERE, NOWHERE, request[28:44], b"", bytes([99, 130, 83, 99]))
    options = {53: bytes([kind]), **OPTIONS}
    return head + b"".join(bytes([n, len(v)]) + v for n, v in options.items()) + b"\xff"


server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
server.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, sys.argv[1].encode())
server.bind(("", 67))
while True:
    request = server.recv(2048)
    kind = {DISCOVER: OFFER, REQUEST: ACK}.get(kind_of(request))
    if kind:
        server.sendto(reply(request, kind), ("255.255.255.255", 68))
