#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# usage: cli.sh DAV2M KVM_GUEST
#
# `dav2m kvm` on a real guest: list, record and its three ends (time, ctrl-C, SIGKILL, the guest's
# own), watch, advise; and what it says when there is nothing to look at.
. "$(dirname "$0")/../support/check.sh"
dav2m=$(realpath "$1")
kvm_guest=$(realpath "$2")
guest=
trap 'if [ -n "$guest" ]; then kill "$guest" 2>/dev/null || true; fi; rm -rf "$scratch"' EXIT
cd "$scratch"

# Without a guest: errors that name what is wrong, and no file.
if "$dav2m" kvm record 2147483646 -o none.csv 2>err; then fail 'recorded a process that is not'; fi
grep -q 'look at the process' err || fail "$(cat err)"
[ ! -e none.csv ] || fail 'a file without a recording'
if "$dav2m" kvm record $$ -o none.csv 2>err; then fail 'recorded a shell'; fi
grep -q 'kvm list' err || fail "$(cat err)"
for command in 'record 1 -o none.csv --interval=5' 'record 1 -o none.csv --seconds=x' 'watch 1 --count=0' \
	'watch 1 --interval=5' 'advise 1 --seconds=0' 'advise 1 --exit-cost=0' 'advise 1 --worth=101'; do
	option=${command##* }
	# shellcheck disable=SC2086 # words
	if "$dav2m" kvm $command 2>err; then fail "took $option"; fi
	grep -q -- "${option%=*}: '${option#*=}' is not a number from" err || fail "$(cat err)"
done
if "$dav2m" kvm list --format=xml 2>err; then fail 'took a wrong format'; fi
grep -q -- "--format: 'xml' is not table, csv or json" err || fail "$(cat err)"
if "$dav2m" kvm frobnicate 2>err; then fail 'took a wrong subcommand'; fi
grep -q frobnicate err || fail "$(cat err)"

if ! [ -w /dev/kvm ]; then
	skip 'no /dev/kvm to run a guest on'
fi
"$kvm_guest" -n 1000 -p 500 >guest.out 2>guest.err &
guest=$!
for _ in $(seq 100); do
	if "$dav2m" kvm list --format csv | grep -q "^$guest,"; then break; fi
	sleep 0.1
done
"$dav2m" kvm list --format csv | grep -q "^$guest,kvm-guest,1," || fail 'list does not show it'

"$dav2m" kvm record "$guest" -o time.csv -i 50 -s 1 2>err || fail "$(cat err)"
head -1 time.csv | grep -q '^# dav2m counter trace 1$' || fail 'not a counter trace'
records=$(grep -vc '^#' time.csv)
[ "$records" -ge 10 ] || fail "$records lines in a second of 50 ms"
grep -q 'not available' err || grep -q 'the PMU' err || fail 'does not say what is missing'

# Out of descriptors at each step in turn: told, never a crash. (127: the loader's own refusal.)
told=0
for limit in 3 4 5 6 7 8 9 10; do
	status=0
	(ulimit -n "$limit" && exec "$dav2m" kvm watch "$guest" -n 1 -i 50) >table 2>err || status=$?
	case $status in
	0 | 127) ;;
	1) grep -q 'Too many open files; raise the limit' err || fail "$limit: $(cat err)"; told=1 ;;
	*) fail "$limit descriptors: ends with $status" ;;
	esac
done
[ "$told" -eq 1 ] || fail 'no limit was too low'

# A full disk is no success, and a table that nobody gets is not drawn a thousand times.
for command in list "watch $guest -i 20 -n 1000" "advise $guest -s 1"; do
	# shellcheck disable=SC2086 # words
	if "$dav2m" kvm $command >/dev/full 2>err; then fail "$command wrote to a full disk"; fi
	grep -q 'cannot write to the standard output' err || fail "$command: $(cat err)"
done

# What cannot be measured again is kept up to where the disk was full: a size limit stands for it.
if (trap '' XFSZ && ulimit -f 1 && exec "$dav2m" kvm record "$guest" -o full.csv -i 10 -s 20) 2>err; then
	fail 'recorded to a full disk'
fi
[ ! -e full.csv ] || fail 'a recording that failed has its name'
kept=$(sed -n 's/.*cannot write: .*; the \([0-9]*\) records before that stay in full.csv.part,.*/\1/p' err)
[ "$(grep -vc '^#' full.csv.part)" -eq $((kept + 1)) ] || fail "$(cat err full.csv.part)"
"$dav2m" kvm advise full.csv.part >advice || fail 'what a full disk left cannot be read'
rm full.csv.part

# Progress that the guest's work reports: a log that grows, with other lines in it.
printf 'booting\r\n0\r\n' >console
"$dav2m" kvm record "$guest" -o work.csv -i 20 --progress=console --unit=requests 2>err &
recorder=$!
for i in $(seq 40); do
	printf '%d\r\nat %d\r\n7777' $((i * 5)) "$i" >>console # a line that has not ended yet
	sleep 0.02
	printf ' is no count\r\n' >>console
done
kill -TERM "$recorder"
wait "$recorder" || fail "$(cat err)"
grep -q '^# progress_unit: requests$' work.csv || fail "$(head work.csv)"
grep -v '^#' work.csv | awk -F, '
NR == 1 { for (i = 1; i <= NF; i++) if ($i == "progress") at = i; next }
$at == "" { exit 1 }
{ sum += $at; ticks += $at > 0 }
END { exit !(sum > 100 && sum <= 200 && ticks > 5) }' || fail "$(cat work.csv)"
for path in /dev/null .; do
	if "$dav2m" kvm record "$guest" -o no.csv --progress="$path" 2>fault; then fail "took $path"; fi
	grep -q "dav2m: $path: is not a file" fault || fail "$(cat fault)"
	if [ -e no.csv ] || [ -e no.csv.part ]; then fail 'a file without a recording'; fi
done

# await FILE PATTERN: until the file has it
await() {
	for _ in $(seq 200); do
		if grep -qs -- "$2" "$1"; then return; fi
		sleep 0.05
	done
	fail "no '$2' in $1: $(cat "$1")"
}
# done_of FILE: the progress that a recording holds
done_of() {
	grep -v '^#' "$1" | awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "progress") at = i; next }
		{ sum += $at; if ($at == "") empty = 1 } END { print sum (empty ? " and gaps" : "") }'
}
# The recorder may come before the file of its work, and before what the file says of it.
"$dav2m" kvm record "$guest" -o later.csv -i 20 --progress=later 2>err &
recorder=$!
await err 'waiting for later to say how much work is done'
printf 'booting\n' >later
sleep 0.2
[ ! -e later.csv.part ] || fail 'recorded before the work had begun'
printf '0\n' >>later
await later.csv.part '^[0-9]'
! grep 'begins at' err || fail 'work that begins at 0 is taken for older'
printf '40\n' >>later
sleep 0.2
kill -TERM "$recorder"
wait "$recorder" || fail "$(cat err)"
[ "$(done_of later.csv)" = 40 ] || fail "not 40: $(cat later.csv)"
# What an earlier run left is told at once, and is not part of what is done.
echo 30000 >stale
"$dav2m" kvm record "$guest" -o stale.csv -i 20 --progress=stale 2>err &
recorder=$!
await stale.csv.part '^[0-9]'
grep -q 'stale begins at 30000: ' err || fail "$(cat err)"
echo 100 >stale.new
mv stale.new stale
await err 'dav2m: stale: fell from 30000 to 100: '
echo 150 >>stale
sleep 0.2
kill -TERM "$recorder"
wait "$recorder" || fail "$(cat err)"
[ "$(grep -c fell err)" -eq 1 ] || fail "fell more than once: $(cat err)"
[ "$(done_of stale.csv)" = 150 ] || fail "not 150: $(cat stale.csv)"
# Ctrl-C ends the waiting.
"$dav2m" kvm record "$guest" -o no.csv --progress=never 2>err &
recorder=$!
await err 'waiting for never'
kill -INT "$recorder"
if wait "$recorder"; then fail 'a recording that never began is a success'; fi
if [ -e no.csv ] || [ -e no.csv.part ]; then fail 'a file without a recording'; fi

# Ctrl-C and SIGTERM, each alone, once some records are there. (The recorder takes SIGINT although
# a shell starts what it puts in the background with it ignored.)
for signal in INT TERM; do
	"$dav2m" kvm record "$guest" -o stop.csv -i 50 2>err &
	recorder=$!
	for _ in $(seq 100); do
		if [ -e stop.csv.part ] && [ "$(grep -vc '^#' stop.csv.part)" -ge 4 ]; then break; fi
		sleep 0.1
	done
	kill -"$signal" "$recorder"
	wait "$recorder" || fail "SIG$signal: $(cat err)"
	[ "$(grep -vc '^#' stop.csv)" -ge 4 ] || fail "SIG$signal left no whole file"
	[ ! -e stop.csv.part ] || fail "SIG$signal left a part"
	[ "$signal" = TERM ] || rm stop.csv
done
"$dav2m" kvm advise stop.csv >advice || fail 'the recording cannot be read back'
grep -q '^Advice: ' advice || fail "$(cat advice)"
grep -q '^Not measured' advice || fail 'does not say what is missing'

"$dav2m" kvm record "$guest" -o killed.csv -i 50 2>/dev/null &
recorder=$!
sleep 1
kill -KILL "$recorder"
wait "$recorder" 2>/dev/null || true # the shell says that it was killed, and so it was
[ "$(grep -vc '^#' killed.csv.part)" -ge 3 ] || fail 'SIGKILL lost more than the last record'
"$dav2m" kvm advise killed.csv.part >advice || fail 'what SIGKILL left cannot be read'

"$dav2m" kvm watch "$guest" -i 200 -n 2 >table 2>err || fail "$(cat err)"
[ "$(grep -c '^the controller: ' table)" -eq 2 ] || fail "$(cat table)"
if grep -q 'not available:.* progress' err; then
	[ "$(grep -c 'it is blind: .* without progress' table)" -eq 2 ] || fail "$(cat table)"
	grep -q 'What can be done' table || fail "$(cat table)"
elif grep -q 'it is blind' table; then
	fail "blind with progress: $(cat table)"
fi
# A unit has one name wherever it is shown.
unit=Mcycle/s
if grep -q '^# note: .*in ns' stop.csv; then unit='CPU ms/s'; fi
[ "$(grep -c "^vCPU .* $unit\$" table)" -eq 2 ] || fail "not $unit: $(cat table)"
"$dav2m" kvm advise "$guest" -s 1 >advice 2>err || fail "$(cat err)"
grep -q '^Huge pages: ' advice || fail "$(cat advice)"

"$dav2m" kvm record "$guest" -o no.csv --progress=never 2>waiting.err &
waiting=$!
"$dav2m" kvm record "$guest" -o ended.csv -i 50 2>err &
recorder=$!
sleep 1
kill -KILL "$guest"
wait "$guest" 2>/dev/null || true
guest=
wait "$recorder" || fail "the guest's end: $(cat err)"
grep -q 'the guest has ended' err || fail "$(cat err)"
[ "$(grep -vc '^#' ended.csv)" -ge 3 ] || fail "the guest's end left no valid file"
if wait "$waiting"; then fail 'work that never began is a success'; fi
grep -q 'never: the guest has ended without a line' waiting.err || fail "$(cat waiting.err)"
echo 'all as it should be'
