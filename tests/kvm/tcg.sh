#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# usage: tcg.sh SOURCE_ROOT KVM_RELOAD INIT INITRAMFS RECORDER DAV2M
#
# kvm-reload on a stock Debian kernel in QEMU's software emulation, which has SVM with nested
# paging: switches a guest at least 20 times, adaptively too, and breaks each step of a switch; and
# once more through a switch callback of its own. The guest's checksum must be that of the runs
# without a switch. Then the guide of docs/kvm.md: one run is recorded in each mode by RECORDER,
# and DAV2M replays the pair. Time is counted in instructions (icount), so the machine's load does
# not change what happens.
#
# DAV2M_CLOUD_KERNEL: a folder that holds vmlinuz, irqbypass.ko, kvm.ko, kvm-amd.ko, as
# examples/kvm-reload/fetch-kernel.sh leaves it; otherwise the cache is asked, then apt.
. "$(dirname "$0")/../support/check.sh"
src=$1 vmm=$2 init=$3 initramfs=$(realpath "$4") recorder=$5 dav2m=$(realpath "$6")

command -v qemu-system-x86_64 >/dev/null || skip 'no qemu-system-x86_64'
kernel=${DAV2M_CLOUD_KERNEL:-${XDG_CACHE_HOME:-$HOME/.cache}/dav2m/cloud-kernel}
if [ ! -e "$kernel/vmlinuz" ]; then
	"$src/examples/kvm-reload/fetch-kernel.sh" "$kernel" >"$scratch/fetch" 2>&1 ||
		skip "no cloud kernel: $(tail -n 1 "$scratch/fetch")"
fi

run() { printf '/kvm-reload -k /kvm-amd.ko %s\n' "$*"; }
# An instruction takes 1 ns of virtual time, so the guest does in milliseconds what takes seconds.
{
	run --start nested
	run --start shadow
	run --start nested --forced --interval 4
	run --start nested --rounds 1 --scale 10
	run --start nested --rounds 1 --scale 10 --adaptive --interval 1
	run --start nested --rounds 1
	for step in save busy load mode open restore stop; do
		run --start nested --forced --interval 6 --rounds 1 --fail "$step"
	done
	run --start nested --rounds 1 --scale 10 --adaptive --interval 1 --user
	for step in busy restore; do
		run --start nested --forced --interval 6 --rounds 1 --user --fail "$step"
	done
	for mode in nested shadow; do
		run --start "$mode" --rounds 1 --scale 10 --interval 1 --progress "/progress-$mode" |
			sed 's/^/\& /'
		echo "/dav2m kvm record kvm-reload --wait --progress=/progress-$mode --interval=10" \
			"--unit=operations --program=phases -o /$mode.csv"
		echo "print /$mode.csv"
	done
} >"$scratch/runs"
"$initramfs" "$scratch/initrd" init="$init" kvm-reload="$vmm" dav2m="$recorder" \
	runs="$scratch/runs" \
	irqbypass.ko="$kernel/irqbypass.ko" kvm.ko="$kernel/kvm.ko" kvm-amd.ko="$kernel/kvm-amd.ko"

timeout --kill-after=5 580 qemu-system-x86_64 -accel tcg -icount shift=0,sleep=off \
	-M pc -cpu max,+svm,+npt,-rdrand,-rdseed -m 512 -display none -nodefaults -no-reboot \
	-serial stdio -rtc base=2020-01-01,clock=vm -seed 1 \
	-kernel "$kernel/vmlinuz" -initrd "$scratch/initrd" \
	-append 'console=ttyS0 quiet panic=-1 mitigations=off tsc=reliable nokaslr random.trust_cpu=off' \
	</dev/null | tr '\r' '\n' | sed 's/.*\x1b\[K//; /^$/d' >"$scratch/log" || { cat "$scratch/log"; exit 1; }
for mode in nested shadow; do
	sed -n "s|^/$mode.csv: ||p" "$scratch/log" >"$scratch/$mode.csv"
done
sed '/^\/[a-z]*.csv: [0-9]/d' "$scratch/log"
grep -q '^init: all done' "$scratch/log" || { echo 'wrong: the machine did not finish'; exit 1; }

# Results are lines of name=value words. The checksum of a length of script is that of the run
# of this length without a switch.
awk '
function wrong(text) { print "wrong: " text; failures++ }
/^kvm-reload: run=/ {
	for (i = 2; i <= NF; i++) { split($i, pair, "="); field[pair[1]] = pair[2] }
	runs++
	if (field["run"] == "static")
		{ if (field["work"] in right && right[field["work"]] != field["checksum"])
			wrong("the modes differ without a switch"); right[field["work"]] = field["checksum"] }
	line[runs] = $0; work[runs] = field["work"]; sum[runs] = field["checksum"]
	if (field["run"] != "static") {
		switches += field["switches"]; us += field["switches"] * field["switch_us"]
	}
	if (field["run"] == "forced" && field["fail"] == "nothing" && field["switches"] < 20)
		wrong("fewer than 20 switches: " $0)
	if (field["run"] == "adaptive") {
		if (field["switches"] < 1) wrong("the controller never switched: " $0)
	}
	if (field["fail"] != "nothing" && (field["refused"] < 1 || field["switches"] < 2))
		wrong("no refusal, or no switch after it: " $0)
	if ((field["fail"] == "stop") != (field["resumed"] > 0))
		wrong("stopped where it should not, or not where it should: " $0)
}
END {
	for (i = 1; i <= runs; i++)
		if (!(work[i] in right) || sum[i] != right[work[i]])
			{ bad++; wrong("checksum: " line[i]) }
	if (runs != 18) wrong(runs " of 18 runs have ended")
	printf "figure: kvm_reload_switches %d switches\n", switches
	printf "figure: kvm_reload_wrong_checksums %d runs\n", bad
	if (switches) printf "figure: kvm_reload_switch_ms %.1f ms\n", us / switches / 1000
	exit failures > 0
}' "$scratch/log"

# The guide's pair: both recordings hold all of the work, and replay accounts for every cycle of
# them. (The controllers start in shadow mode, which costs more here, and must leave it.)
cd "$scratch"
"$dav2m" replay shadow.csv nested.csv --switch-cost=0 --fit
"$dav2m" replay shadow.csv nested.csv --switch-cost=0 --fit --format=csv -o table.csv
for mode in shadow nested; do
	cycles=$(awk -F, '!/^#/ { sum += $2 } END { printf "%.0f", sum }' "$mode.csv")
	grep -q "^static $mode,$cycles," table.csv ||
		{ echo "wrong: not $cycles cycles under $mode paging"; cat table.csv; exit 1; }
	"$dav2m" kvm advise "$mode.csv" | grep -q '^Advice: ' || { echo 'wrong: no advice'; exit 1; }
done
awk -F, '/^#/ { next } !head++ { for (i = 1; i <= NF; i++) column[$i] = i; next }
{ cycles[$1] = $column["cycles"] }
END {
	best = cycles["static nested"]
	exit !(cycles["hindsight"] <= best && cycles["preset repaired"] < cycles["static shadow"])
}' table.csv || { echo 'wrong: the pair'; cat table.csv; exit 1; }
