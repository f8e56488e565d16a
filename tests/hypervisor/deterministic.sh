#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# deterministic.sh HYPERVISOR PLUGIN: two runs under -icount give the same log, byte by byte.
set -eu
hypervisor=$1
plugin=$2
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_qemu counted

for mode in 'timer period=20011' 'adaptive window_inst=100000'; do
  command_line="mode=$mode verbose=1 rounds=2 work=50 pages=512"
  run "$command_line" "$work/first" qemu_counted
  run "$command_line" "$work/second" qemu_counted
  diff "$work/first" "$work/second" || fail "$mode: logs differ"
  grep -q '^checksum: 0x' "$work/first" || fail "$mode: a log without its end"
  echo "$mode: $(wc -l <"$work/first") lines, identical"
done
