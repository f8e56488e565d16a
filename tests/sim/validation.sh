# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# docs/validation.md is what bench/validation prints: looked at for the papers whose rows take
# seconds only. A change of the model that moves a row has to bring the page along.
#
# usage: bash validation.sh SOURCE_ROOT BUILD_ROOT
. "$(dirname "$0")/../support/check.sh"
src=$(realpath "$1")
build=$(realpath "$2")

for paper in hvm xen; do
	grep "^| $paper-" "$src/docs/validation.md" >"$scratch/page"
	"$src/bench/validation" "$build" --markdown "$paper" | grep "^| $paper-" >"$scratch/now"
	diff "$scratch/page" "$scratch/now" || {
		echo 'docs/validation.md is out of date: bench/validation build --markdown >docs/validation.md'
		exit 1
	}
done

# The page says how many rows hold; they are there.
rows=$(grep -cE '^\| [a-z0-9]+-' "$src/docs/validation.md")
held=$(grep -cE '\| held \|$' "$src/docs/validation.md")
grep -qx "$held of $rows rows hold\\." "$src/docs/validation.md" ||
	{ echo "docs/validation.md has $rows rows, $held of which hold, and says otherwise"; exit 1; }
