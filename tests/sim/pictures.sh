# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Every picture that examples/pictures.sh announces, from runs a hundredth as long.
#
# usage: bash pictures.sh SOURCE_ROOT BUILD_ROOT
. "$(dirname "$0")/../support/check.sh"
src=$(realpath "$1")
build=$(realpath "$2")
command -v gnuplot >/dev/null || skip 'no gnuplot'

"$src/examples/pictures.sh" "$build" "$scratch/out" 0.01 >/dev/null 2>"$scratch/err" ||
	wrong "it ended with $?"
[ ! -s "$scratch/err" ] || wrong "it said: $(cat "$scratch/err")"
picture() {
	tail -c 16 "$scratch/out/$1.svg" | grep -q '</svg>' || wrong "$1.svg is no whole picture"
	tail -c 16 "$scratch/out/$1.png" | grep -aq IEND || wrong "$1.png is no whole picture"
}
picture dgemm
[ "$(wc -l <"$scratch/out/dgemm-linux26-256.csv")" = 4 ] || wrong 'DGEMM: three dimensions expected'
for machine in opteron2350 phenom550; do
	for name in {swim,zeusmp,gcc,gzip,apsi,crafty,fma3d}.{rates,thresholds} overhead switches share; do
		picture "$machine/$name"
	done
	[ "$(wc -l <"$scratch/out/$machine/programs.csv")" = 8 ] ||
		wrong "$machine/programs.csv: $(cat "$scratch/out/$machine/programs.csv")"
done
[ -z "$(find "$scratch/out" -name '*.part')" ] || wrong 'parts stayed behind'
[ "$failures" -eq 0 ]
