#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# usage: examples/pictures.sh BUILD [DIRECTORY [SCALE]]
#
# The figures of the DAV2M paper and the curves of the ATLAS paper, of simulated runs, in DIRECTORY
# (BUILD/pictures), each as .svg and as .png beside the .csv that it shows:
#
#   MACHINE/PROGRAM.rates       figure 5: CPI, paging exits, TLB misses over time
#   MACHINE/PROGRAM.thresholds  figure 9: the controller's thresholds and what it counted
#   MACHINE/overhead            figures 4 and 10: run time over native
#   MACHINE/switches            figure 11: transitions
#   MACHINE/share               figure 12: time in each mode
#   dgemm                       ATLAS: RSS, swap, faults, TLB misses by dimension, two guests
#
# SCALE stretches the programs; the default is 1, their usual length. Below that DGEMM is tried in
# three dimensions only.
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

# draw NAME SIZE: the commands on standard input, as .svg and as .png
draw() {
	local commands ending terminal
	commands=$(cat)
	for ending in svg png; do
		case $ending in
		svg) terminal="svg size $2 font 'sans,15' background rgb 'white'" ;;
		png) terminal="pngcairo size $2 font 'sans,13' background rgb 'white'" ;;
		esac
		gnuplot <<-END
			set terminal $terminal
			set output '$1.$ending.part'
			set datafile separator ','
			set border 3 lc rgb '#777777'
			set tics nomirror textcolor rgb '#333333'
			set grid ytics lc rgb '#e4e4e4' lt 1
			$commands
		END
		mv "$1.$ending.part" "$1.$ending"
	done
}

# bars NAME TITLE: the commands on standard input plot a bar for each program
bars() {
	draw "$1" 1000,560 <<-END
		set label 1 "$2" at graph 0,1.07 left noenhanced font ',17'
		set tmargin 4
		set key at graph 1,1.03 bottom right horizontal
		set style fill solid 1.0 noborder
		set style data histograms
		set style histogram clustered gap 1
		set yrange [0:1<*]
		$(cat)
	END
}

for machine in opteron2350 phenom550; do
	mkdir -p "$machine"
	table=$machine/programs.csv
	echo 'program,shadow_over_native_percent,nested_over_native_percent,adaptive_over_native_percent,switches,shadow_percent' >"$table.part"
	for name in "${programs[@]}"; do
		"$dav2m" sim --workload "spec-$name" --machine "$machine" --guest-tables 2 \
			--scale "$scale" --warm-up "$(warm_up "$name")" --preset repaired --format csv \
			--pictures "$machine/$name" -o "$machine/$name.csv"
		row "$name" "$machine/$name.csv" >>"$table.part"
	done
	mv "$table.part" "$table"
	bars "$machine/overhead" "$machine: run time over native, percent" <<-END
		plot '$table' using 2:xtic(1) skip 1 lc rgb '#3b75af' title 'shadow', \
			'' using 3 skip 1 lc rgb '#e08214' title 'nested', \
			'' using 4 skip 1 lc rgb '#222222' title 'adaptive'
	END
	bars "$machine/switches" "$machine: switches of the paging mode" <<-END
		set key off
		plot '$table' using 5:xtic(1) skip 1 lc rgb '#222222', \
			'' using 0:5:5 skip 1 with labels offset 0,0.7
	END
	bars "$machine/share" "$machine: share of the time in each mode, percent" <<-END
		set style histogram rowstacked
		set boxwidth 0.6
		set yrange [0:100]
		plot '$table' using 6:xtic(1) skip 1 lc rgb '#3b75af' title 'shadow', \
			'' using (100 - \$6) skip 1 lc rgb '#e08214' title 'nested'
	END
done

# dgemm GUEST: the native rows of --characterize, the dimension before them
dgemm() {
	local x head=1
	for x in $dimensions; do
		"$dav2m" sim --workload dgemm --size "$x" --guest "$1" --machine pentium-d --cost xen304 \
			--modes native --characterize --format csv -o dgemm.part
		awk -v x="$x" -v head="$head" '/^#/ { next }
			!n++ { if (head) print "x," $0; next } { print x "," $0 }' dgemm.part
		head=0
	done >"dgemm-$1.csv.part"
	rm -f dgemm.part
	mv "dgemm-$1.csv.part" "dgemm-$1.csv"
}
if [ "$scale" = 1 ]; then dimensions=$(seq 100 100 4000); else dimensions='500 750 1000'; fi
guests=(linux26-256 linux26-756)
for guest in "${guests[@]}"; do dgemm "$guest"; done
# panel TITLE COLUMN DIVISOR; the invisible 1 gives a height to what is 0 everywhere
panel() {
	printf "set title '%s'\nplot 1 lt nodraw notitle," "$1"
	printf " 'dgemm-%s.csv' using 'x':(column('%s') / $3) with lines lw 2 lc rgb '%s' title '%s'%s" \
		"${guests[0]}" "$2" '#b2182b' '256 MB' ',' "${guests[1]}" "$2" '#3b75af' '756 MB' ''
	echo
}
draw dgemm 1400,1000 <<-END
	set datafile columnheaders
	set key top left
	set yrange [0:1<*]
	set format y '%.1s%c'
	set multiplot layout 3,2
	$(panel 'largest RSS, MB' rss_peak_kb 1024.)
	$(panel 'swap in use, MB' swap_peak_kb 1024.)
	$(panel 'major faults' major_faults 1.)
	$(panel 'minor faults' minor_faults 1.)
	set xlabel 'dimension of the matrices'
	$(panel 'DTLB misses' dtlb_misses 1.)
	$(panel 'ITLB misses' itlb_misses 1.)
	unset multiplot
END
printf '%s\n' "$PWD"
