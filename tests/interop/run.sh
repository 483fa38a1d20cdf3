#!/bin/sh
# Interop of the library with a peer in Python that shares no code with it, and with OpenSSL.
#
#   run.sh INCLUDE LIBDIR
#
# INCLUDE holds network_system.h, LIBDIR libnetwork_system.so. CC names the C compiler. Leaves nothing behind.
. "$(dirname "$0")/../c_program.sh"

build c_peer
cd "$here"
C_PEER="$scratch/c_peer" PYTHONDONTWRITEBYTECODE=1 python3 -m unittest check_vectors test_server test_client test_tls
