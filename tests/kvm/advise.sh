#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# usage: advise.sh DAV2M
#
# What `dav2m kvm advise` says of recordings whose right answer can be computed by hand, under each
# mode and with each counter missing that it would need. Written for this test: they come from no
# host. No guest is needed.
. "$(dirname "$0")/../support/check.sh"
dav2m=$(realpath "$1")
cd "$scratch"

# recording MODE NOTE COLUMNS ROW...
recording() {
	printf '# dav2m counter trace 1\n# mode: %s\n# progress_unit: instructions\n# note: %s\n' "$1" "$2"
	shift 2
	printf '%s\n' "$@"
}

# says WHAT EXPECTED...: advice, its lines joined, holds each of EXPECTED
# never WHAT PATTERN: and nowhere that
says() {
	local what=$1 text
	shift
	for text in "$@"; do
		grep -qF -- "$text" advice || { wrong "$what: not '$text' in"; cat advice; }
	done
}
never() {
	! grep -qE -- "$2" advice || { wrong "$1: claims what nothing counted:"; cat advice; }
}

advise() {
	local status=0
	"$dav2m" kvm advise "$@" >lines 2>err || status=$?
	[ "$status" -eq 0 ] || wrong "advise $*: ends with $status: $(cat err)"
	tr '\n' ' ' <lines | tr -s ' ' >advice
}

# Nested, a PMU: 200 of 2000 cycles in walks. Less than all of them cannot be saved.
recording nested x progress,cycles,walk_cycles 500,1000,150 500,1000,50 >nested.csv
advise nested.csv
says nested 'page walks took 10.0 % of its cycles' 'shadow paging could save up to 10.0 %' \
	'less its own page walks and its paging exits, which nested paging does not show' \
	'record the same work once in each mode' 'Huge pages: not known from a recording'
! grep interrupted err || wrong 'a whole recording is called interrupted'
sed 's/^# mode/# interrupted: yes\n&/' nested.csv >cut.csv
advise cut.csv
grep -q 'cut.csv: interrupted: it holds the beginning of the program' err ||
	wrong "an interrupted recording: $(cat err)"
# One that was killed ends within a line, which is told and left out: 150 of 1000 are left.
head -c -3 nested.csv >killed.csv
advise killed.csv
grep -q 'killed.csv: the last line is incomplete and was dropped' err || wrong "a cut line: $(cat err)"
says 'nested, cut within a line' 'page walks took 15.0 % of its cycles'
# Compressed, as replay takes it.
for tool in gzip xz zstd; do
	command -v "$tool" >/dev/null || continue
	"$tool" -c nested.csv >packed.csv
	advise packed.csv
	says "nested, by $tool" 'page walks took 10.0 % of its cycles'
done
advise nested.csv --worth 11
says 'nested, worth 11' 'stay with nested paging: shadow paging could save no more than 10.0 %'
advise nested.csv --worth 10
says 'nested, worth 10' 'shadow paging could save up to 10.0 %'

# Nested, no walks at all.
recording nested x progress,cycles,walk_cycles 500,1000,0 500,1000,0 >still.csv
advise still.csv
says 'nested without walks' 'Advice: stay with nested paging.'

# Nested, blind: exits stand still there and say nothing of the walks.
recording nested 'CPU time of the thread in ns' cycles,paging_exits 1000,0 1000,0 >blind.csv
advise blind.csv
says 'nested, blind' 'Advice: none.' 'walk cycles were not counted' \
	'record the same work once in each mode' 'without it compare the time that the work took' \
	'Not measured, or not in every sample: progress, tlb_misses, walk_cycles'
never 'nested, blind' '[0-9] %'
# Walks in one sample only are no measure of all.
recording nested x progress,cycles,walk_cycles 500,1000,150 500,1000, >gap.csv
advise gap.csv
says 'nested, a gap' 'walk cycles were not counted'
never 'nested, a gap' '[0-9] %'
# Walk cycles cannot be put in proportion to CPU time.
recording nested 'CPU time of the thread in ns' cycles,walk_cycles 1000,10 1000,10 >units.csv
advise units.csv
says 'nested, two units' 'no cycles to compare them to'
never 'nested, two units' '[0-9] %'

# Shadow without exits.
recording shadow x cycles,paging_exits 1000,0 1000,0 >calm.csv
advise calm.csv
says 'shadow, calm' 'took 0 paging exits' 'Advice: stay with shadow paging.'

# Shadow, no progress: exits are known, what they cost is not, unless it is supplied.
recording shadow 'CPU time of the thread in ns' cycles,paging_exits 10000,0 10000,100 10000,20 >churn.csv
advise churn.csv
says 'shadow, no cost' 'took 120 paging exits, 4000.0 per million ns of CPU time' \
	'there was one in each 100 ns of CPU time' 'Advice: none. What an exit costs cannot be told' \
	'record the same work once in each mode'
never 'shadow, no cost' '[0-9] %'
advise churn.csv --exit-cost 50
says 'shadow, cost 50' 'the exits took 20.0 % of its time' \
	'nested paging could save up to 20.0 %, less longer page walks, which shadow paging does not show'
advise churn.csv --exit-cost 50 --worth 21
says 'shadow, worth 21' 'stay with shadow paging: nested paging could save no more than 20.0 %'
advise churn.csv --exit-cost 300
says 'shadow, cost 300' 'the exits alone would take 120 %' 'here an exit costs less'
never 'shadow, cost 300' 'could save'

# Shadow with progress: calm at 2 and 2.2 cycles, then 4000 cycles for 1000: 1800 to 2000 of 8200.
recording shadow x progress,cycles,paging_exits 1000,2000,0 1000,2200,0 1000,4000,10 >pace.csv
advise pace.csv
says 'shadow, pace' '2 samples without paging exits took 2.00 to 2.20 cycles per unit of progress' \
	'1 sample with exits spent 22.0 to 24.4 % of its time' 'cannot be told apart' 'Advice: none.'
never 'shadow, pace' 'could save'
# The same in CPU time.
recording shadow 'CPU time of the thread in ns' progress,cycles,paging_exits 1000,2000,0 1000,4000,10 \
	>pace-ns.csv
advise pace-ns.csv
says 'shadow, pace in ns' '1 sample without paging exits took 2.00 to 2.00 ns of CPU time per unit' \
	'spent 33.3 to 33.3 % of its time'
never 'shadow, pace in ns' 'cycles per'
# A pace that goes from 2 to 200 says nothing of 4: neither a share nor one below 0.
recording shadow x progress,cycles,paging_exits 1000,2000,0 10,2000,0 1000,4000,10 >uneven.csv
advise uneven.csv
says 'shadow, uneven pace' 'took 2.00 to 200.00 cycles per unit of progress' \
	'varies too much to tell what the 1 sample with exits spent beyond it' 'Advice: none.'
never 'shadow, uneven pace' '[0-9] %'

# Shadow, the cycles in exits counted: 1500 of 4000. They are the limit, and nothing is supplied.
recording shadow x progress,cycles,paging_exits,paging_exit_cycles 1000,2000,4,500 1000,2000,6,1000 \
	>counted.csv
advise counted.csv
says 'shadow, counted' 'paging exits took 37.5 % of its cycles, as counted.' \
	'nested paging could save up to 37.5 %, less longer page walks'
never 'shadow, counted' 'nothing counts'
advise counted.csv --exit-cost=7
says 'shadow, counted and told' 'took 37.5 % of its cycles, as counted; --exit-cost is not needed'
# In one sample only, in another unit, or more than there are: not the cost of all.
recording shadow x cycles,paging_exits,paging_exit_cycles 2000,4,500 2000,6, >counted-gap.csv
recording shadow 'CPU time of the thread in ns' cycles,paging_exits,paging_exit_cycles 2000,4,500 \
	>counted-ns.csv
recording shadow x cycles,paging_exits,paging_exit_cycles 2000,4,5000 >counted-more.csv
for name in counted-gap counted-ns counted-more; do
	advise "$name.csv"
	says "shadow, $name" 'Advice: none.'
	never "shadow, $name" 'could save'
done
says 'shadow, counted-more' 'paging exits are 250 % of all cycles'

# The same, where the guest reports its progress later than each sample.
recording shadow x progress,cycles,paging_exits 0,500,0 1000,1500,0 1000,2200,0 0,1000,10 1000,3000,0 \
	>late.csv
advise late.csv
says 'shadow, late progress' '2 samples without paging exits took 2.00 to 2.20 cycles per unit' \
	'the 1 sample with exits spent 22.0 to 24.4 % of its time'

# Exits that were not counted, and modes that changed.
recording shadow x cycles 1000 1000 >none.csv
advise none.csv
says 'shadow, blind' 'paging exits were not counted'
recording adaptive x cycles,paging_exits 1000,4 >adaptive.csv
advise adaptive.csv
says adaptive 'the mode it ran in is not known, or changed'
recording shadow x cycles,paging_exits 0,0 >idle.csv
advise idle.csv
says idle 'no CPU time of it was seen'

for bad in '--exit-cost=0' '--worth=0' '--worth=101' '--exit-cost=x'; do
	if "$dav2m" kvm advise churn.csv "$bad" >/dev/null 2>err; then wrong "took $bad"; fi
	grep -q 'is not a number from 1 to' err || wrong "$bad: $(cat err)"
done
[ "$failures" -eq 0 ] && echo 'all as it should be'
