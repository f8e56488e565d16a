# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What matters in runs that take long: progress on a terminal, ctrl-C, modes on threads of their
# own, memory that does not grow with the trace.
#
# usage: bash long_runs.sh DAV2M
. "$(dirname "$0")/../support/check.sh"
dav2m=$(realpath "$1")
cd "$scratch"

# until_true COMMAND...: waits for it, for a minute at most
until_true() {
	local i
	for ((i = 0; i < 600; i++)); do
		! "$@" 2>/dev/null || return 0
		sleep 0.1
	done
	wrong "a minute was not enough for: $*"
	return 1
}

# A workload that nobody waits for, on a terminal; keys are what is typed.
if command -v script >/dev/null; then
	mkfifo keys
	script -qfec "$dav2m sim --workload gups --scale 10000 --format csv -o result --record rec" \
		screen <keys >/dev/null &
	terminal=$!
	exec 3>keys
	until_true grep -q 'left' screen || true
	printf '\003' >&3
	status=0
	wait "$terminal" || status=$?
	[ "$status" -eq 130 ] || wrong "after ctrl-C it ended with $status"
	exec 3>&-
	grep -qE 'simulating \[[#.]{24}\] +[0-9]+ % [0-9.]+ [kMG]? ?[a-z]+/s, ([0-9]+ h )?[0-9]+ (min|s)' \
		screen || wrong "progress: $(tail -c 300 screen)"
	grep -q '^# interrupted: these are the results so far' result ||
		wrong "the result does not say that it is a part: $(cat result)"
	awk -F, '/^#/ || /^mode/ { next } { n++; if (!seen) seen = $2; if ($2 != seen) exit 1 }
		END { exit !(n == 4 && seen > 0) }' result ||
		wrong "the modes did not end at the same point: $(cat result)"
	for mode in native shadow nested adaptive; do
		grep -qx '# interrupted: yes' "rec.$mode.csv" ||
			wrong "rec.$mode.csv does not say that it is a part"
	done
	"$dav2m" replay rec.shadow.csv rec.nested.csv --switch-cost=0 --format csv >replayed ||
		wrong 'an interrupted pair cannot be replayed'
	grep -q '^# interrupted: the recordings hold the beginning' replayed ||
		wrong "replay does not say that the pair is a part: $(cat replayed)"
	[ -z "$(find . -name '*.part')" ] || wrong "parts stayed behind: $(find . -name '*.part')"
else
	echo 'left out: no script'
fi

# Without a terminal there is no progress, but a signal is a signal.
"$dav2m" sim --workload gups --scale 10000 --format csv >out 2>err &
pid=$!
# shellcheck disable=SC2329 # called by name
threads() { [ "$(find "/proc/$pid/task" -mindepth 1 -maxdepth 1 | wc -l)" -ge "$1" ]; }
if [ -d "/proc/$pid/task" ]; then
	until_true threads 5 || true # four modes and the producer
else
	echo 'left out: no /proc'
	sleep 1
fi
kill -INT "$pid"
status=0
wait "$pid" || status=$?
[ "$status" -eq 130 ] || wrong "after SIGINT it ended with $status"
grep -q '^# interrupted' out || wrong "the output does not say that it is a part: $(cat out)"
[ ! -s err ] || wrong "progress without a terminal: $(cat err)"

# A trace through a pipe: a hundred megabytes take no more memory than the first ten.
awk 'BEGIN { for (i = 0; i < 80000; i++) printf "I  %08x,4\n S %x,8\n",
	4194304 + i % 1000 * 4, 268435456 + i % 300 * 4096 }' >megabytes
mkfifo trace
"$dav2m" sim --format csv trace >out &
pid=$!
exec 3>trace
feed() { for ((i = 0; i < $1; i++)); do cat megabytes; done >&3; }
peak_kb() { awk '/^VmHWM/ { print $2 }' "/proc/$pid/status"; }
if [ -r "/proc/$pid/status" ]; then
	feed 5
	before=$(peak_kb)
	feed 50
	after=$(peak_kb)
	# What is in flight may differ; the trace that was fed in between is 90 MB.
	[ $((after - before)) -lt 16000 ] || wrong "memory grew from $before to $after KB"
fi
exec 3>&-
wait "$pid" || wrong "the long trace ended with $?"

[ "$failures" -eq 0 ]
