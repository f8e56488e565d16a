# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Every picture that examples/pictures.sh announces, from runs a hundredth as long.
#
# usage: bash pictures.sh SOURCE_ROOT BUILD_ROOT
set -euo pipefail
src=$(realpath "$1")
build=$(realpath "$2")
command -v gnuplot >/dev/null || { echo 'skipped: no gnuplot'; exit 77; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failures=0
wrong() { printf 'wrong: %s\n' "$*"; failures=$((failures + 1)); }

"$src/examples/pictures.sh" "$build" "$scratch/out" 0.01 >/dev/null 2>"$scratch/err" ||
	wrong "it ended with $?"
[ ! -s "$scratch/err" ] || wrong "it said: $(cat "$scratch/err")"
for machine in opteron2350 phenom550; do
	for name in {swim,zeusmp,gcc,gzip,apsi,crafty,fma3d}.{rates,thresholds} overhead switches share; do
		tail -c 16 "$scratch/out/$machine/$name.svg" | grep -q '</svg>' ||
			wrong "$machine/$name.svg is no whole picture"
		tail -c 16 "$scratch/out/$machine/$name.png" | grep -aq IEND ||
			wrong "$machine/$name.png is no whole picture"
	done
	[ "$(wc -l <"$scratch/out/$machine/programs.csv")" = 8 ] ||
		wrong "$machine/programs.csv: $(cat "$scratch/out/$machine/programs.csv")"
done
[ -z "$(find "$scratch/out" -name '*.part')" ] || wrong 'parts stayed behind'
[ "$failures" -eq 0 ]
