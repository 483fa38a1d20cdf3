#!/bin/sh
# The figures of the monitor and of a bridge as others read them: validated against the published JSON schema, and read
# by the parser of Prometheus' own client.
#
#   run.sh INCLUDE LIBDIR
#
# INCLUDE holds network_system.h, LIBDIR libnetwork_system.so. CC names the C compiler. Leaves nothing behind.
. "$(dirname "$0")/../c_program.sh"

build record -D_POSIX_C_SOURCE=199309L
mkdir "$scratch/figures"
timeout 60 "$scratch/record" "$scratch/figures"
PYTHONDONTWRITEBYTECODE=1 python3 "$here/check.py" "$here/../../docs/metrics.schema.json" "$scratch/figures"
