#!/usr/bin/env bash
# Makes what the viewers tier looks at: make.sh pages|figures|traces SIMNET FOLDER
set -euo pipefail
simnet=$2
out=$3
mkdir -p "$out/pages" "$out/figures"

# A page of every committed table, of two side by side, and of one with a map of its links.
pages() {
  for table in Results/*.csv; do
    name=$(basename "$table" .csv)
    "$simnet" report "$table" --scenario "Scenarios/$name.json" -o "$out/pages/$name.html"
  done
  "$simnet" report Results/quickstart.csv Results/does-compression-pay.csv -o "$out/pages/two.html"
  "$simnet" run Scenarios/parameter-server.json --set replicates=1 -q --format csv \
    --links "$out/links.csv" >"$out/servers.csv"
  "$simnet" report "$out/servers.csv" "$out/links.csv" -o "$out/pages/links.html"
}

# Every figure that quickstart has, for a page and for a column, a Gantt chart, and networks.
figures() {
  for plot in $("$simnet" report Results/quickstart.csv --plot list | awk 'NR > 1 { print $1 }'); do
    "$simnet" report Results/quickstart.csv --plot "$plot" --width "170 mm" \
      -o "$out/figures/$plot.svg"
    "$simnet" report Results/quickstart.csv --plot "$plot" -o "$out/figures/$plot-column.svg"
  done
  "$simnet" trace Scenarios/quickstart.json --point 4 --workers 0..3 --iterations 0 --format svg \
    --width "170 mm" -o "$out/figures/gantt.svg"
  for name in quickstart four-hosts-of-four stragglers recorded-gradients between-hosts; do
    "$simnet" topology "Scenarios/$name.json" --svg -o "$out/figures/topology-$name.svg"
  done
  "$simnet" topology Scenarios/parameter-server.json --svg --loads --point 1 \
    -o "$out/figures/loads.svg"
}

traces() {
  "$simnet" trace Scenarios/quickstart.json --point 4 -o "$out/trace.json"
  "$simnet" trace Scenarios/quickstart.json --point 4 --format kineto -o "$out/kineto"
}

"$1"
