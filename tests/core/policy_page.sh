#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# usage: policy_page.sh SOURCE_ROOT PRINT_EDGES [update]
#
# The state machine in docs/policy.md, between its markers, is what PRINT_EDGES prints.
set -euo pipefail

page=$1/docs/policy.md
edges=$("$2")
begin='<!-- edges: begin -->'
end='<!-- edges: end -->'

with_edges() {
	EDGES=$edges awk -v begin="$begin" -v end="$end" '
		$0 == end { inside = 0; found++ }
		!inside { print }
		$0 == begin { inside = 1; found++; print ENVIRON["EDGES"] }
		END { exit found != 2 }' "$page"
}

if [ "${3:-}" = update ]; then
	with_edges >"$page.part"
	mv "$page.part" "$page"
	exit
fi
diff -u "$page" <(with_edges || echo 'a marker is missing') || {
	printf 'docs/policy.md is not what src/edges.c says; run: bash %s %s %s update\n' "$0" "$1" "$2"
	exit 1
}
