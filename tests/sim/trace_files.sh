# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Memory traces as files: every format is recognised, read, converted and simulated alike; damage is
# named and leaves nothing behind; memory does not grow with the trace.
#
# usage: bash trace_files.sh SOURCE_ROOT DAV2M
. "$(dirname "$0")/../support/check.sh"
src=$(realpath "$1")
dav2m=$(realpath "$2")
cd "$scratch"
tested=("$dav2m")

# info KEY: a value of the last --info
info() { sed -n "s/^$1: //p" out; }

# simulated FILE...: what a simulation counts, without its title
simulated() {
	"$dav2m" sim --format csv --modes native,nested "$@" | grep -v '^#'
}

# The same program of 20000 instructions in three formats, without sizes that straddle pages.
awk 'BEGIN { for (i = 0; i < 20000; i++) {
	code = 4194304 + int(i / 7 % 3000) * 4; data = 268435456 + (i * i % 500) * 4096
	printf "I  %08x,4\n", code >"lackey"; printf "2 %x\n", code >"din"
	if (i % 3 == 0) { printf " L %x,8\n", data >"lackey"; printf "0 %x\n", data >"din" }
	if (i % 3 == 1) { printf " S %x,8\n", data >"lackey"; printf "1 %x\n", data >"din" } } }'
# ChampSim's records: octal escapes for printf, byte by byte
awk 'function bytes(n, value) { for (; n > 0; n--) { printf "\\%03o", value % 256; value = int(value / 256) } }
	BEGIN { for (i = 0; i < 20000; i++) {
	bytes(8, 4194304 + int(i / 7 % 3000) * 4); bytes(8, 0)
	data = 268435456 + (i * i % 500) * 4096
	bytes(8, i % 3 == 1 ? data : 0); bytes(8, 0); bytes(8, i % 3 == 0 ? data : 0); bytes(24, 0)
	printf "\n" } }' | while read -r record; do printf '%b' "${record//\\/\\0}"; done >champsim

simulated lackey >expected
[ "$(wc -l <expected)" -eq 3 ] || wrong "three lines are expected, not: $(cat expected)"
for format in lackey din champsim; do
	expect 0 '' trace --info "$format"
	[ "$(info format)" = "$format" ] || wrong "$format is taken for $(info format)"
	[ "$(info instructions)" = 20000 ] || wrong "$format has $(info instructions) instructions"
	[ "$(info loads)$(info stores)" = 66676667 ] || wrong "$format: $(cat out)"
	simulated "$format" | cmp - expected || wrong "$format simulates otherwise"
	simulated --input-format "$format" "$format" | cmp - expected || wrong "--input-format $format"
	xz -c "$format" >"$format.xz"
	simulated "$format.xz" | cmp - expected || wrong "$format.xz simulates otherwise"
	expect 0 '' trace --convert "$format.xz" -o "$format.dav2m"
	simulated "$format.dav2m" | cmp - expected || wrong "$format.dav2m simulates otherwise"
	expect 0 '' trace --info "$format.dav2m"
	[ "$(info format)" = dav2m ] || wrong "a trace is taken for $(info format)"
	[ "$(info recorder)" = "converted from $format" ] || wrong "recorder: $(info recorder)"
	[ "$(info program)" = "$format.xz" ] || wrong "program: $(info program)"
	[ "$(info instructions)" = 20000 ] || wrong "converting loses instructions"
	[ "$(($(info loads) + $(info stores)))" = 13334 ] || wrong 'converting loses data references'
	[ "$(info 'events switch')$(info 'events exit')" = 11 ] || wrong 'a trace has no process'
done
simulated - <lackey.dav2m | cmp - expected || wrong 'the standard input simulates otherwise'
[ "$(stat -c %s lackey.dav2m)" -lt "$(($(stat -c %s lackey) / 10))" ] ||
	wrong "a trace of $(stat -c %s lackey.dav2m) bytes is not compact"

# Two traces in one guest.
"$dav2m" sim --format csv --modes native lackey.dav2m din.dav2m | grep -q '^native,40000,' ||
	wrong 'two traces are not the sum of both'

# What ran is what a trace says, not what its file is called now; other traces have their names.
mv lackey.dav2m renamed.dav2m
expect 0 '' sim --modes native --window-inst 1000 --record rec renamed.dav2m din
grep -qx '# program: lackey.xz; din' rec.native.csv || wrong "recorded: $(grep program rec.native.csv)"
grep -q '^lackey.xz; din: machine' out || wrong "the table tells of $(tail -n 1 out)"
mv renamed.dav2m lackey.dav2m

# What is wrong, and where.
zstd -q -d <lackey.dav2m >plain
size=$(stat -c %s plain)
head -c $((size * 2 / 3)) plain >part
{ head -c $((size / 2)) plain; printf 'x'; tail -c +$((size / 2 + 2)) plain; } >flipped
{ printf 'dav2m memory trace 2\n\n'; tail -c 100 plain; } >version
{ cat plain; printf 'x'; } >longer
head -c $(($(stat -c %s lackey.dav2m) / 2)) lackey.dav2m >cut.dav2m
{ head -n 10 din; echo '7 1000'; } >bad.din
{ head -c 6400 champsim; printf '\002%.0s' {1..64}; } >bad.champsim
head -c 6410 champsim >cut.champsim
printf 'hello\n' >unknown
: >empty
expect 1 'part: block 1 (byte .*this one is cut off' sim part
expect 1 'flipped: block 1 .*checksum differs' sim flipped
expect 1 'version: header 0 .*this version' sim version
expect 1 'longer: block .*nothing may follow' sim longer
expect 1 'cut.dav2m: ' sim cut.dav2m
expect 1 'bad.din:11:1: a record must begin' sim bad.din
expect 1 'bad.champsim: record 101: .*must be 0 or 1' sim bad.champsim
expect 1 'cut.champsim: record 101: .*cut off' sim cut.champsim
expect 1 'unknown: is no memory trace' sim unknown
expect 1 'empty: is empty' sim empty
expect 1 'din:1:1: a record must begin with "I' sim --input-format lackey din
expect 1 'lackey: header 0 .*a trace must begin' sim --input-format dav2m lackey
expect 2 "'elf' is not a choice" sim --input-format elf lackey
expect 1 'absent: No such file' trace --info absent
expect 1 'part: block 1' trace --info part
expect 1 'is a dav2m memory trace already' trace --convert plain -o new
expect 1 'bad.din:11:1' trace --convert bad.din -o new
expect 1 'empty: is empty' trace --convert empty -o new
absent new
echo precious >kept
expect 1 'bad.din:11:1' trace --convert bad.din -o kept
[ "$(cat kept)" = precious ] || wrong 'a failed conversion touches the old file'
expect 1 'din: this output would overwrite' trace --convert din -o ./din
expect 1 'nowhere' trace --convert din -o nowhere/new
expect 2 'needs --output' trace --convert din
expect 2 'one of' trace
expect 0 '' trace --dump lackey.dav2m
[ "$(head -n 2 out | tr '\n' ' ')" = 'switch 0x1 fetch 0x400000 7168 ' ] || wrong "--dump: $(head -n 2 out)"
[ "$(tail -n 1 out)" = exit ] || wrong "--dump ends with $(tail -n 1 out)"
expect 2 'one of' trace --info din --convert din -o new
expect 2 "'elf' is not a choice" trace --info din --input-format elf

# Larger than the memory there is: 20 million runs are 160 MB as words, 40 MB as bytes inside.
awk 'BEGIN { for (i = 0; i < 100000; i++) printf "%d %x000\n", i % 2, 4096 + i * 17 % 90 }' >piece
for _ in {1..200}; do cat piece; done | "$dav2m" trace --convert - -o large ||
	wrong 'cannot convert the standard input'
expect 0 '' trace --info large
[ "$(info runs)" = 20000000 ] || wrong "large has $(info runs) runs"
# Under a sanitizer nothing starts with so little.
if (ulimit -v 100000 && "$dav2m" --version >/dev/null 2>&1); then
	limited=$( (ulimit -v 100000 && "$dav2m" trace --info large) 2>&1) ||
		wrong "with 100 MB: $limited"
	limited=$( (ulimit -v 140000 &&
		"$dav2m" sim --guest-memory 64 --modes native large) 2>&1) || wrong "with 140 MB: $limited"
fi

for look in --info --dump; do
	expect 2 'go to the standard output, without --output' trace $look large -o table
	absent table
done
documented "$src/man/dav2m-trace.1" "$dav2m" trace
finish "$checks"
