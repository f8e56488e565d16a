#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# usage: examples/demo.sh BUILD
#
# The whole path on real programs: valgrind records their memory accesses, the simulator runs them
# under both paging modes, the replay says what the controller would have made of it. Then the same
# with a workload that changes its phase, so that there is something to decide. Everything stays
# in BUILD/demo.
set -euo pipefail
build=$1
dav2m=$PWD/$build/tools/dav2m
out=$build/demo
mkdir -p "$out"

# What the cost model palacios2011 charges for a switch, in cycles. The transient after it (cold TLB,
# empty shadow tables) is not in it: a replay of two whole runs cannot see that, the simulator's
# adaptive run does.
switch_cost=2000

say() { printf '\n== %s\n' "$*"; }

# record NAME COMMAND...: the memory accesses of a command, packed
record() {
	local name=$1
	shift
	say "recording $name under valgrind"
	valgrind --tool=lackey --trace-mem=yes --log-fd=9 "$@" 9>&1 >/dev/null </dev/null |
		zstd --quiet --force -1 -o "$out/$name.zst"
}

# compare NAME SIM_ARGUMENT...: simulates, prints the table, replays the pair, draws it
compare() {
	local name=$1
	shift
	say "$name: what each mode costs in the simulator"
	"$dav2m" sim "$@" --record="$out/$name"
	say "$name: what each policy would have cost"
	"$dav2m" replay "$out/$name.shadow.csv" "$out/$name.nested.csv" --fit \
		--switch-cost="$switch_cost" --native="$out/$name.native.csv" --timeline="$out/$name.svg"
	"$dav2m" replay "$out/$name.shadow.csv" "$out/$name.nested.csv" --fit \
		--switch-cost="$switch_cost" --timeline="$out/$name.png" --output="$out/$name.txt"
}

cat src/*.c include/dav2m/*.h README.md >"$out/text"
record gzip gzip -9 -c "$out/text"
record cc1 "$(cc -print-prog-name=cc1)" -quiet -O0 -Iinclude src/drive.c -o /dev/null
compare gzip "$out/gzip.zst"
compare cc1 "$out/cc1.zst"
compare phases --workload phases

say "pictures: $out/gzip.svg $out/cc1.svg $out/phases.svg (and .png)"
