# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Recording: programs whose traces are known, through the plugin and through lackey; what they print
# and end with is theirs; both recorders see the same pages; a recording that fails leaves nothing.
#
# usage: bash trace_record.sh DAV2M SUBJECT [RECORDER]
. "$(dirname "$0")/../support/check.sh"
dav2m=$(realpath "$1")
subject=$(realpath "$2")
cd "$scratch"
export TMPDIR=$scratch

is() { # is WHAT GOT EXPECTED
	checks=$((checks + 1))
	[ "$2" = "$3" ] || wrong "$1: $2, not $3"
}

have() { command -v "$1" >/dev/null; }
have qemu-x86_64 || skip 'no qemu-x86_64 on this machine'

# record EXPECTED_STATUS FILE COMMAND...
record() {
	local expected=$1 file=$2 got=0
	shift 2
	"$dav2m" trace --recorder "${recorder:-qemu}" -o "$file" -- "$@" >out 2>err </dev/null || got=$?
	is "status of $*" "$got" "$expected"
	[ ! -s err ] || wrong "$*: $(cat err)"
	[ "$expected" -gt 127 ] || [ -s "$file" ] || wrong "$*: no trace"
}

# lines FILE PATTERN: how many lines of the dump match
lines() { "$dav2m" trace --dump "$1" | grep -cE "$2" || true; }

hex() { printf '0x%x' "$1"; }

# pages FILE LENGTH KIND: for each mapping of LENGTH pages, the different pages of it that references
# of KIND touch before it is unmapped or the recording ends
pages() {
	"$dav2m" trace --dump "$1" | awk -v bytes="$(hex $(($2 * 4096)))" -v kind="$3" '
		function value(text,   i, sum) {
			for (i = 3; i <= length(text); i++)
				sum = sum * 16 + index("123456789abcdef", substr(text, i, 1))
			return sum }
		function report(   page, n) { if (!open) return
			for (page in seen) n++
			printf "%s%d", reported++ ? " " : "", n; delete seen; open = 0 }
		$1 == "map" && $3 == bytes { report(); low = value($2); high = low + value($3); open = 1 }
		$1 == "unmap" && value($2) == low { report() }
		$1 == "exec" { report() }
		open && $1 == kind && value($2) >= low && value($2) < high { seen[$2] = 1 }
		END { report() }'
}

record 42 subject "$subject"
is 'what it prints' "$(cat out)" 'as expected'
is 'forks' "$(lines subject '^fork')" 2
is 'execs' "$(lines subject '^exec$')" 2
is 'exits' "$(lines subject '^exit$')" 4
is 'maps of 101 pages' "$(lines subject "^map .* $(hex $((101 * 4096))) 0x3")" 1
is 'unmaps of 101 pages' "$(lines subject "^unmap .* $(hex $((101 * 4096)))")" 1
is 'protects of 101 pages' "$(lines subject "^protect .* $(hex $((101 * 4096))) 0x1")" 1
is 'pages written of 101' "$(pages subject 101 store)" 101
is 'pages read of 101' "$(pages subject 101 load)" 101
is 'pages written of 53' "$(pages subject 53 store)" 37
is 'pages written of 19, in each execution' "$(pages subject 19 store)" '19 19'

# Everything is switched to before it runs, and the last process that runs exits.
"$dav2m" trace --dump subject >dump
is 'first line' "$(head -n 1 dump)" 'switch 0x1'
is 'last line' "$(tail -n 1 dump)" exit
# The one child that was not executed anew writes its 11 pages in a space of its own.
awk '$1 == "fork" && !child { child = $2 } $1 == "switch" { running = $2 }
	$1 == "store" && running == child { seen[$2] = 1 } $1 == "exit" && running == child { exit }
	END { for (page in seen) n++; exit n < 11 || n > 60 }' dump ||
	wrong 'the child does not write its pages'
"$dav2m" sim --format csv --modes native,shadow,nested subject >simulated ||
	wrong 'the recording cannot be simulated'
is 'modes simulated' "$(grep -c '^[ns]' simulated)" 3

# The same program twice is the same trace, and what it ends with is its own.
record 0 true1 /bin/true
record 0 true2 /bin/true
cmp -s true1 true2 || wrong 'two recordings of /bin/true differ'
record 3 status sh -c 'exit 3'
record 143 signal sh -c 'kill -TERM $$'
# Whoever is asked to end asks the program, and the trace is written.
mkfifo never
ended() { # ended SIGNAL STATUS SCRIPT: that signal when the script has begun
	local got=0
	rm -f begun ended
	env --default-signal=INT "$dav2m" trace --recorder qemu -o ended -- sh -c "$3" <>never &
	for _ in {1..200}; do [ ! -s begun ] || break; sleep 0.05; done
	kill -"$1" $!
	wait $! || got=$?
	is "status after SIG$1" "$got" "$2"
	"$dav2m" trace --info ended | grep -q 'events exit: [12]$' || wrong "no trace after SIG$1"
}
ended TERM 143 'echo begun >begun; read -r line'
# So that one may press ctrl-C, or send what it sends.
ended INT 130 'echo begun >begun; read -r line'
# What outlives the program is recorded until somebody asks for the end. (sh ends right after.)
# shellcheck disable=SC2016 # the script expands it
ended TERM 143 'sh -c "while kill -0 $$ 2>/dev/null; do :; done; echo begun >begun; echo \$\$ >orphan; read -r line <>never" &'
kill "$(cat orphan)" 2>/dev/null || wrong 'the orphan was not left alone'
record 0 threads "$subject" threads
is 'maps of the threads' "$(lines threads "^map .* $(hex $((23 * 4096))) 0x3")" 3
is 'unmaps of the threads' "$(lines threads "^unmap .* $(hex $((23 * 4096)))")" 3
"$dav2m" sim --format csv --modes native threads >/dev/null || wrong 'threads cannot be simulated'

# Scripts, pipelines, background processes, programs that are not there.
# shellcheck disable=SC2016 # the script expands them
printf '#!/bin/sh -e\necho "$0" "$@"\n' >script
chmod +x script
record 0 trace ./script one 'two three'
is 'arguments of a script' "$(cat out)" './script one two three'
record 0 trace sh -c './script 1 | cat; (sleep 0.2; echo late) & nothere 2>/dev/null; echo done'
is 'a pipeline' "$(sort out | tr '\n' ' ')" './script 1 done late '

expect() { # expect PATTERN ARG...: fails with that message, and leaves nothing
	local pattern=$1
	shift
	checks=$((checks + 1))
	! PATH=${path:-$PATH} "$dav2m" trace "$@" >out 2>err </dev/null || wrong "dav2m trace $* ended well"
	grep -q -- "$pattern" err || wrong "dav2m trace $*: no '$pattern' in: $(cat err)"
}
expect 'nothere: No such file' -o new nothere
expect 'the name of PROGRAM is empty' -o new ''
mkdir folder
expect './folder: Is a directory' -o new ./folder
expect 'nowhere' -o nowhere/new /bin/true
path=/nowhere expect 'neither qemu-x86_64' -o new "$subject"
path=/nowhere expect 'package qemu-user' --recorder qemu -o new "$subject"
expect 'is not a choice' --recorder pin -o new /bin/true
mkdir bin
printf '#!/bin/sh\nexit 1\n' >bin/qemu-x86_64
chmod +x bin/qemu-x86_64
path=$scratch/bin:$PATH expect 'did not load the plugin' --recorder qemu -o new "$subject"
[ ! -e new ] || wrong 'a failed recording leaves a file'
is 'what is left behind' "$(find . -name '*.part' -o -name 'dav2m-*')" ''

# Both recorders see the same program: the pages that it writes, and about as many instructions.
if have valgrind; then
	recorder=lackey record 7 again.lackey "$subject" again
	record 7 again.qemu "$subject" again
	for file in again.lackey again.qemu; do
		"$dav2m" trace --dump "$file" | awk '/^fetch/ { n += $3; code[$2] = 1 } /^(load|store)/ { data[$2] = 1 }
			END { for (p in code) c++; for (p in data) d++; print n, c, d }' >"$file.sums"
	done
	# valgrind loads two libraries of its own into the program, which is some million instructions long,
	# and has its stack elsewhere.
	paste -d ' ' again.lackey.sums again.qemu.sums | awk '
		function near(a, b, bound) { return (a > b ? a - b : b - a) <= bound * a }
		{ exit !(near($1, $4, 0.05) && near($2, $5, 0.1) && near($3, $6, 0.1)) }' ||
		wrong "lackey and QEMU differ: $(cat again.lackey.sums), $(cat again.qemu.sums)"
	checks=$((checks + 1))
	"$dav2m" sim --format csv --modes native again.lackey >/dev/null || wrong 'lackey: no simulation'
	PATH=$scratch/bin:$PATH "$dav2m" trace -o fallen /bin/true 2>err || wrong "no fall-back: $(cat err)"
	grep -q 'recording with lackey' err || wrong "the fall-back is not told: $(cat err)"
	"$dav2m" trace --info fallen | grep -q 'lackey' || wrong 'the fall-back records nothing'
fi

finish "$checks"
