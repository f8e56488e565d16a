# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# `dav2m sim` as a person meets it: what it reads, where it finds mistakes, what it writes, and
# that the same input gives the same output.
#
# usage: bash cli.sh SOURCE_ROOT DAV2M
. "$(dirname "$0")/../support/check.sh"
src=$(realpath "$1")
dav2m=$(realpath "$2")
cd "$scratch"
tested=("$dav2m" sim)

# A program of 30000 instructions that walks through 300 pages.
awk 'BEGIN { print "==7== Lackey"; for (i = 0; i < 30000; i++) {
	printf "I  %08x,4\n", 4194304 + (i % 1000) * 4
	if (i % 3 == 0) printf " S %x,8\n", 268435456 + (i % 300) * 4096 } }' >good
{ head -n 100 good; echo ' Q 1000,4'; } >bad
echo '==7== nothing' >empty
printf 'I  ffffffffffff,4\n' >far

# What is read: plain, compressed, from a pipe; all of it is the same program.
expect 0 '' --format csv good
grep -v '^#' out >plain
[ "$(wc -l <plain)" -eq 5 ] || wrong "five lines are expected, not: $(cat plain)"
for tool in gzip xz zstd; do
	command -v "$tool" >/dev/null || continue
	"$tool" -c good >good.compressed
	"$dav2m" sim --format csv - <good.compressed | grep -v '^#' | cmp -s - plain ||
		wrong "$tool input gives something else"
	checks=$((checks + 1))
done
grep -q '^# short: only 0 whole ticks;' out || wrong "no note of a short program: $(cat out)"
expect 0 '' --format csv --window-inst 100 good
! grep short out || wrong '300 ticks are called short'
expect 0 '' --format csv --modes shadow,nested good
! grep short out || wrong 'static modes need no ticks'
[ "$(grep -v '^#' out | cut -d, -f1-3)" = "$(cut -d, -f1-3 plain | grep -v '^native\|^adaptive')" ] ||
	wrong 'a mode counts otherwise without the others'

columns_documented "$src/man/dav2m-sim.1" plain

# Presets keep the proportion of their ticks; what is set stays.
for tick in 'repaired 1000000' 'bounded 250000'; do
	expect 0 '' --preset "${tick% *}" good
	grep -q ", tick ${tick#* } instructions" out || wrong "${tick% *}: $(tail -n 1 out)"
	expect 0 '' --preset "${tick% *}" --window-inst 5000 good
	grep -q ', tick 5000 instructions' out || wrong "${tick% *}: $(tail -n 1 out)"
done

# Cycles by cause add up.
awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
	{ sum = 0; for (c in at) if (c ~ /^(base|walk|exit|fault|switch|sample|swap)_cycles$/) sum += $at[c]
	  if (sum != $at["cycles"]) exit 1 }' plain || wrong 'causes do not add up to cycles'

# Where mistakes are found.
expect 1 'bad:101:1: a record must begin' bad
expect 1 'empty:2:1: the text has no memory record' empty
expect 1 'an address that the guest' far
expect 1 'absent: No such file' absent
expect 2 'a trace or --workload is needed'
expect 2 'a workload or traces, not both' --workload phases good
expect 2 "there is no 'x'; --list" --workload x
expect 2 "there is no 'x'; --list" --machine x good
expect 2 "there is no 'x'; --list" --cost x good
expect 2 "'x' is none of native" --modes native,x good
expect 2 "'' is none of native" --modes native, good
expect 2 "no field" --set nothing=1 good
expect 2 "'window_inst' is not FIELD=VALUE" --set window_inst good
expect 2 'preset must come before' --set window_inst=1e6 --preset paper good
expect 2 'a preset is chosen by --preset' --set preset=paper good
expect 2 "'best' is neither" --start best good
expect 2 'threshold_vmexit has no effect with preset bounded' --preset bounded --set threshold_vmexit=5 good
expect 2 'window_tmiss' --set window_tmiss=1000 good
expect 2 'a whole number in' --window-inst 0 good
expect 2 'a whole number in' --window-inst 1.5 good
expect 2 'a whole number in' --window-inst 5x good
expect 2 'a number in' --scale 0 --workload phases
expect 2 'a number in' --scale nan --workload phases
expect 2 "in steps of 0.0001, not '0.00015'" --scale 0.00015 --workload phases
expect 2 '--seed and --scale go with --workload' --scale 2 good
expect 2 '--seed and --scale go with --workload' --seed 1 good
expect 2 "an even number is expected, not '17'" --guest-memory 17 good
expect 2 'is not a choice' --guest-pages 3k good
expect 2 'needs --guest-tables' --guest-pages 1g --guest-tables 2 good
expect 2 "there is no 'x'; --list" --guest x good
expect 2 'this input has none' --size 100 good
expect 2 'this input has none' --size 100 --workload phases
expect 2 'dgemm has sizes in' --size 99 --workload dgemm
expect 2 'a whole number in' --guest-swap -1 good
expect 2 'is not a choice' --guest-tables 3 good
expect 2 'table, csv or json' --format xml good
expect 1 'no.ini: ' --config no.ini good
expect 1 'ended before its warm-up' --warm-up 1e9 good

expect 2 'only one trace can come from the standard input' - -

# Names that cannot be written are known before minutes of simulating.
for prefix in '' here/; do
	expect 1 "--record: '$prefix' names no file" --record="$prefix" --workload phases --scale 10000
	expect 1 "--pictures: '$prefix' names no file" --pictures="$prefix" --workload phases --scale 10000
done
expect 1 '--record: nowhere/: cannot write there: No such' --record=nowhere/x --workload phases --scale 10000
expect 1 '--pictures: nowhere/: cannot write there: No such' --pictures=nowhere/x good

# What is written: whole or not at all, and not over what is read.
ln good linked
expect 1 'linked: this output would overwrite an input' good -o linked
checks=$((checks + 1))
! "$dav2m" sim - -o good <linked 2>err || wrong 'the standard input was overwritten'
cmp -s good linked || wrong 'an input was overwritten'
expect 0 '' -o result --record rec --window-inst 1000 good
for file in result rec.native.csv rec.shadow.csv rec.nested.csv rec.adaptive.csv; do
	[ -s "$file" ] || wrong "$file was not written"
done
! grep '^# interrupted' rec.*.csv || wrong 'a whole recording says that it is a part'
"$dav2m" replay rec.shadow.csv rec.nested.csv --native rec.native.csv --fit >out 2>&1 ||
	wrong "the recordings cannot be replayed: $(cat out)"
sum() { awk -F, '/^#/ { next } /^progress/ { next } { sum += $1 } END { print sum }' "$1"; }
[ "$(sum rec.shadow.csv)" = 30000 ] || wrong "the recording holds $(sum rec.shadow.csv) instructions"
rm -f rec.* result
expect 1 'bad:101' -o result --record rec bad
absent result
absent rec.shadow.csv
expect 1 'nowhere' --record nowhere/rec good

# Pictures: those of the modes that ran, whole or not at all.
! PATH=$scratch "$dav2m" sim --window-inst 1000 --pictures p good 2>err >out ||
	wrong 'a picture without gnuplot'
grep -q 'gnuplot draws the picture' err || wrong "no gnuplot: $(cat err)"
absent p.rates.svg
expect 1 'within its first tick' --pictures p good
expect 1 'nowhere' --window-inst 1000 --pictures nowhere/p good
if command -v gnuplot >/dev/null; then
	expect 0 '' --window-inst 1000 --modes shadow,nested --pictures p good
	grep -q '</svg>' p.rates.svg || wrong 'p.rates.svg is no whole picture'
	[ "$(head -c 4 p.rates.png | tail -c 3)" = PNG ] || wrong 'p.rates.png is no picture'
	absent p.thresholds.svg
	expect 0 '' --window-inst 1000 --modes adaptive --preset repaired --pictures q good
	absent q.rates.svg
	grep -q threshold_tmiss q.thresholds.svg || wrong 'q.thresholds.svg lacks its thresholds'
	expect 0 '' --window-inst 1000 --modes adaptive --preset bounded --pictures r good
	absent r.thresholds.svg
	{ grep -q '>regret<' r.regret.svg && grep -q '>limit<' r.regret.svg; } ||
		wrong 'r.regret.svg lacks its regret'
	! grep threshold r.regret.svg || wrong 'r.regret.svg has thresholds that its judge does not have'
else
	echo 'left out: no gnuplot'
fi

# Routines: faults are fixed or the guest's own, and nothing natively.
expect 0 '' --routines --format csv good
columns_documented "$src/man/dav2m-sim.1" out
[ "$(grep -v '^#' out | head -n 1)" = mode,routine,calls,mean_cycles,deviation_cycles,most_cycles,least_cycles ] ||
	wrong "columns of --routines: $(cat out)"
awk -F, '$1 == "shadow" { calls[$2] = $3 } $1 == "native" { exit 1 }
	END { exit !(calls["page_fault"] > 200 &&
		calls["page_fault"] == calls["fault_fixed"] + calls["not_a_shadow_fault"]) }' out ||
	wrong "--routines: $(cat out)"

# The same twice; another seed is another run.
workload=(--workload phases --scale 0.001 --modes nested --format csv)
expect 0 '' "${workload[@]}"
cp out first
expect 0 '' "${workload[@]}"
cmp -s out first || wrong 'the same run gives something else'
expect 0 '' "${workload[@]}" --seed 2
! cmp -s out first || wrong 'another seed gives the same'

# Several vCPUs: a row per policy and number, the same twice, and who had which physical CPU.
smp=(--workload file-server --scale 0.05 --format csv)
expect 2 'takes a --workload' --vcpus 2 good
expect 2 'go with --vcpus' --vm-stat --workload file-server
expect 2 'has no swap' "${smp[@]}" --vcpus 2 --guest-swap 64
echo 'window_trans = 50' >c.ini
for option in '--record p' '--pictures p' --routines --characterize '--warm-up 5' '--preset bounded' \
	'--set window_trans=50' '--config c.ini' '--start nested' '--window-inst 1e6' '--modes native'; do
	# shellcheck disable=SC2086 # an option and its argument
	expect 2 'goes without' "${smp[@]}" --vcpus 2 $option
done
for option in '--smp-policy nested' '--domains 1' '--pcpus 2' '--nodes 1' '--placement local'; do
	# shellcheck disable=SC2086 # likewise
	expect 2 'go with --vcpus' "${smp[@]}" $option
done
expect 2 'a whole number in' "${smp[@]}" --vcpus 0
expect 2 'a whole number in' "${smp[@]}" --vcpus 65
expect 2 'a whole number in' "${smp[@]}" --vcpus 1,
expect 2 'a whole number in' "${smp[@]}" --vcpus 1.5
expect 2 "'1.00000000000000001' has too many digits" "${smp[@]}" --vcpus 1.00000000000000001
expect 2 "there is no 'x'; --list" "${smp[@]}" --vcpus 2 --smp-policy x
expect 2 'is not a choice' "${smp[@]}" --vcpus 2 --placement x
expect 2 'a whole number in' "${smp[@]}" --vcpus 2 --domains 9
expect 1 "guest's memory is full" "${smp[@]}" --vcpus 64 --smp-policy native --guest-memory 16
expect 0 '' "${smp[@]}" --vcpus 1,4
cp out first
columns_documented "$src/man/dav2m-sim.1" out
[ "$(grep -vc '^#' out)" -eq 17 ] || wrong "17 lines are expected, not: $(cat out)"
expect 0 '' "${smp[@]}" --vcpus 1,4
cmp -s out first || wrong 'the same run of several vCPUs gives something else'
expect 0 '' "${smp[@]}" --vcpus 2 --smp-policy nested --domains 2 --pcpus 2 --vm-stat
columns_documented "$src/man/dav2m-sim.1" out
[ "$(grep -vc '^#' out)" -eq 5 ] || wrong "five lines of vm-stat are expected, not: $(cat out)"
expect 0 '' "${smp[@]}" --vcpus 2 --smp-policy nested --domains 2 --pcpus 2 --vm-stat --format table
[ "$(grep -cE '^[01] \[[01][0-9]{2}\.[0-9]\]( d[01]-[01]\[[01][0-9]{2}\.[0-9]\]){2}$' out)" -eq 2 ] ||
	wrong "two lines of vm-stat are expected, not: $(cat out)"

# What a program asks of memory: 100 pages of data, one of code; the same in every mode.
expect 0 '' --characterize --format csv good
columns_documented "$src/man/dav2m-sim.1" out
awk -F, '/^#/ { next } !n++ { for (i = 1; i <= NF; i++) at[$i] = i; next }
	$at["references"] != 40000 || $at["data_pages"] != 100 || $at["code_pages"] != 1 ||
	$at["rss_peak_kb"] != 404 || $at["minor_faults"] != 101 || $at["major_faults"] != 0 { exit 1 }
	END { exit n != 5 }' out || wrong "characterized otherwise: $(cat out)"
expect 0 '' --characterize --format json --workload dgemm --size 100 --guest linux26-256
grep -q '"swap_peak_kb": 0' out || wrong "a small matrix swaps: $(cat out)"
expect 2 'not both' --characterize --routines good
# 3 * 8 * 900 * 900 bytes do not fit 16 MB.
expect 1 'guest.s memory is full' --workload dgemm --size 900 --guest-memory 16
expect 0 '' --workload dgemm --size 900 --guest-memory 16 --guest-swap 64 --modes native

# Thresholds follow the tick length unless they are set, though it be to what the preset has.
gcc=(--workload spec-gcc --scale 0.02 --modes adaptive --preset repaired --format csv)
expect 0 '' "${gcc[@]}"
cp out first
expect 0 '' "${gcc[@]}" --set threshold_vmexit=1000 --set threshold_tmiss=100000
cmp -s out first || wrong "the thresholds of a tick of 1e7 are not a tenth of the preset's"
expect 0 '' "${gcc[@]}" --set threshold_vmexit=10000
! cmp -s out first || wrong 'a threshold of 10000 was set, and scaled'

# What there is to choose from.
expect 0 '' --list
for name in opteron2350 palacios2011 linux26-256 phases; do
	grep -q "$name" out || wrong "--list does not have $name"
done

documented "$src/man/dav2m-sim.1" "$dav2m" sim
finish "$checks"
