#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# same_checksum.sh HYPERVISOR: however and whenever the guest's paging is switched, it
# computes the same. In between: at least 10,000 switches in one run.
set -eu
hypervisor=$1
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_qemu plain

guest='rounds=3 work=30 pages=512 yield=1'
run "mode=nested $guest" "$work/nested"
expected=$(checksum "$work/nested")
[ -n "$expected" ] || fail "no checksum in the nested run"

most=0
for mode in shadow 'shadow tables=30' \
  'flip every=1' 'flip every=2' 'flip every=3' 'flip every=7' 'flip every=50' \
  'timer period=2999' 'timer period=3001' 'timer period=7001' 'timer period=50021'; do
  run "mode=$mode $guest" "$work/log"
  got=$(checksum "$work/log")
  count=$(switches "$work/log")
  echo "$mode: $count switches, checksum $got"
  [ "$got" = "$expected" ] || fail "mode=$mode: checksum $got, nested paging alone $expected"
  case $mode in
  shadow*) [ "$count" -eq 0 ] || fail "mode=shadow switched" ;;
  *) [ "$count" -gt 100 ] || fail "mode=$mode: only $count switches" ;;
  esac
  [ "$count" -le "$most" ] || most=$count
done
[ "$most" -ge 10000 ] || fail "no run with 10000 switches; the most were $most"

# Another guest must give another checksum, or it says nothing.
run 'mode=nested rounds=3 work=31 pages=512 yield=1' "$work/other"
[ "$(checksum "$work/other")" != "$expected" ] || fail "the checksum does not depend on the work"
