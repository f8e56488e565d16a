# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Every source says its licence in one of its first three lines, in the same words.
. "$(dirname "$0")/lib.sh"

looked_at=0
while read -r file; do
	looked_at=$((looked_at + 1))
	head -n 3 "$file" | grep 'SPDX-License-Identifier: BSD-2-Clause' >/dev/null ||
		wrong "$file has no SPDX line"
done < <(find . \( -path './build*' -o -path './.git' \) -prune -o -type f \
	\( -name '*.[chS]' -o -name '*.sh' -o -name '*.[1-9]' -o -name meson.build -o -name '*.gp' \) -print)
finish "$looked_at"
