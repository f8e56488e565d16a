# shellcheck shell=bash
# shellcheck disable=SC2154 # build, scratch and the functions are those of bench/validation
# SPDX-License-Identifier: BSD-2-Clause
#
# The ATLAS paper: DGEMM under memory pressure; sourced by bench/validation.

# The ATLAS paper's sweep: one file per guest with a row per dimension and mode.
# sweep GUEST
sweep() {
	local x file=$scratch/sweep-$1
	for ((x = 100; x <= 4000; x += 100)); do
		simulate "$scratch/one" --workload dgemm --size "$x" --guest "$1" --machine pentium-d \
			--cost xen304 --modes native,shadow,nested --characterize
		awk -F, -v x="$x" '/^#/ { next } !n++ { head = $0; next } { print x "," $0 }
			END { print "x," head >"/dev/stderr" }' "$scratch/one" >>"$file" 2>"$scratch/head"
	done
	sort -s -t, -k1,1n "$file" -o "$file"
	cat "$scratch/head" "$file" >"$file.csv"
}
sweep linux26-256
sweep linux26-756

# first GUEST MODE CONDITION: first dimension whose row fulfils it, of the columns by name and of
# "_was_NAME", the row before; 0 if none does
first() {
	awk -F, -v mode="$2" '
		NR == 1 { for (i = 1; i <= NF; i++) at[i] = $i; next }
		$2 != mode { next }
		{ for (i = 1; i <= NF; i++) { was[at[i]] = now[at[i]]; now[at[i]] = $i } n++ }
		n > 1 && ('"$3"') { print now["x"]; found = 1; exit }
		END { if (!found) print 0 }' "$scratch/sweep-$1.csv"
}

# at GUEST MODE DIMENSION COLUMN
at() {
	awk -F, -v mode="$2" -v x="$3" -v column="$4" '
		NR == 1 { for (i = 1; i <= NF; i++) if ($i == column) c = i; next }
		$1 == x && $2 == mode { print $c }' "$scratch/sweep-$1.csv"
}

# The matrices are 24 x^2 bytes, so from one dimension to the next the RSS should grow by that. The
# largest RSS is the driver's as soon as it is more than the shell's.
knee='was["rss_peak_kb"] > 1420 && now["rss_peak_kb"] - was["rss_peak_kb"] < (now["x"] ^ 2 - was["x"] ^ 2) * 24 / 1024 / 2'
# near NAME PAPER OURS WHY: the paper's dimensions are 100 apart, so one of them is all it tells
near() { row "$1" "$2" "$3" dimension "$(holds "$3 >= $2 - 100 && $3 <= $2 + 100")" "${4:-}"; }
none() { row "$1" 'none up to 4000' "$2" dimension "$(holds "$2 == 0")"; }
near atlas-rss-stops-256 3100 "$(first linux26-256 native "$knee")"
near atlas-swap-starts-256 3100 "$(first linux26-256 native 'now["swap_peak_kb"] > 0')"
near atlas-major-faults-start-256 3100 "$(first linux26-256 native 'now["major_faults"] > 0')"
near atlas-swap-cache-faults-start-256 3100 "$(first linux26-256 native 'now["swap_cache_faults"] > 0')"
none atlas-rss-stops-756 "$(first linux26-756 native "$knee")"
none atlas-swap-starts-756 "$(first linux26-756 native 'now["swap_peak_kb"] > 0')"
none atlas-major-faults-start-756 "$(first linux26-756 native 'now["major_faults"] > 0')"
for mode in shadow nested; do
	near "atlas-rss-stops-256-$mode" 3100 "$(first linux26-256 "$mode" "$knee")"
	row "atlas-major-faults-as-native-$mode" 'no difference' \
		"$(calc "$(at linux26-256 "$mode" 4000 major_faults) - $(at linux26-256 native 4000 major_faults)")" \
		faults "$(holds "$(at linux26-256 "$mode" 4000 major_faults) == $(at linux26-256 native 4000 major_faults)")"
done
small=$(at linux26-256 native 4000 minor_faults)
large=$(at linux26-756 native 4000 minor_faults)
row atlas-minor-faults-4000 'many more at 256 MB' "$(calc "$small / $large")" times "$(holds "$small > 1.5 * $large")"
row atlas-itlb-below-knee 'no difference' \
	"$(calc "$(at linux26-256 native 2900 itlb_misses) - $(at linux26-756 native 2900 itlb_misses)")" misses \
	"$(holds "$(at linux26-256 native 2900 itlb_misses) == $(at linux26-756 native 2900 itlb_misses)")"
small=$(at linux26-256 native 4000 itlb_misses)
large=$(at linux26-756 native 4000 itlb_misses)
row atlas-itlb-4000 'more at 256 MB' "$(calc "$small / $large")" times "$(holds "$small > 1.5 * $large")"
near atlas-itlb-rise-starts-256 3100 \
	"$(first linux26-256 native 'now["itlb_misses"] > 1.5 * was["itlb_misses"] && now["x"] > 2000')"
row atlas-dtlb-grows 'with the data' "$(first linux26-756 native 'now["dtlb_misses"] <= was["dtlb_misses"]')" \
	dimension "$(holds "$(first linux26-756 native 'now["dtlb_misses"] <= was["dtlb_misses"]') == 0")" \
	'that at which they do not'
growth=$(calc "$(at linux26-756 native 4000 dtlb_misses) / $(at linux26-756 native 2000 dtlb_misses)")
row atlas-dtlb-4000-to-2000 '4 (as 3 x^2)' "$growth" times "$(holds "$growth > 3.5 && $growth < 4.5")" \
	'each of the (x / 36)^2 blocks of C reads panels of length x, more pages than 64 entries hold: x^3'
small=$(at linux26-256 native 4000 dtlb_misses)
large=$(at linux26-756 native 4000 dtlb_misses)
row atlas-dtlb-256-to-756 'no difference' "$(calc "$small / $large")" times \
	"$(holds "$small / $large > 0.98 && $small / $large < 1.02")"
row atlas-slower-4000 'collapses at 256 MB' \
	"$(calc "$(at linux26-256 native 4000 cycles) / $(at linux26-756 native 4000 cycles)")" times \
	"$(holds "$(at linux26-256 native 4000 cycles) > 1.5 * $(at linux26-756 native 4000 cycles)")"
