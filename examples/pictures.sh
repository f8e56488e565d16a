#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# usage: examples/pictures.sh BUILD [DIRECTORY [SCALE]]
#
# The figures of the DAV2M paper, of simulated runs, in DIRECTORY (BUILD/pictures), each as .svg and
# as .png beside the .csv that it shows:
#
#   MACHINE/PROGRAM.rates       figure 5: CPI, paging exits, TLB misses over time
#   MACHINE/PROGRAM.thresholds  figure 9: the controller's thresholds and what it counted
#   MACHINE/overhead            figures 4 and 10: run time over native
#   MACHINE/switches            figure 11: transitions
#   MACHINE/share               figure 12: time in each mode
#
# SCALE stretches the programs; the default is 1, their usual length.
set -euo pipefail
dav2m=$(realpath "$1/tools/dav2m")
directory=${2:-$1/pictures}
scale=${3:-1}
programs=(swim zeusmp gcc gzip apsi crafty fma3d)
mkdir -p "$directory"
cd "$directory"

# What a program does while it starts is under a hundredth of a real SPEC run; not so of ours. The
# programs with several inputs do it again and again, so there it counts.
warm_up() { case $1 in gcc | gzip) echo 0 ;; *) awk "BEGIN { printf \"%.0f\", 3e9 * $scale }" ;; esac; }

# One line for each program: name, percent over native in shadow, nested and adaptive, switches,
# percent of ticks in shadow.
row() {
	awk -F, -v name="$1" '/^#/ { next }
		!head { head = 1; for (i = 1; i <= NF; i++) at[$i] = i; next }
		{ over[$1] = $at["over_native_percent"] }
		$1 == "adaptive" { switches = $at["mode_switches"]; share = $at["shadow_percent"] }
		END { printf "%s,%s,%s,%s,%s,%s\n", name, over["shadow"], over["nested"],
			over["adaptive"], switches, share }' "$2"
}

# draw NAME TITLE: the commands on standard input plot NAME.csv
draw() {
	local commands ending terminal
	commands=$(cat)
	for ending in svg png; do
		case $ending in
		svg) terminal="svg size 1000,560 font 'sans,15' background rgb 'white'" ;;
		png) terminal="pngcairo size 1000,560 font 'sans,13' background rgb 'white'" ;;
		esac
		gnuplot <<-END
			set terminal $terminal
			set output '$1.$ending.part'
			set datafile separator ','
			set label 1 "$2" at graph 0,1.07 left noenhanced font ',17'
			set tmargin 4
			set border 3 lc rgb '#777777'
			set tics nomirror textcolor rgb '#333333'
			set grid ytics lc rgb '#e4e4e4' lt 1
			set key at graph 1,1.03 bottom right horizontal
			set style fill solid 1.0 noborder
			set style data histograms
			set style histogram clustered gap 1
			set yrange [0:*]
			$commands
		END
		mv "$1.$ending.part" "$1.$ending"
	done
}

for machine in opteron2350 phenom550; do
	mkdir -p "$machine"
	table=$machine/programs.csv
	echo 'program,shadow_over_native_percent,nested_over_native_percent,adaptive_over_native_percent,switches,shadow_percent' >"$table.part"
	for name in "${programs[@]}"; do
		"$dav2m" sim --workload "spec-$name" --machine "$machine" --guest-tables 2 \
			--scale "$scale" --warm-up "$(warm_up "$name")" --format csv \
			--pictures "$machine/$name" -o "$machine/$name.csv"
		row "$name" "$machine/$name.csv" >>"$table.part"
	done
	mv "$table.part" "$table"
	draw "$machine/overhead" "$machine: run time over native, percent" <<-END
		plot '$table' using 2:xtic(1) skip 1 lc rgb '#3b75af' title 'shadow', \
			'' using 3 skip 1 lc rgb '#e08214' title 'nested', \
			'' using 4 skip 1 lc rgb '#222222' title 'adaptive'
	END
	draw "$machine/switches" "$machine: switches of the paging mode" <<-END
		set key off
		plot '$table' using 5:xtic(1) skip 1 lc rgb '#222222', \
			'' using 0:5:5 skip 1 with labels offset 0,0.7
	END
	draw "$machine/share" "$machine: share of the time in each mode, percent" <<-END
		set style histogram rowstacked
		set boxwidth 0.6
		set yrange [0:100]
		plot '$table' using 6:xtic(1) skip 1 lc rgb '#3b75af' title 'shadow', \
			'' using (100 - \$6) skip 1 lc rgb '#e08214' title 'nested'
	END
done
printf '%s\n' "$PWD"
