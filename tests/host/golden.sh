# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Golden replays: the committed recordings of tests/data give the committed results, to the last
# cycle and decision. After a change that is meant, run it with a third argument, "update", and
# read the difference.
#
# usage: bash golden.sh SOURCE_ROOT DAV2M [update]
. "$(dirname "$0")/../support/check.sh"
data=$(realpath "$1")/tests/data
dav2m=$(realpath "$2")
mode=${3:-compare}

# golden NAME RECORDING OPTION...
golden() {
	local name=$1 recording=$2 file
	shift 2
	"$dav2m" replay "$data/$recording-shadow.csv" "$data/$recording-nested.csv" "$@" \
		--format=json -o "$scratch/$name.json" --decisions="$scratch/$name.csv"
	# Only ticks in which something happened: the others repeat the recording.
	awk -F, 'NR == 1 || $7 != 0 || $9 != ""' "$scratch/$name.csv" >"$scratch/$name.decisions.csv"
	for file in "$name.json" "$name.decisions.csv"; do
		if [ "$mode" = update ]; then
			cp "$scratch/$file" "$data/$file"
		elif ! diff -u "$data/$file" "$scratch/$file"; then
			wrong "$file differs from tests/data/$file"
		fi
	done
}

golden gcc-repaired gcc --preset=repaired
golden gcc-paper gcc --preset=paper
golden gcc-bounded gcc --preset=bounded
golden gcc-eager gcc --preset=repaired --set=threshold_vmexit=2000 --set=threshold_tmiss=2e5 --set=window_tmiss=4
golden burst-repaired burst --preset=repaired --native=45e9 --start=nested
[ "$failures" -eq 0 ]
