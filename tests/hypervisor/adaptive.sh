#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# adaptive.sh HYPERVISOR PLUGIN: with libdav2m deciding, the guest computes the same, each decision
# is in the log with its reason, and the run costs at most 2 % more cycles than the better of the
# static runs plus what the switches themselves took, and less than the worse one. Cycles are
# modelled (docs/porting.md), so the same on every machine.
set -eu
hypervisor=$1
plugin=$2
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_qemu counted

for mode in nested shadow adaptive; do
  run "mode=$mode $ADAPTIVE_GUEST" "$work/$mode" qemu_counted
  echo "$mode: $(cycles "$work/$mode") cycles, checksum $(checksum "$work/$mode")"
done
for mode in shadow adaptive; do
  [ "$(checksum "$work/$mode")" = "$(checksum "$work/nested")" ] || fail "$mode: another checksum"
done

best=$(cycles "$work/nested")
worst=$(cycles "$work/shadow")
[ "$best" -le "$worst" ] || { keep=$best; best=$worst; worst=$keep; }
adaptive=$(cycles "$work/adaptive")
switching=$(sed -n 's/^ticks:.*; switch cycles: \([0-9]*\);.*/\1/p' "$work/adaptive")
[ "$adaptive" -le $((best + best / 50 + switching)) ] ||
  fail "adaptive took $adaptive cycles, the better static run $best, the switches $switching"
[ "$adaptive" -lt "$worst" ] || fail "adaptive took $adaptive cycles, the worse static run $worst"

grep '^decision:' "$work/adaptive" >"$work/decisions" || fail "no decision in the log"
grep ' switch ' "$work/decisions" || fail "libdav2m never switched: nothing is shown"
form='^decision: tick [0-9]* [A-Za-z]* -> [A-Za-z]*, [a-z][a-z_ -]*, edge [0-9]*, [a-z]* [a-z]*$'
! grep -v "$form" "$work/decisions" || fail "decisions without a reason"
asked=$(grep -c ' switch ' "$work/decisions")
done=$(switches "$work/adaptive")
[ "$asked" -eq "$done" ] || fail "$asked switches decided, $done carried out"

ppm=$(library_ppm "$work/adaptive")
echo "libdav2m: $ppm ppm of all instructions"
[ "$ppm" -lt 1000 ] || fail "libdav2m took $ppm ppm of all instructions"
