# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# ./dev without building anything: what it says to a wrong word, and on a foreign system.
. "$(dirname "$0")/lib.sh"

# run EXPECTED_STATUS ARG...: leaves what was printed in $scratch/out and $scratch/err
run() {
	local expected=$1 status=0
	shift
	looked_at=$((looked_at + 1))
	./dev "$@" >"$scratch/out" 2>"$scratch/err" </dev/null || status=$?
	[ "$status" -eq "$expected" ] || wrong "./dev $* ends with $status, not $expected"
}

looked_at=0
run 0 help
for verb in demo pictures test bench lint coverage; do
	grep -qE "^  $verb\b" "$scratch/out" || wrong "./dev help does not tell of $verb"
done
run 2
grep -q '^usage:' "$scratch/err" || wrong './dev alone prints no usage'
run 2 no-such-verb
grep -q 'no-such-verb' "$scratch/err" || wrong 'a wrong verb is not named'
run 2 bench no-such-benchmark
grep -q 'no-such-benchmark' "$scratch/err" || wrong 'a wrong benchmark is not named'
run 0 packages demo
! grep -qE '^(clang|check|gcovr)$' "$scratch/out" || wrong 'the demo asks for what only tests need'
grep -qx meson "$scratch/out" || wrong './dev packages demo leaves out meson'
run 2 packages no-such-verb
grep -q 'no-such-verb' "$scratch/err" || wrong 'packages of a wrong verb'

# A foreign system with nothing but a shell: the list of what is missing, and no attempt.
mkdir "$scratch/bin"
for tool in bash dirname nproc uname sort grep id cat env; do
	ln -s "$(command -v "$tool")" "$scratch/bin/$tool"
done
printf 'ID=fedora\n' >"$scratch/os-release"
PATH=$scratch/bin OS_RELEASE=$scratch/os-release run 1 build
for package in gcc meson ninja-build pkg-config libarchive-dev; do
	grep -qx "  $package" "$scratch/err" || wrong "the list of what is missing lacks $package"
done
finish "$looked_at"
