#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# usage: examples/demo.sh BUILD
#
# The whole path on real programs: their memory accesses are recorded, the simulator runs them
# under both paging modes and under the controller, the replay says what every policy would have
# made of the pair. Then the same with a workload that changes its phase, so that there is
# something to decide. Everything stays in BUILD/demo.
set -euo pipefail
build=$1
source=$PWD
dav2m=$PWD/$build/tools/dav2m
out=$PWD/$build/demo
mkdir -p "$out"
cd "$out"

say() { printf '\n== %s\n' "$*"; }

# record NAME COMMAND...: the memory accesses of a command, and of all that it starts
record() {
	local name=$1
	shift
	"$dav2m" trace -o "$name.dav2m" -- "$@" >/dev/null </dev/null
}

# compare NAME SIM_ARGUMENT...: simulates, replays the pair, draws it. The preset is the paper's
# controller, repaired: its thresholds can be drawn and its reasons told in a line.
compare() {
	local name=$1 replay
	shift
	"$dav2m" sim --preset=repaired "$@" --record="$name" --format=csv --output="$name.sim.csv"
	replay=(replay "$name.shadow.csv" "$name.nested.csv" --preset=repaired --fit --native="$name.native.csv"
		--format=csv)
	"$dav2m" "${replay[@]}" --timeline="$name.svg" --decisions="$name.decisions.csv" \
		--output="$name.replay.csv"
	"$dav2m" "${replay[@]}" --timeline="$name.png" --output="$name.replay.csv"
}

# One line of the table: what each policy costs over native, in percent.
row() {
	awk -F, -v name="$1" '
		$1 == "mode" || $1 == "policy" { for (i = 1; i <= NF; i++) column[$i] = i }
		{ over[$1] = $column["over_native_percent"] }
		$1 == "native" { work = $column["instructions"] }
		$1 == "adaptive" { switches = $column["mode_switches"] }
		END { printf "%-8s %12.1f %8.1f %8.1f %9.1f %9d %10.1f %8.1f %8.1f %11.1f\n", name,
			work / 1e6, over["static shadow"], over["static nested"], over["adaptive"],
			switches, over["preset repaired"], over["preset bounded"],
			over["preset paper"], over["hindsight"] }' "$1.sim.csv" "$1.replay.csv"
}

table() {
	cat <<-'END'

	Cycles over native, in percent
	          instructions    one mode only     controller, run             presets, replayed     best in
	program              M   shadow   nested      live  switches   repaired  bounded    paper   hindsight
	------------------------------------------------------------------------------------------------------
	END
	for name in "$@"; do row "$name"; done
	cat <<-'END'

	live: the controller, preset repaired, switched the simulated machine. Replayed: decisions choose
	tick by tick between the two recordings, and a switch costs what the simulator measured. paper: the
	controller as published, repaired: with its gaps closed, bounded: the library's default, which is
	made for longer runs; the best in hindsight knows the whole recording beforehand.
	END
}

# What the controller chose and why, from the replay's decisions; at most so many switches.
chosen() {
	local shown=4
	printf '\n%s, replayed with the preset repaired: what was chosen, and why\n' "$1"
	awk -F, -v shown="$shown" '
		NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
		{ reason = $column["reason"]; to = $column["switch_to"]; tick = $column["tick"] }
		probe && reason == "probe_kept" { print "           kept: its CPI is not higher"; probe = 0 }
		to == "" { next }
		++switches > shown { probe = 0; next }
		reason == "exits_above" { why = "more paging exits than threshold_vmexit"; probe = 1 }
		reason == "misses_above" { why = "more TLB misses than threshold_tmiss"; probe = 1 }
		reason == "probe_worse" { why = "back: its CPI is higher"; probe = 0 }
		reason == "probe_aborted" { why = "back: it plainly costs more"; probe = 0 }
		{ printf "  tick %4d  to %s: %s\n", tick, to, why }
		END {
			if (switches > shown) printf "  and %d more\n", switches - shown
			if (!switches) print "  nothing: the first mode stayed"
		}' "$1.decisions.csv"
}

# What that was worth, against what a person can choose today.
worth() {
	awk -F, 'function versus(part, whole, text) {
			share = 100 * (part / whole - 1)
			printf "%.1f %% %s cycles than %s", share < 0 ? -share : share,
				share < 0 ? "fewer" : "more", text
		}
		$1 == "policy" { for (i = 1; i <= NF; i++) column[$i] = i }
		{ cycles[$1] = $column["cycles"] }
		END {
			printf "  worth: "
			versus(cycles["preset repaired"], cycles["static shadow"], "shadow alone\n         ")
			versus(cycles["preset repaired"], cycles["static nested"], "nested alone\n         ")
			versus(cycles["preset repaired"], cycles["hindsight"], "the best in hindsight\n")
		}' "$1.replay.csv"
}

say 'recording gzip, a compiler and a shell script with all that it starts'
cat "$source"/src/*.c "$source"/src/host/*.c "$source"/include/dav2m/*.h "$source"/tools/*.c >text
record gzip gzip -9 -c text &
gzip=$!
record cc1 "$(cc -print-prog-name=cc1)" -quiet -O0 -I"$source/include" "$source/src/drive.c" \
	-o /dev/null
wait "$gzip"
# shellcheck disable=SC2016 # the script expands it
record script sh -c 'for file; do grep -c static "$file"; wc -l <"$file"; done' sh "$source"/{src,src/host,tools}/*.c

say 'simulating native, shadow, nested and the controller; replaying the pairs'
for name in gzip cc1 script; do
	compare "$name" "$name.dav2m"
done
compare phases --workload phases

table gzip cc1 script phases
for name in gzip cc1 script phases; do
	chosen "$name"
	worth "$name"
done
say "pictures, recordings and results: $build/demo/ (phases.svg and phases.png first)"
