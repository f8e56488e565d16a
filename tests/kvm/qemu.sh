#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# usage: qemu.sh DAV2M ROM
#
# `dav2m kvm` on QEMU's own guests: by QMP, by thread names alone, and where neither is to be had.
# The guest is rom.S: its first vCPU edits page tables without end, the others sleep.
. "$(dirname "$0")/../support/check.sh"
dav2m=$(realpath "$1")
rom=$(realpath "$2")
command -v qemu-system-x86_64 >/dev/null || skip 'no qemu-system-x86_64'
[ -w /dev/kvm ] || skip 'no /dev/kvm to run a guest on'
guests=()
trap 'kill "${guests[@]}" 2>/dev/null || true; wait; rm -rf "$scratch"' EXIT
cd "$scratch"

# guest VCPUS OPTION...: a QEMU, and its PID in $guest once it has these vCPUs
guest() {
	local vcpus=$1
	shift
	qemu-system-x86_64 -accel kvm -M pc -m 64 -nodefaults -display none -bios "$rom" "$@" \
		>qemu.log 2>&1 &
	guest=$!
	guests+=("$guest")
	for _ in $(seq 100); do
		if "$dav2m" kvm list --format csv | grep -q "^$guest,[^,]*,$vcpus,"; then return; fi
		kill -0 "$guest" 2>/dev/null || skip "QEMU does not run on this KVM: $(tail -n 1 qemu.log)"
		sleep 0.1
	done
	fail "list does not show it: $(cat qemu.log)"
}

# Six vCPUs whose numbers in KVM are 0 1 2 4 5 6; the socket's name is relative to QEMU's folder.
guest 6 -name guest=one -smp 6,sockets=2,cores=3 -qmp unix:one.qmp,server=on,wait=off
one=$guest
"$dav2m" kvm list --format csv | grep -q "^$one,one,6," || fail "$("$dav2m" kvm list)"
mode=$("$dav2m" kvm list --format csv | sed -n "s/^$one,one,6,\([^,]*\),.*/\1/p")
(cd / && "$dav2m" kvm watch one -i 500 -n 1) >table 2>err || fail "$(cat err)"
grep -q "^PID $one, 6 vCPUs" err || fail "$(cat err)"
grep -q "statistics by: QMP" err || fail "$(cat err)"
awk -v mode="$mode" '
/^ *[0-9]+ / { rows = rows $1; exits[$1] = $2; faults[$1] = $6; cycles[$1] = $NF }
END {
	if (rows != "012456") { print "rows: " rows; exit 1 }
	if (mode == "shadow" && faults[0] < 1000) { print "few faults: " faults[0]; exit 1 }
	for (i in cycles)
		if (i != 0 && (cycles[i] >= cycles[0] || faults[i] > faults[0])) {
			print "vCPU " i " did more than vCPU 0"; exit 1
		}
}' table || fail "$(cat table)"

"$dav2m" kvm record one -i 50 -s 1 -o one.csv 2>err || fail "$(cat err)"
grep -q '^# note: .*; statistics by QMP$' one.csv || fail "$(head one.csv)"
grep -q "^# mode: $mode$" one.csv || fail "$(head one.csv)"
grep -v '^#' one.csv | awk -F, -v mode="$mode" '
NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
{ cycles += $column["cycles"]; exits += $column["paging_exits"] }
END { exit !(cycles > 0 && (mode == "shadow" ? exits > 1000 : exits == 0)) }' ||
	fail "$(cat one.csv)"
"$dav2m" kvm advise one.csv >advice || fail 'the recording cannot be read back'
grep -q '^Advice: ' advice || fail "$(cat advice)"
"$dav2m" kvm advise one -s 1 >advice 2>err || fail "$(cat err)"
grep -q '^Huge pages: [0-9]* of [0-9]* resident MiB' advice || fail "$(cat advice)"

# QMP serves one at a time; what somebody else holds is named as the reason.
"$dav2m" kvm watch one -n 1000 >/dev/null 2>held &
holder=$!
until grep -qs 'statistics by: QMP' held; do sleep 0.1; done
if "$dav2m" kvm watch one -n 1 >/dev/null 2>err; then fail 'two clients of one socket'; fi
grep -q 'serves one client at a time' err || fail "$(cat err)"
kill "$holder"
wait "$holder" || fail "$(cat held)"

# The guest's end in the middle of a recording.
"$dav2m" kvm record one -i 20 -o ended.csv 2>err &
recorder=$!
for _ in $(seq 100); do
	if [ -e ended.csv.part ] && [ "$(grep -vc '^#' ended.csv.part)" -ge 4 ]; then break; fi
	sleep 0.1
done
kill -KILL "$one"
wait "$one" 2>/dev/null || true # the shell says that it was killed, and so it was
wait "$recorder" || fail "the guest's end: $(cat err)"
grep -q 'the guest has ended' err || fail "$(cat err)"
[ "$(grep -vc '^#' ended.csv)" -ge 4 ] || fail "$(cat ended.csv)"

# The monitor's other spelling; sockets that are no QMP, or are not there.
guest 1 -name two -chardev socket,id=c,path="$scratch/two.qmp",server=on,wait=off \
	-mon chardev=c,mode=control -monitor unix:two.hmp,server=on,wait=off
"$dav2m" kvm watch two -i 100 -n 1 >table 2>err || fail "$(cat err)"
grep -q 'statistics by: QMP' err || fail "$(cat err)"
if "$dav2m" kvm watch two -n 1 --qmp two.hmp >/dev/null 2>err; then fail 'took a human monitor'; fi
grep -q 'does not speak QMP' err || fail "$(cat err)"
if "$dav2m" kvm watch two -n 1 --qmp none >/dev/null 2>err; then fail 'took no socket'; fi
grep -q 'no QEMU listens' err || fail "$(cat err)"

# A recorder that was there before the guest; and one that is told to stop waiting.
"$dav2m" kvm record late --wait -i 20 -s 1 -o late.csv 2>late.err &
recorder=$!
guest 1 -name late -qmp unix:late.qmp,server=on,wait=off
wait "$recorder" || fail "$(cat late.err)"
[ "$(grep -vc '^#' late.csv)" -ge 10 ] || fail "$(cat late.csv)"
"$dav2m" kvm record nobody --wait -o nobody.csv 2>err &
recorder=$!
until grep -qs 'waiting for a guest' err; do sleep 0.1; done
kill -TERM "$recorder"
if wait "$recorder"; then fail 'recorded nobody'; fi
[ ! -e nobody.csv ] || fail 'a recording of nobody'
if "$dav2m" kvm record "$guest" --wait -o nobody.csv 2>err; then fail 'waits for a PID'; fi
grep -q 'wait needs a NAME' err || fail "$(cat err)"

# Without QMP: CPU time where the threads have names, and advice where they have none.
guest 1 -name three,debug-threads=on
"$dav2m" kvm record three -i 50 -s 1 -o three.csv 2>err || fail "$(cat err)"
grep -v '^#' three.csv | head -n 1 | grep -q cycles || fail "$(cat three.csv)"
grep -q 'not by QMP: could not find a QMP socket' err || fail "$(cat err)"
grep -q 'not by debugfs: ' err || grep -q 'statistics by: debugfs' err || fail "$(cat err)"
# Debugfs in a namespace of its own, where that may be had: used, or locked down and told so.
mount_debugfs='mount -t debugfs none /sys/kernel/debug'
if unshare --mount bash -c "$mount_debugfs" 2>/dev/null; then
	unshare --mount bash -c "$mount_debugfs && exec \"\$@\"" - \
		"$dav2m" kvm record three -i 50 -s 1 -o debugfs.csv 2>err || fail "$(cat err)"
	if grep -q 'statistics by: debugfs' err; then
		grep -v '^#' debugfs.csv | head -n 1 | grep -q paging_exits || fail "$(cat debugfs.csv)"
	else
		grep -q 'not by debugfs: .* locked down' err || fail "$(cat err)"
	fi
fi
guest 1 -name four
if "$dav2m" kvm record four -s 1 -o four.csv 2>err; then
	grep -q 'statistics by: debugfs' err || fail "recorded nothing: $(cat err)"
else
	grep -q 'debug-threads=on' err || fail "$(cat err)"
	[ ! -e four.csv ] || fail 'a file without a recording'
fi
echo 'all as it should be'
