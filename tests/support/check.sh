# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What test scripts share: a scratch directory that goes away with them, counting what is wrong, and
# trying commands. Sourced first; what a test leaves out it says, what it finds wrong it prints.
set -euo pipefail

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
checks=0
failures=0

# This machine lacks what the test needs.
skip() { printf 'skipped: %s\n' "$*"; exit 77; }
# The test goes on, and fails in the end; with fail it ends at once.
wrong() { printf 'wrong: %s\n' "$*"; failures=$((failures + 1)); }
fail() { printf 'wrong: %s\n' "$*"; exit 1; }

absent() { [ ! -e "$1" ] || wrong "$1 was written"; }

# expect CODE PATTERN ARG...: runs the command under test in this directory, with the programs of
# tool_path: exit code, and what stderr must match; no pattern: no stderr. Leaves out and err.
tested=()
tool_path=$PATH
expect() {
	local code=$1 pattern=$2 got=0 command
	shift 2
	checks=$((checks + 1))
	command="${tested[*]##*/} $*"
	PATH=$tool_path "${tested[@]}" "$@" >out 2>err </dev/null || got=$?
	[ "$got" -eq "$code" ] || wrong "$command ended with $got, not $code: $(cat err)"
	if [ -n "$pattern" ]; then grep -q -- "$pattern" err; else [ ! -s err ]; fi ||
		wrong "$command: no '$pattern' in: $(cat err)"
	[ -z "$(find . -name '*.part')" ] || wrong "$command left $(find . -name '*.part')"
}

# documented PAGE COMMAND...: the manual page has every option of COMMAND's --help, and no other
documented() {
	local page=$1 common='^--(help|usage|version)$'
	shift
	checks=$((checks + 1))
	"$@" --help | grep -oE -- '--[a-z-]+' | grep -vE -- "$common" | sort -u >"$scratch/options"
	grep '^\.It ' "$page" | grep -oE 'Fl -[a-z-]+' | sed 's/Fl /-/' | grep -vE -- "$common" |
		sort -u >"$scratch/manual"
	diff "$scratch/options" "$scratch/manual" >"$scratch/difference" ||
		wrong "$page and --help differ: $(cat "$scratch/difference")"
}

# columns_documented PAGE CSV: under COLUMNS the manual page names every column of the file
columns_documented() {
	checks=$((checks + 1))
	awk '/^\.Sh / { on = $2 == "COLUMNS" } on && /^\.(It )?Va / { gsub(/ /, "\n"); print }' "$1" |
		sort -u >"$scratch/named"
	awk '!/^#/ { gsub(/,/, "\n"); print; exit }' "$2" | sort -u >"$scratch/columns"
	[ -s "$scratch/columns" ] || wrong "$2 has no columns"
	comm -13 "$scratch/named" "$scratch/columns" >"$scratch/unnamed"
	[ ! -s "$scratch/unnamed" ] || wrong "$1 does not name $(tr '\n' ' ' <"$scratch/unnamed")"
}

# finish CHECKS: ends the test. Their number keeps an empty test from passing.
finish() {
	[ "$1" -gt 0 ] || wrong 'nothing was there to look at'
	printf '%d looked at, %d wrong\n' "$1" "$failures"
	[ "$failures" -eq 0 ]
}
