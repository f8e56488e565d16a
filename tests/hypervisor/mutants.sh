#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# mutants.sh HYPERVISOR EXAMPLE-DIRECTORY: each fault of mutant.h, built in, must be noticed: by
# the guest's checksum, by an invariant, or because the run stops. CC says what to build with.
set -eu
hypervisor=$1
example=$2
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_qemu plain
# shellcheck disable=SC2034 # lib.sh uses it
TIME_LIMIT=60

guest='rounds=2 work=20 pages=64 yield=1'
modes='shadow flip_every=3 timer_period=20000'
expected=

# How a mutant was noticed in one mode, or nothing.
noticed() {
  status=0
  qemu "$1" "mode=$(echo "$2" | tr _ ' ') $guest" >"$work/log" 2>&1 || status=$?
  if [ "$status" -eq 124 ]; then
    echo "never ended"
  elif [ "$status" -ne 1 ]; then
    sed -n 's/^stop: //p' "$work/log" | grep . || echo "status $status"
  elif [ "$(checksum "$work/log")" != "$expected" ]; then
    echo "checksum"
  fi
}

# The sound one first: nothing to notice, or noticing means nothing.
run "mode=nested $guest" "$work/nested"
expected=$(checksum "$work/nested")
for mode in $modes; do
  how=$(noticed "$hypervisor" "$mode")
  [ -z "$how" ] || fail "without a mutant, mode=$mode: $how"
done

total=0
caught=0
mutants=$(sed -n 's/^	\(MUTANT_[A-Z0-9_]*\),\{0,1\}[ 	]*\/\*.*/\1/p' "$example/mutant.h")
for mutant in $mutants; do
  "$example/build.sh" "$work/mutant" "-DHV_MUTANT=$mutant"
  total=$((total + 1))
  how=
  for mode in $modes; do
    how=$(noticed "$work/mutant" "$mode")
    [ -z "$how" ] || break
  done
  if [ -n "$how" ]; then
    caught=$((caught + 1))
    echo "$mutant: mode=$mode: $how"
  else
    echo "$mutant: SURVIVED"
  fi
done
echo "caught $caught of $total"
[ "$total" -ge 10 ] || fail "only $total mutants found in mutant.h"
[ "$caught" -eq "$total" ] || fail "$((total - caught)) mutants survived"
