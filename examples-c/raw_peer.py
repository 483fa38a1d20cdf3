#!/usr/bin/env python3
"""A chat peer that knows nothing of the library: plain TCP, lines of text both ways.

    raw_peer.py HOST PORT      sends what it reads from standard input, prints what it receives
"""
import socket
import sys
import threading

peer = socket.create_connection((sys.argv[1], int(sys.argv[2])))


def print_received():
    while chunk := peer.recv(65536):
        sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()


receiver = threading.Thread(target=print_received)
receiver.start()
for line in sys.stdin.buffer:
    peer.sendall(line)
peer.shutdown(socket.SHUT_WR)  # the server reads the end, and closes
receiver.join()
