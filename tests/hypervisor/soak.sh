#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# soak.sh HYPERVISOR: a million switches in one run, a switch after every third exit, without a
# wrong byte. Takes minutes; ./dev soak runs it, the test suite does not.
set -eu
hypervisor=$1
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_qemu plain
# shellcheck disable=SC2034 # lib.sh uses it
TIME_LIMIT=3600

guest='rounds=150 work=50 pages=512 yield=1'
run "mode=nested $guest" "$work/nested"
run "mode=flip every=3 $guest" "$work/flip"
count=$(switches "$work/flip")
echo "$count switches, checksum $(checksum "$work/flip")"
[ "$(checksum "$work/flip")" = "$(checksum "$work/nested")" ] ||
  fail "nested paging alone: $(checksum "$work/nested")"
[ "$count" -ge 1000000 ] || fail "only $count switches"
