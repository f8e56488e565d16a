# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# `dav2m contest` end to end on a small matrix: relations that hold whatever the policies do, the
# same parameters in all cells, the same result every time, and what it says to bad input.
#
# usage: bash cli.sh SOURCE_ROOT DAV2M
. "$(dirname "$0")/../support/check.sh"
src=$(realpath "$1")
dav2m=$(realpath "$2")
cd "$scratch"
tested=("$dav2m" contest)

# each CONDITION: awk over the rows of `runs`, columns by name as v["name"]; says which rows fail
each() {
	checks=$((checks + 1))
	awk -F, '!/^#/ && !head { head = 1; for (i = 1; i <= NF; i++) name[i] = $i; next }
		/^#/ { next }
		{ for (i = 1; i <= NF; i++) v[name[i]] = $i; rows++
		  if (!('"$1"')) { print; bad = 1 } }
		END { exit bad || !rows }' runs >rows || wrong "not $1: $(head -n 3 rows)"
}

gcc=("$src/tests/data/gcc-shadow.csv" "$src/tests/data/gcc-nested.csv")
small=('--workloads=aim-exec,spec-gzip,gcc,alike,adversary' '--models=palacios2011,dear-switch')
expect 0 '' "${small[@]}" --recordings=kept --show=runs --format=csv "${gcc[@]}"
cp out runs
columns_documented "$src/man/dav2m-contest.1" runs

# 5 workloads under 2 models, and a recording
expect 0 '' --list
policies=$(awk '/^policies/ { on = 1; next } !NF { on = 0 } /^  [^ ]/ && on' out | wc -l)
[ "$(grep -cv '^#' runs)" -eq $((11 * policies + 1)) ] || wrong "rows: $(grep -cv '^#' runs)"
each 'v["cycles"] >= v["hindsight_cycles"]'
each 'v["best_static_cycles"] >= v["hindsight_cycles"]'
each 'v["workload"] == "adversary" || v["policy"] !~ /^static/ || v["cycles"] >= v["best_static_cycles"]'
each 'v["policy"] !~ /^static/ || v["switches_to_nested"] + v["switches_to_shadow"] == 0'
each 'v["wrong_mode_percent"] >= 0 && v["wrong_mode_percent"] <= 100'
each 'v["probing_percent"] >= 0 && v["probing_percent"] <= 100'
# Switches lead to and fro.
each '(v["switches_to_nested"] - v["switches_to_shadow"]) ^ 2 <= 1'

# Bounded or not, a policy is somewhere; only who is bounded has a bound, and is within it.
each 'v["bare_bound_percent"] ~ /^[0-9]/'
each 'v["policy"] == "preset bounded" || v["bound_percent"] == ""'
each 'v["policy"] != "preset bounded" || v["bound_percent"] > 0 && v["bound_percent"] <= 100'

# One of the static modes is the best static mode, unless each has its own adversary.
awk -F, '!/^#/ && $1 != "adversary" && $3 ~ /^static/ && $5 == $7 { best++ } END { exit best != 9 }' \
	runs || wrong 'the best static mode is not one of the two'
# Whatever runs against the adversary runs in the wrong mode.
awk -F, '$1 == "adversary" && $3 ~ /^static/ && $8 < 5 { bad = 1 } END { exit bad }' runs ||
	wrong 'the adversary lets a static mode get away'

# No cell has parameters of its own.
awk -F, '!/^#/ && head++ { print $3 "," $4 }' runs | sort -u >parameters
[ "$(wc -l <parameters)" -eq "$policies" ] || wrong "a cell has its own parameters: $(cat parameters)"
[ "$(cut -d, -f2 parameters | sort -u | wc -l)" -eq "$policies" ] || wrong 'two policies are one'

# Again, from the kept recordings and without: the same to the last digit.
find kept -name '*.csv' | sort >kept.txt
[ "$(wc -l <kept.txt)" -eq 4 ] || wrong "kept: $(cat kept.txt)"
expect 0 '' "${small[@]}" --recordings=kept --show=runs --format=csv "${gcc[@]}"
cmp -s out runs || wrong 'kept recordings give another result'
expect 0 '' "${small[@]}" --show=runs --format=csv "${gcc[@]}"
cmp -s out runs || wrong 'the same contest gives another result'
gzip=("$(grep 'gzip.*shadow.csv' kept.txt)" "$(grep 'gzip.*nested.csv' kept.txt)")
expect 0 '' --workloads=none --show=runs --format=csv "${gzip[@]}"
awk -F, 'NR == 1 || $3 ~ /^static/' out | cut -d, -f5-7 >plain
# (bounded and the randomized work function may throw coins, and a file has its own)
diff <(awk -F, '!/^#/ && !/bounded|random/ { print $3, $5 }' out) \
	<(awk -F, '!/^#/ && !/bounded|random/ && (!head++ || $1 $2 == "spec-gzippalacios2011") { print $3, $5 }' runs) ||
	wrong 'a kept recording, given as a file, is another one'

# Compressed, it is the same, but for its name.
for tool in gzip xz zstd; do
	command -v "$tool" >/dev/null || continue
	"$tool" -c "${gzip[0]}" >packed.shadow
	"$tool" -c "${gzip[1]}" >packed.nested
	expect 0 '' --workloads=none --policies='static shadow,static nested' --show=runs --format=csv \
		packed.shadow packed.nested
	cut -d, -f5-7 out | cmp -s - plain || wrong "$tool: $(cat out)"
done

# What speaks against given recordings is told beside whatever is shown; nothing speaks against gcc's.
expect 0 '' --workloads=none "${gcc[@]}"
! grep -E 'short|rows of|interrupted' out || wrong 'notes on a recording that has all it needs'
# 12 rows of 2.5e5 are 0.12 windows of bounded's.
fine() {
	printf '# dav2m counter trace 1\n# mode: %s\n# progress_unit: instructions\n' "$1"
	printf '# switch_cost_to_%s_cycles: 1000\n' shadow nested
	[ "$1" = shadow ] || echo '# interrupted: yes'
	echo progress,cycles,paging_exits
	for _ in $(seq 12); do echo "250000,300000,$2"; done
}
fine shadow 5 >fine-shadow.csv
fine nested '' >fine-nested.csv
given=(fine-shadow.csv fine-nested.csv)
for show in --show=policies --show=workloads --show=cells --show=runs --sensitivity; do
	expect 0 '' --workloads=none "$show" --format=csv "${given[@]}"
	# Elsewhere the policies are columns.
	[[ $show = *=[cw]* ]] || columns_documented "$src/man/dav2m-contest.1" out
	for note in 'interrupted: the recordings hold the beginning' \
		'short: only 0.1 ticks of window_inst 25000000; a controller needs window_trans (100)' \
		'rows of 250000 of progress; policies look at each row, and are made for 25000000'; do
		grep -qF "# fine-shadow.csv: $note" out || wrong "$show: no '$note' in: $(grep '^#' out)"
	done
done

# What a policy sees changes what it does, not what a mode costs.
expect 0 '' --workloads=gcc --show=runs --format=csv
awk -F, '$3 ~ /^static/ { print $1, $2, $5 }' out >static.clear
awk -F, '!/^#/ { print $3, $5 }' out >all.clear
for view in --noise=10 --hide=walk_cycles,tlb_flushes --lose=8; do
	expect 0 '' --workloads=gcc --show=runs --format=csv "$view"
	awk -F, '$3 ~ /^static/ { print $1, $2, $5 }' out | cmp -s - static.clear ||
		wrong "$view changes what a static mode costs"
	! awk -F, '!/^#/ { print $3, $5 }' out | cmp -s - all.clear || wrong "$view changes nothing"
done

# The three tables agree.
few=('--workloads=gcc,adversary' '--models=palacios2011,dear-switch' --format=csv "${gcc[@]}")
awk -F, '!/^#/ && head++ && $1 !~ /^(aim-exec|spec-gzip|alike)$/ { sum[$3] += $8; n[$3]++ }
	END { for (p in sum) printf "%s %.1f\n", p, sum[p] / n[p] }' runs | sort >means
expect 0 '' "${few[@]}"
awk -F, '!/^#/ && head++ { printf "%s %.1f\n", $1, $2 }' out | sort | diff - means >difference ||
	wrong "means differ: $(cat difference)"
expect 0 '' "${few[@]}" --show=cells
[ "$(grep -cv '^#' out)" -eq 6 ] || wrong "cells: $(wc -l <out) lines"
expect 0 '' "${few[@]}" --show=workloads
[ "$(grep -cv '^#' out)" -eq 4 ] || wrong "workloads: $(wc -l <out) lines"
expect 0 '' --workloads=gcc --models=modern --format=json
grep -q '"policy": "static shadow"' out || wrong 'json lacks a policy'
grep -q '1 cell:' out || wrong "one cell is called: $(cat out)"
expect 0 '' --workloads=gcc --models=modern -o table
[ ! -s out ] || wrong '-o still prints'
grep -q 'static nested' table || wrong '-o: no table'
rm table

# On the trace that thresholds freeze on the bounded preset is within its bound as well. The rows are
# what --recordings keeps of one run of it: simulating it takes longer than all else here.
mkdir freeze
for mode in shadow nested; do
	cp "$src/tests/data/freeze-$mode.csv" "freeze/freeze.opteron2350.palacios2011.$mode.csv"
done
expect 0 '' --workloads=freeze --models=palacios2011,dear-switch,cheap-switch --recordings=freeze \
	--policies='preset bounded' --show=runs --format=csv
[ "$(find freeze -type f | wc -l)" -eq 2 ] || wrong "freeze was simulated: $(ls freeze)"
cp out runs
each 'v["policy"] != "preset bounded" || v["bound_percent"] > 0 && v["bound_percent"] <= 100'
[ "$(grep -c 'preset bounded' runs)" -eq 3 ] || wrong "freeze: $(cat runs)"
expect 0 '' --workloads=gcc,fast,saw
grep -q '^preset bounded: 0 cells beyond the proven bound, the nearest to it at [0-9]' out ||
	wrong "no word of the bound: $(cat out)"
[ "$(grep -c 'proven bound' out)" -eq 1 ] || wrong 'a policy without a bound has one'

# Sensitivity: a row for each parameter that moves something, and for each view.
expect 0 '' --workloads=gcc,saw --models=palacios2011 --policies='preset repaired' --sensitivity \
	--format=csv
grep -q '^threshold_vmexit,10000,' out || wrong "no threshold_vmexit: $(cat out)"
[ "$(grep -cE '^(noise|1 sample|no|neither)' out)" -eq 6 ] || wrong "views: $(cat out)"
base=$(awk -F, '$1 == "threshold_vmexit" { print $5 }' out)
awk -F, -v base="$base" '!/^#/ && head++ && $2 != "" && $5 != base { bad = 1 } END { exit bad }' out ||
	wrong 'a parameter as it is gives something else'
expect 0 '' --workloads=gcc,saw --models=palacios2011 --policies='preset repaired' --format=csv
awk -F, -v base="$base" '$1 == "preset repaired" { exit $2 != base }' out ||
	wrong "the sensitivity's base is not the contest's"

# Drawn by lot: beside the others or alone, the same whenever, others with another seed.
alone=(--workloads=none --models=dear-switch --show=runs --format=csv)
cells() { awk -F, '!/^#/ && head++ { print $1 "," $2 }' out | sort -u; }
expect 0 '' "${alone[@]}" --drawn=12
cp out drawn
[ "$(cells)" = "$(printf 'drawn-1-%s,dear-switch\n' {1..12} | sort)" ] ||
	wrong "drawn: $(cells)"
expect 0 '' "${alone[@]}" --drawn=12:1
cmp -s out drawn || wrong 'the default seed of --drawn is not 1, or draws differ'
expect 0 '' "${alone[@]}" --drawn=11 # none of them depends on how many there are
grep -v '^drawn-1-12,' drawn | cmp -s - out || wrong 'how many are drawn changes what is drawn'
expect 0 '' "${alone[@]}" --drawn=12:2
sed 's/drawn-2-/drawn-1-/' out | cut -d, -f1-3,6- >drawn.2
[ "$(cut -d, -f1-3,6- drawn | grep -cFxf drawn.2)" -eq 1 ] || wrong 'two seeds draw alike'
expect 0 '' --workloads=gcc,burst --models=modern --drawn=2:4294967295 --show=cells --format=csv
[ "$(awk -F, '!/^#/ && head++ { printf "%s ", $1 }' out)" = \
	'gcc burst drawn-4294967295-1 drawn-4294967295-2 ' ] || wrong "beside: $(cells)"
# One of them by its name is what it is among the others; twice named is once there.
expect 0 '' --workloads=drawn-1-7 --models=dear-switch --show=runs --format=csv
grep '^workload,\|^drawn-1-7,' drawn | cmp -s - out || wrong "drawn-1-7 by itself is another one: $(cat out)"
expect 0 '' --workloads=gcc,drawn-2-1,drawn-1-2,drawn-2-1 --drawn=2 --models=modern --show=cells --format=csv
[ "$(awk -F, '!/^#/ && head++ { printf "%s ", $1 }' out)" = 'gcc drawn-2-1 drawn-1-2 drawn-1-1 ' ] ||
	wrong "named and drawn: $(cat out)"
expect 0 '' --workloads=none --drawn=1 --show=runs --format=csv "${gcc[@]}"
[ "$(cells | wc -l)" -eq 6 ] || wrong "beside a recording: $(cells)"

# Another seed draws everything else anew, and keeps its recordings beside the others.
seeded=('--workloads=spec-gzip,gcc,adversary' --models=palacios2011 --show=runs --format=csv)
expect 0 '' "${seeded[@]}" --recordings=kept
cp out seed.1
expect 0 '' "${seeded[@]}" --seed=1
cmp -s out seed.1 || wrong 'the default seed is not 1'
expect 0 '' "${seeded[@]}" --recordings=kept --seed=2
for workload in spec-gzip gcc; do
	[ "$(grep -c "^$workload,.*,static" out)" -eq 2 ] || wrong "no $workload"
	grep "^$workload,.*,static" out | while read -r row; do
		! grep -qFx "$row" seed.1 || exit 1
	done || wrong "--seed does not draw $workload anew"
done
cp out seed.2
find kept -name 'spec-gzip.opteron2350.palacios2011.seed-2.*.csv' | sort >kept.2
[ "$(wc -l <kept.2)" -eq 2 ] || wrong "kept with another seed: $(ls kept)"
find kept -name '*.csv' ! -name '*.seed-2.*' | sort | cmp -s - kept.txt || wrong "kept: $(ls kept)"
expect 0 '' "${seeded[@]}" --recordings=kept --seed=2
cmp -s out seed.2 || wrong 'kept recordings of another seed give another result'
# Coins, and the noise of the view: the drawn lists themselves stay as they are.
for policy in 'randomized work function' 'overhead vote'; do
	for noise in 0 10; do
		played=("${alone[@]}" --drawn=5 "--policies=$policy" "--noise=$noise")
		expect 0 '' "${played[@]}"
		cp out seed.1
		expect 0 '' "${played[@]}" --seed=2
		same=$(cmp -s out seed.1 && echo 1 || echo 0)
		[ "$policy $noise" != 'overhead vote 0' ] || same=$((1 - same))
		[ "$same" -eq 0 ] || wrong "--seed moves what it should not, or not what it should: $policy, noise $noise"
		[ "$(cut -d, -f6,7 out)" = "$(cut -d, -f6,7 seed.1)" ] || wrong '--seed changes a drawn list'
	done
done

if command -v gnuplot >/dev/null; then
	expect 0 '' --workloads=gcc --models=modern --picture=p.svg
	grep -q '</svg>' p.svg || wrong 'p.svg is no whole picture'
	grep -q 'overhead vote' p.svg || wrong 'p.svg lacks a policy'
else
	echo 'left out: no gnuplot'
fi

# Bad input, and nothing half-written
expect 2 "'xml' is not table" --format=xml
expect 2 "'all' is not policies" --show=all
expect 2 "no counter is named 'cycle'" --hide=cycle
expect 2 "'x' is not a number" --noise=x
expect 2 "'60' is not a number in" --noise=60
expect 2 '1 would leave no sample' --lose=1
for bad in 1.5 8.0 -8 1e3 1000001 '' 8x; do
	expect 2 "--lose: '$bad' is not a whole number from 0 to 1000000" "--lose=$bad"
done
for bad in 0.001 1.234 -1 nan; do
	expect 2 "--noise: '$bad' is not a number in" "--noise=$bad"
done
expect 0 '' --workloads=gcc --models=modern --noise=0.07 -o table
rm table
expect 2 'has no partner' one.csv
expect 2 'neither in .svg nor in .png' --picture=x.jpg
expect 2 'draws no picture' --picture=x.svg --sensitivity
for ignored in --show=cells --hide=walk_cycles --noise=1 --lose=8; do
	expect 2 'goes without --show, --hide, --noise and --lose' --workloads=gcc --sensitivity "$ignored" -o table
done
for ignored in --show=cells --workloads=gcc --sensitivity --seed=2; do
	expect 2 'list goes with --output only' --list "$ignored" -o table
done
expect 2 'list goes with --output only' --list "${gcc[@]}" -o table
expect 2 'recordings of your own have their own prices' --workloads=none --models=modern "${gcc[@]}" -o table
for policy in 'overhead vote' 'preset paper,preset repaired'; do
	expect 2 "'$policy' is not one of the controller's presets" --sensitivity \
		"--policies=$policy" --workloads=gcc -o table
done
expect 2 "no policy 'best'" --sensitivity --policies=best --workloads=gcc -o table
expect 1 'no/such/p.svg.part: cannot create' --workloads=gcc --picture=no/such/p.svg -o table
expect 2 "no policy 'best'" --policies='static shadow,best' -o table
expect 2 "no workload 'swims'" --workloads=swims -o table
expect 2 "no cost model 'free'" --models=free -o table
expect 2 "no cost model ''" --models= -o table
expect 2 'none needs recordings or --drawn' --workloads=none -o table
expect 2 "'0' does not begin with a whole number from 1 to 1000" --drawn=0 -o table
for bad in 1001 x '' 3x -3 +3 ' 3' 1.5 1e2 :7 99999999999999999999; do
	expect 2 "'$bad' does not begin with a whole number" "--drawn=$bad" -o table
done
for bad in '' x -1 7x 4294967296 99999999999999999999 1:2; do
	expect 2 "seed '$bad' is not a whole number from 0 to 4294967295" "--drawn=3:$bad" -o table
	expect 2 "'$bad' is not a whole number from 0 to 4294967295" "--seed=$bad" -o table
done
for bad in drawn-1-0 drawn-1-1001 drawn-1 drawn-1-01 drawn-01-1 drawn-1-1x drawn--1-1 drawn-4294967296-1; do
	expect 2 "no workload '$bad'" "--workloads=$bad" -o table
done
expect 2 "no workload 'none'" --workloads=none,gcc -o table
expect 1 'none.csv: No such file\|none.csv: cannot' --workloads=none none.csv "${gcc[1]}" -o table
# At once, not after all else has been simulated.
expect 1 'none.csv: No such file' none.csv "${gcc[1]}" -o table
cp "${gcc[0]}" shadow.csv
expect 1 'shadow.csv: this output would overwrite' --workloads=none shadow.csv "${gcc[1]}" -o ./shadow.csv
cmp -s shadow.csv "${gcc[0]}" || wrong 'an input was overwritten'
expect 1 'mode is' --workloads=none "${gcc[1]}" "${gcc[0]}" -o table
grep -v '^# switch' "${gcc[0]}" >no-cost-shadow.csv
grep -v '^# switch' "${gcc[1]}" >no-cost-nested.csv
expect 1 'what a switch costs' --workloads=none no-cost-shadow.csv no-cost-nested.csv -o table
mkdir broken
cp "${gzip[@]}" broken
sed -i 's/^[0-9][0-9]*,/x,/' "broken/$(basename "${gzip[1]}")"
expect 1 'progress must be a whole number' --workloads=spec-gzip --models=palacios2011 \
	--recordings=broken -o table
expect 1 'cannot create' --workloads=spec-gzip --recordings=no/such -o table
expect 1 'out: cannot create: File exists' --workloads=gcc --recordings=out -o table
mkdir locked
chmod a-w locked
# root may write everywhere
[ -w locked ] || expect 1 'recordings: locked: cannot write there' --workloads=spec-gzip --recordings=locked -o table
[ ! -e table ] || wrong 'a failed contest wrote its table'

# The list's columns are as wide as their names; what it cites is there for everybody.
expect 0 '' --list
awk '/^[a-z]/ { section = $0; at = 0 }
	section != "policies" && /^  / { match($0, /^  [^ ]+ +/); if (at && RLENGTH != at) bad = 1; at = RLENGTH }
	/[^ ]+\.[ch]( |$)/ { bad = 1 }
	END { exit bad }' out || wrong "the list: $(cat out)"
grep -q '^  drawn-SEED-N ' out || wrong 'the list lacks drawn workloads'

# The list says where each peer comes from; the manual has the options that --help has.
"$dav2m" contest --list >list
[ "$(grep -c 'source:' list)" -eq "$(grep -c 'inferred:' list)" ] || wrong 'a peer says too little'
documented "$src/man/dav2m-contest.1" "$dav2m" contest
finish "$checks"
