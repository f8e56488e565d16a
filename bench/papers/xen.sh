# shellcheck shell=bash
# shellcheck disable=SC2154 # dav2m, scratch and the functions are those of bench/validation
# SPDX-License-Identifier: BSD-2-Clause
#
# The Xen study: page tables of SMP guests; sourced by bench/validation.

# The Xen study: a file server on 2 and 16 vCPUs, page tables virtualized in one way after another.
smp() {
	"$dav2m" sim --format csv -o "$scratch/smp-$1" --machine core2-e6300 --cost xen304 \
		--guest-tables 2 --workload "${@:2}"
}
smp server file-server --vcpus 2,16 --smp-policy native,domain-lock,per-vcpu,flush-clock,immediate
# smp_cell FILE POLICY VCPUS COLUMN
smp_cell() {
	awk -F, -v policy="$2" -v vcpus="$3" -v column="$4" '/^#/ { next }
		!head { head = 1; for (i = 1; i <= NF; i++) at[$i] = i; next }
		$1 == policy && $2 == vcpus { print $at[column] }' "$scratch/smp-$1"
}
at_16() { smp_cell server "$1" 16 jobs_per_gcycle; }
scaling=$(calc "$(smp_cell server native 16 relative)")
row xen-scaling-native '7.47 of 8' "$scaling" 'of 8' "$(holds "$scaling > 7 && $scaling <= 8")"
scaling=$(calc "$(smp_cell server domain-lock 16 relative)")
row xen-scaling-domain-lock '0.93 of 8' "$scaling" 'of 8' "$(holds "$scaling > 0.73 && $scaling < 1.13")"
gain=$(calc "$(at_16 per-vcpu) / $(at_16 domain-lock)")
row xen-gain-per-vcpu 'up to 4 x at 16' "$gain" times "$(holds "$gain > 3 && $gain < 5")" \
	'the flush lock, next in the study, takes over sooner: what an IPI cost there is inferred'
gain=$(calc "$(at_16 flush-clock) / $(at_16 per-vcpu)")
row xen-gain-flush-clock 'better' "$gain" times "$(holds "$gain > 1")"
gain=$(calc "$(at_16 immediate) / $(at_16 flush-clock)")
row xen-gain-immediate 'better' "$gain" times "$(holds "$gain > 1")"
gain=$(calc "$(at_16 native) / $(at_16 immediate)")
row xen-left-to-native 'some is left' "$gain" times "$(holds "$gain > 1")"

# memwrite on 16 CPUs in 4 nodes: lines written per 1000 cycles.
for placement in local interleaved remote; do
	smp "$placement" memwrite --vcpus 16 --smp-policy native --placement "$placement"
done
lines() { smp_cell "$1" native 16 lines_per_kcycle; }
loss=$(calc "(1 - $(lines interleaved) / $(lines local)) * 100")
row xen-memwrite-interleaved 'below local' "$loss" 'percent' "$(holds "$loss > 0")"
loss=$(calc "(1 - $(lines remote) / $(lines interleaved)) * 100")
row xen-memwrite-remote 'a worst case, too' "$loss" 'percent' "$(holds "$loss > 0")" \
	'below interleaved'
