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
# killed SIGNAL STATUS FILES READY ARG...: READY appears while `dav2m ARG...` works on FILES.part;
# after the signal it ends with that status, and nothing is there that was not there before.
killed() {
	local signal=$1 status=$2 files=$3 ready=$4 got=0 file pid
	shift 4
	runs=$((runs + 1))
	find . | sort >"$scratch/before"
	env --default-signal=INT,TERM,HUP "$dav2m" "$@" >../out 2>../err &
	pid=$!
	for _ in {1..600}; do
		[ ! -e "$ready" ] || break
		sleep 0.05
	done
	for file in $files; do
		[ -e "$file.part" ] || wrong "dav2m $*: no $file.part: $(cat ../err)"
	done
	kill -"$signal" "$pid" || true
	wait "$pid" || got=$?
	[ "$got" -eq "$status" ] || wrong "dav2m $*: $got after SIG$signal, not $status"
	# The picture's drawer is a program of its own.
	if [ -e drawing ]; then
		kill "$(cat drawing)"
		rm drawing
	fi
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

# A simulation ends in order when it is asked to, and at once when it is asked again.
killed_twice() {
	local got=0 pid
	runs=$((runs + 1))
	env --default-signal=INT "$dav2m" sim --input-format=lackey -o table trace >../out 2>../err &
	pid=$!
	for _ in {1..600}; do
		[ ! -e table.part ] || break
		sleep 0.05
	done
	kill -INT "$pid"
	sleep 0.2
	kill -INT "$pid" || true
	wait "$pid" || got=$?
	[ "$got" -eq 130 ] || wrong "after two SIGINT: $got"
	absent table.part
}
killed_twice
finish "$runs"
