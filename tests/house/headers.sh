# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Every public header compiles alone, as C11 and as C++11, on both word sizes, under warnings that
# a strict caller may have turned on. Those of the core also compile without a libc.
. "$(dirname "$0")/lib.sh"

flags=(-Wall -Wextra -Wpedantic -Wconversion -Werror -Iinclude -fsyntax-only)

# check HEADER LANGUAGE COMMAND...
check() {
	local header=$1 language=$2
	shift 2
	looked_at=$((looked_at + 1))
	printf '#include <%s>\n#include <%s>\nextern int not_empty;\n' "$header" "$header" |
		"$@" "${flags[@]}" -x "$language" - || wrong "<$header> under $*"
}

looked_at=0
find_variants gcc clang
for variant in "${variants[@]}"; do
	read -ra compiler <<<"$variant"
	for file in include/dav2m/*.h; do
		check "${file#include/}" c "${compiler[@]}" -std=c11 -ffreestanding -nostdinc \
			-isystem "$("${compiler[0]}" -print-file-name=include)"
	done
	while read -r file; do
		check "${file#include/}" c "${compiler[@]}" -std=c11
	done < <(find include -name '*.h')
done
find_variants g++ clang++
for variant in "${variants[@]}"; do
	read -ra compiler <<<"$variant"
	while read -r file; do
		check "${file#include/}" c++ "${compiler[@]}" -std=c++11
	done < <(find include -name '*.h')
done
finish "$looked_at"
