# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The `dav2m` command as a person meets it: exit codes, messages that name the place, nothing
# half-written, and a manual that lists the options there are.
#
# usage: bash cli.sh SOURCE_ROOT DAV2M MAKE_PAIR REPLAY_EXAMPLE
. "$(dirname "$0")/../support/check.sh"
src=$(realpath "$1")
dav2m=$(realpath "$2")
make_pair=$(realpath "$3")
example=$(realpath "$4")
cd "$scratch"
tested=("$dav2m")

# succeed PATTERN ARG...: what stdout must match
succeed() {
	local pattern=$1
	shift
	expect 0 '' "$@"
	grep -q -- "$pattern" out || wrong "dav2m $*: no '$pattern' in: $(cat out)"
}

"$make_pair" gcc-long 6000 200 s.csv n.csv
head='# dav2m counter trace 1\n# mode: %s\n# progress_unit: instructions\nprogress,cycles\n'
# shellcheck disable=SC2059 # the head is a format
plain() { printf "$head" "$1"; shift; printf '%s\n' "$@"; }
plain shadow 10,20 10,20 >short-s.csv
plain nested 10,21 10,21 >short-n.csv
plain shadow 5000000000,20 >long-s.csv
plain nested 5000000000,20 >long-n.csv
plain nested 10,21 11,21 >longer-n.csv
plain native 10,15 10,15 >native.csv
plain shadow 10,20 10,2x >bad.csv
{ plain shadow 10,20; printf '10,2'; } >cut.csv

# The frame
expect 2 'Usage: dav2m COMMAND'
expect 2 "'fly' is not a command" fly
expect 2 "'fly' is not a command" help fly
succeed 'Usage: dav2m COMMAND' help
succeed 'Usage: dav2m COMMAND' --help
succeed 'Usage: dav2m replay' help replay
succeed '^dav2m [0-9]' --version
succeed '^dav2m [0-9]' replay --version

# Command lines that are wrong
expect 2 'two recordings are wanted' replay
expect 2 'two recordings are wanted' replay s.csv
expect 2 'third recording' replay s.csv n.csv x.csv
expect 2 'only one recording' replay - -
expect 2 'unrecognized option' replay --fly s.csv n.csv
expect 2 "'best' is neither" replay --start=best s.csv n.csv
expect 2 "'xml' is not table" replay --format=xml s.csv n.csv
expect 2 "'x' is not TO_NESTED" replay --switch-cost=x s.csv n.csv
expect 2 "'1,' is not TO_NESTED" replay --switch-cost=1, s.csv n.csv
expect 2 "'-5' is not TO_NESTED" replay --switch-cost=-5 s.csv n.csv
expect 2 "'1e99' is not TO_NESTED" replay --switch-cost=1e99 s.csv n.csv
expect 2 "'200' is not a percentage" replay --tolerance=200 s.csv n.csv
expect 2 "'nan' is not a percentage" replay --tolerance=nan s.csv n.csv
expect 2 "'0.001' is not a percentage in .0, 100., in steps of 0.01" replay --tolerance=0.001 s.csv n.csv
expect 2 "'1.5' is not TO_NESTED" replay --switch-cost=1.5 s.csv n.csv
expect 2 'window_inst must be a whole number in' replay --set=window_inst=1.5 s.csv n.csv
expect 2 "preset must be default, repaired, paper or bounded, not 'best'" replay --preset=best s.csv n.csv
expect 2 'preset must come before' replay --set=window_inst=5 --preset=paper s.csv n.csv
expect 2 "'window_inst' is not FIELD=VALUE" replay --set=window_inst s.csv n.csv
expect 2 'a preset is chosen by --preset' replay --set=preset=paper s.csv n.csv
expect 2 "no field is named 'window'" replay --set=window=5 s.csv n.csv
expect 2 'window_inst must be a whole number in' replay --set=window_inst=lots s.csv n.csv
unused='has no effect with preset bounded: the regret judge does not use it'
expect 2 "--set: threshold_vmexit $unused" replay --preset=bounded --set=threshold_vmexit=5 s.csv n.csv
expect 2 'exit_cycles has no effect with preset repaired: the threshold judge' replay \
	--preset=repaired --set=exit_cycles=5 s.csv n.csv
expect 2 'exit_cycles has no effect with preset repaired: the threshold judge' replay \
	--set=exit_cycles=5 --set=decay_bp=0 s.csv n.csv
expect 2 'decay_bp has no effect with judge 1: the regret judge' replay --set=decay_bp=5 --set=judge=1 \
	--set=window_tmiss=1 s.csv n.csv
expect 2 'neither in .svg nor in .png' replay --timeline=x.jpg s.csv n.csv

# Content that is wrong, each with its place; no output appears
expect 1 'none.csv: No such file' replay none.csv n.csv -o out.txt
expect 1 'is a directory' replay . n.csv -o out.txt
expect 1 'bad.csv:6:5: cycles must be a whole number' replay bad.csv n.csv -o out.txt
expect 1 'cut.csv:6:5: the file ends within.*--allow-truncated' replay cut.csv n.csv -o out.txt
expect 1 'n.csv: mode is nested, but the first' replay n.csv s.csv -o out.txt
expect 1 'less\|more.*--tolerance' replay short-s.csv longer-n.csv --switch-cost=1 -o out.txt
expect 1 'do not say what a switch costs' replay short-s.csv short-n.csv -o out.txt
expect 1 '--fit needs' replay long-s.csv long-n.csv --switch-cost=1 --fit -o out.txt
expect 1 'window_tmiss' replay s.csv n.csv --set=window_tmiss=500 --set=window_trans=100 -o out.txt
expect 1 "mode is not native" replay s.csv n.csv --native=s.csv -o out.txt
expect 1 'must be the same work' replay s.csv n.csv --native=native.csv -o out.txt
expect 1 'no/such/out.txt.part: cannot create' replay s.csv n.csv -o no/such/out.txt
expect 1 'no/such/t.svg.part: cannot create' replay s.csv n.csv --timeline=no/such/t.svg -o out.txt
for output in '-o s.csv' '--decisions=./n.csv' '-o native.csv'; do
	# shellcheck disable=SC2086 # an option and its argument
	expect 1 'this output would overwrite an input' replay s.csv n.csv --native=native.csv $output
done
printf 'window_inst = 5\nwindow_inch = 6\n' >c.ini
expect 1 "c.ini:2: no field is named 'window_inch'" replay s.csv n.csv --config=c.ini -o out.txt
mkdir empty
tool_path=$scratch/empty
expect 1 'gnuplot draws the picture' replay s.csv n.csv --timeline=t.svg -o out.txt
# A gnuplot that does not notice a full disk: it reports success over half a picture.
cat >empty/gnuplot <<'END'
#!/bin/sh
while read -r line; do
	case $line in
	'set output '?*) eval "picture=${line#set output }" ;;
	esac
done
printf '<svg><path d="M 0,0' >"$picture"
END
chmod +x empty/gnuplot
echo 'an older picture' >old.svg
expect 1 'is the disk full?' replay s.csv n.csv --timeline=t.svg
expect 1 'is the disk full?' replay s.csv n.csv --timeline=old.svg
expect 1 'is the disk full?' replay s.csv n.csv --timeline=t.png
grep -qx 'an older picture' old.svg || wrong 'half a picture took the place of a whole one'
tool_path=$PATH
expect 1 'x.csv: two outputs have this name' replay s.csv n.csv -o x.csv --decisions=x.csv
absent x.csv
absent out.txt
absent t.svg
absent t.png
absent t.svg.part
absent t.png.part
if [ -w /dev/full ]; then
	checks=$((checks + 1))
	! "$dav2m" replay s.csv n.csv >/dev/full 2>err || wrong 'a full disk looks like success'
	[ "$(grep -c 'cannot write to the standard output' err)" -eq 1 ] || wrong "full disk: $(cat err)"
	! "$dav2m" replay --help >/dev/full 2>err || wrong 'help on a full disk looks like success'
	[ "$(grep -c 'cannot write to the standard output' err)" -eq 1 ] || wrong "full disk: $(cat err)"
fi
checks=$((checks + 1))
! "$dav2m" replay s.csv n.csv >&- 2>err || wrong 'nobody reads, and that looks like success'
grep -q 'cannot write to the standard output' err || wrong "a closed standard output: $(cat err)"

# Where the standard files are closed no other gets their numbers, and what is said to them.
mkfifo silent
exec 4<>silent
"$dav2m" sim --input-format=lackey -o table silent <&- >&- 2>&- &
for _ in {1..600}; do
	[ ! -e table.part ] || break
	sleep 0.05
done
for fd in 0 1 2; do
	checks=$((checks + 1))
	[ "$(readlink "/proc/$!/fd/$fd")" = /dev/null ] || wrong "descriptor $fd: $(readlink "/proc/$!/fd/$fd")"
done
kill $!
wait $! || true
exec 4>&-

# What works
succeed 'static shadow' replay s.csv n.csv
succeed '^configured (preset repaired) ' replay s.csv n.csv --set=threshold_tmiss=5e5
succeed '^configured (preset bounded) ' replay s.csv n.csv --preset=default --set=window_settle=2
succeed '^hindsight,' replay s.csv n.csv --format=csv
succeed '"policy": "hindsight"' replay s.csv n.csv --format=json --preset=paper
succeed 'static shadow' replay short-s.csv short-n.csv --switch-cost=1 --fit
# Thresholds go by the work in a window, whatever measures it; what is set stays.
fitted='threshold_vmexit 5000, threshold_tmiss 500000$'
for unit in instructions requests; do
	[ $unit = requests ] && lines=400 || lines=50000000
	plain shadow "$lines,50000000" "$lines,50000000" | sed "s/: instructions/: $unit/" >fit-s.csv
	plain nested "$lines,50000000" "$lines,60000000" | sed "s/: instructions/: $unit/" >fit-n.csv
	set -- replay fit-s.csv fit-n.csv --switch-cost=1 --fit
	succeed "fit: presets: window_inst $lines, $fitted" "$@" --preset=repaired --decisions=fit.csv
	tail -1 fit.csv | grep -q ',5000,500000$' || wrong "$unit: fitted as $(tail -1 fit.csv)"
	succeed "fit: configured.*: window_inst $lines, threshold_vmexit 1000, threshold_tmiss 500000$" "$@" \
		--set=threshold_vmexit=1000
	succeed 'fit: configured.*: window_inst 200, threshold_vmexit' "$@" --preset=paper --set=window_inst=200
	succeed "fit: configured (preset bounded): window_inst $lines$" "$@" --set=window_settle=2
done
succeed 'fit: requests are not instructions: ' "$@"
succeed 'given by --switch-cost' replay short-s.csv short-n.csv --switch-cost=3,4
succeed 'static nested,42,40,5,' replay short-s.csv short-n.csv --switch-cost=9 --native=native.csv \
	--format=csv
succeed 'static nested,42,100,5,' replay short-s.csv short-n.csv --switch-cost=9 --native=21 \
	--format=csv
succeed '20 instructions in 2 ticks' replay short-s.csv short-n.csv --switch-cost=1 --tolerance=5
# What is not alike in two recordings is told; what is, is not.
noted() { grep -q "$1" out || wrong "no note of '$1': $(cat out)"; }
! grep -q 'tolerance\|made differently' out || wrong "equal recordings differ: $(cat out)"
expect 0 '' replay short-s.csv longer-n.csv --switch-cost=1 --tolerance=5 --native=native.csv
noted '^--tolerance: the nested recording holds 5.00 % more work .*tell against it$'
plain native 10,15 9,15 >less.csv
expect 0 '' replay short-s.csv short-n.csv --switch-cost=1 --tolerance=5 --native=less.csv
noted '^--tolerance: the native recording holds 5.00 % less work .*favour it$'
! grep -q 'the nested recording holds' out || wrong "a whole recording is told to lack work: $(cat out)"
about() { sed "s/^# mode/# program: $2\n# note: $3\n&/" "$1"; }
about short-s.csv one here >about-s.csv
about short-n.csv two there >about-n.csv
expect 0 '' replay about-s.csv about-n.csv --switch-cost=1
noted '^program: one in the shadow recording, two in the nested one'
noted '^made differently: shadow: here; nested: there$'
expect 0 '' replay short-s.csv about-n.csv --switch-cost=1
noted '^program: two$'
! grep -q 'made differently' out || wrong "one note is told to differ from none: $(cat out)"
plain nested 10,30 >one-n.csv
expect 0 'last line is incomplete' replay cut.csv one-n.csv --switch-cost=1 --allow-truncated
printf '\nthreshold_vmexit = 5000\nwindow_settle = 2\nraise_bp = 1\n' >c.ini
expect 0 "c.ini:2: threshold_vmexit $unused" replay --preset=bounded --config=c.ini s.csv n.csv
grep -q "c.ini:4: raise_bp $unused" err || wrong "one of two unused fields is told: $(cat err)"
! grep -q window_settle err || wrong "a field that is used is told: $(cat err)"
succeed '^configured (preset repaired) ' replay s.csv n.csv --config=c.ini
printf 'preset = bounded\nthreshold_vmexit = 5000\n' >c.ini
expect 0 "c.ini:2: threshold_vmexit $unused" replay --config=c.ini s.csv n.csv
expect 2 'the preset in c.ini would undo' replay --set=window_inst=5 --config=c.ini s.csv n.csv
succeed '^configured (preset bounded) ' replay s.csv n.csv --preset=bounded --set=regret_bp=12000
printf 'preset = paper\nwindow_trans = 200\n' >c.ini
succeed '^configured (preset paper) ' replay s.csv n.csv --config=c.ini --fit --start=nested
"$dav2m" replay s.csv n.csv >plain.txt
# The default preset has a name of its own, and is one of the three.
for preset in default bounded; do
	expect 0 '' replay s.csv n.csv --preset=$preset --decisions=$preset.csv
done
cmp -s default.csv bounded.csv || wrong 'the default preset is not the bounded one'
for packer in gzip xz zstd bzip2; do
	command -v "$packer" >/dev/null || { printf 'left out: no %s\n' "$packer"; continue; }
	"$packer" -c <s.csv >packed.csv
	succeed 'static shadow' replay packed.csv n.csv
	cmp -s out plain.txt || wrong "$packer: another table"
done
checks=$((checks + 1))
"$dav2m" replay - n.csv <s.csv | cmp -s - plain.txt || wrong 'the standard input: another table'
expect 0 '' replay s.csv n.csv -o table.txt --decisions=d.csv
[ ! -s out ] || wrong '-o still prints'
cmp -s table.txt plain.txt || wrong '-o: another table'
[ "$(wc -l <d.csv)" -eq 6001 ] || wrong "decisions: $(wc -l <d.csv) lines"
expect 0 '' replay s.csv n.csv --preset=repaired --decisions=d.csv
grep -q ',threshold_vmexit,threshold_tmiss$' d.csv || wrong 'd.csv lacks its thresholds'
# Who sets a threshold wants the judge that has them.
expect 0 '' replay s.csv n.csv --set=window_settle=2 --set=decay_bp=0 --decisions=t.csv
expect 0 '' replay s.csv n.csv --preset=repaired --set=window_settle=2 --set=decay_bp=0 \
	--decisions=u.csv
cmp -s t.csv u.csv || wrong 'a threshold is set, but not on the repaired preset'
# Where regret judges: its view, and each mode left at its limit, in a probe or out of doubt.
expect 0 '' replay s.csv n.csv --preset=bounded --decisions=r.csv
awk -F, '
	NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
	{ regret = $column["regret_cycles"]; state = $column["state"]; switches += $9 != "" }
	state == "shadow" && $9 != "" && regret + 0 < $column["limit_cycles"] + 0 { early++ }
	regret + 0 >= $column["limit_cycles"] + 0 && $9 == "" { late++ }
	$column["finding_out_cycles"] > 0 && $column["budget_cycles"] != 0 { told++ }
	END { exit !(switches && told && !early && !late && !("threshold_vmexit" in column)) }' r.csv ||
	wrong "r.csv does not show what the regret judge goes by"
if command -v gnuplot >/dev/null; then
	expect 0 '' replay s.csv n.csv --preset=repaired --timeline=t.svg
	grep -q '</svg>' t.svg || wrong 't.svg is no whole picture'
	grep -q threshold_vmexit t.svg || wrong 't.svg lacks its thresholds'
	expect 0 '' replay s.csv n.csv --preset=bounded --timeline=r.svg
	! grep threshold r.svg || wrong 'r.svg has thresholds that its judge does not have'
	{ grep -q '>regret<' r.svg && grep -q '>limit<' r.svg; } || wrong 'r.svg lacks its regret'
	# A counter that was not recorded has no curve, and no two ticks of an axis one label.
	plain shadow 500000,500020 500000,500020 >blind-s.csv
	plain nested 500000,600000 500000,600000 >blind-n.csv
	expect 0 '' replay blind-s.csv blind-n.csv --switch-cost=1e6 --fit --timeline=blind.svg
	for what in 'in the shadow' 'in the nested'; do
		grep -q ">not $what recording<" blind.svg || wrong "a curve not $what recording is drawn"
	done
	! grep -q 'seen by the controller' blind.svg || wrong 'what was not recorded was seen'
	long=$(printf 'x%.0s' {1..200})
	sed "s/^# mode/# program: $long\n&/" blind-s.csv >named-s.csv
	expect 0 '' replay named-s.csv blind-n.csv --switch-cost=1e6 --fit --timeline=named.svg
	{ grep -q 'xxxx\.\.\.<' named.svg && ! grep -q "$long" named.svg; } || wrong 'a title without end'
	grep -oE '>[0-9.]+ [kM]<' blind.svg | sort >labels
	{ [ -s labels ] && [ -z "$(uniq -d labels)" ]; } || wrong "the axis of regret: $(cat labels)"
	expect 0 '' replay s.csv n.csv --timeline=t.png
	[ "$(head -c 4 t.png | tail -c 3)" = PNG ] || wrong 't.png is no picture'
else
	echo 'left out: no gnuplot'
fi
checks=$((checks + 1))
"$example" s.csv n.csv >example.txt || wrong 'the example fails'
# Its rule tries nested paging, which then is never 10 % slower than shadow paging was.
[ "$(grep '^rule,' example.txt)" = 'rule, tick 0: to nested paging' ] ||
	wrong "the example's rule: $(grep '^rule,' example.txt)"
grep -q '^controller: .*, rule: .* over the best schedule in hindsight$' example.txt ||
	wrong "the example: $(cat example.txt)"
! "$example" short-s.csv short-n.csv 2>err >out || wrong 'the example takes switches to be free'
grep -q 'do not say what a switch to shadow paging costs' err || wrong "the example: $(cat err)"

documented "$src/man/dav2m-replay.1" "$dav2m" replay
expect 0 '' replay s.csv n.csv --format=csv
for columns in out u.csv r.csv; do # the table, and decisions by thresholds and by regret
	columns_documented "$src/man/dav2m-replay.1" $columns
done

# The manual lists the commands that help lists
checks=$((checks + 1))
commands=$("$dav2m" help | sed -n 's/^  \([a-z]*\)  *.*/\1/p')
[ -n "$commands" ] || wrong 'help lists no command'
for command in $commands; do
	grep -qx "\.It Cm $command" "$src/man/dav2m.1" || wrong "man/dav2m.1 lacks $command"
done

finish "$checks"
