# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What a command that is killed leaves behind: nothing. Ctrl-C, SIGTERM and SIGHUP, while files are
# being made.
#
# usage: bash killed.sh SOURCE_ROOT DAV2M
src=$(realpath "$1")
dav2m=$(realpath "$2")
# shellcheck source-path=SCRIPTDIR source=../support/check.sh
. "$(dirname "$0")/../support/check.sh"
# A shell starts what it puts in the background with SIGINT ignored, and a nohup SIGHUP.
env --default-signal=INT,HUP true 2>/dev/null || skip 'this env cannot set signals'

runs=0
# The picture's drawer is a program of its own, which would write on.
drawer_gone() {
	[ -e drawing ] || return 0
	! kill "$(cat drawing)" 2>/dev/null || wrong "$1: its gnuplot lived on"
	rm drawing
}

# await FILE: until it is there
await() {
	for _ in {1..600}; do
		[ ! -e "$1" ] || break
		sleep 0.05
	done
}

# killed SIGNAL STATUS FILES READY ARG...: READY appears while `dav2m ARG...` works on FILES.part;
# after the signal it ends with that status, and nothing is there that was not there before.
killed() {
	local signal=$1 status=$2 files=$3 ready=$4 got=0 file pid
	shift 4
	runs=$((runs + 1))
	find . | sort >"$scratch/before"
	env --default-signal=INT,TERM,HUP "$dav2m" "$@" >../out 2>../err &
	pid=$!
	await "$ready"
	for file in $files; do
		[ -e "$file.part" ] || wrong "dav2m $*: no $file.part: $(cat ../err)"
	done
	kill -"$signal" "$pid" || true
	wait "$pid" || got=$?
	[ "$got" -eq "$status" ] || wrong "dav2m $*: $got after SIG$signal, not $status"
	drawer_gone "dav2m $*"
	find . | sort | diff "$scratch/before" - >"$scratch/difference" ||
		wrong "dav2m $* left after SIG$signal: $(cat "$scratch/difference")"
	rm -f ./*.part # or the next command would seem to have begun
}

mkdir "$scratch/here" "$scratch/bin"
cd "$scratch/here"
printf '#!/bin/sh\necho $$ >drawing.new\nmv drawing.new drawing\nexec sleep 100\n' >../bin/gnuplot
chmod +x ../bin/gnuplot
PATH=$scratch/bin:$PATH
gcc=("$src/tests/data/gcc-shadow.csv" "$src/tests/data/gcc-nested.csv")

for signal in 'INT 130' 'TERM 143' 'HUP 129'; do
	# shellcheck disable=SC2086
	killed $signal table table.part contest --workloads=spec-swim -o table
	# shellcheck disable=SC2086
	killed $signal 'table d.csv p.svg' drawing replay "${gcc[@]}" -o table --decisions=d.csv \
		--timeline=p.svg
done
killed INT 130 'table c.svg' drawing contest --workloads=gcc --models=modern --picture=c.svg -o table
killed TERM 143 table table.part sim --workload=spec-swim --scale=100 -o table
killed INT 130 p.rates.svg drawing sim --workload=phases --scale=0.01 --pictures=p -o table
mkfifo trace
exec 3<>trace
echo 'I  04001000,4' >&3
killed INT 130 t.dav2m t.dav2m.part trace --convert trace --input-format=lackey -o t.dav2m

# A simulation ends in order when it is asked to, though its input be silent, and at once when it is
# asked again.
asked() { # asked ARG...: begins; the first signal comes when its threads are at work
	runs=$((runs + 1))
	env --default-signal=INT "$dav2m" sim -o table "$@" >../out 2>../err &
	for _ in {1..600}; do
		[ "$(find "/proc/$!/task" -maxdepth 1 | wc -l)" -le 2 ] || break
		sleep 0.05
	done
	kill -INT $!
}
ended() { # ended WHAT: with 130, and with this in the table; no WHAT: without a table
	local got=0
	wait $! || got=$?
	[ "$got" -eq 130 ] || wrong "asked to end: $got, $(cat ../err)"
	absent table.part
	if [ $# -gt 0 ]; then grep -q "$1" table; else [ ! -e table ]; fi || wrong "the table: $(cat table)"
	rm -f table
}
asked --input-format=lackey trace
ended interrupted
asked --workload=spec-swim --scale=100 --window-inst=1000 --pictures=p
await drawing
kill -INT $!
ended
absent p.rates.svg.part
drawer_gone 'asked twice'
finish "$runs"
