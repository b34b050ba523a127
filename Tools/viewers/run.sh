#!/usr/bin/env bash
# The viewers tier: what people would look at simnet's output with, looking at it.
#
#   Tools/viewers/run.sh [SIMNET]
#
# Makes a page of every committed table, figures, traces and topologies with SIMNET, and has
# Chromium, Perfetto, HolisticTraceAnalysis, pandas and gnuplot read them (install.sh brings them).
# What it made and saw stays in .build-viewers/artifacts. Ends within four minutes and ten seconds.
set -uo pipefail
cd "$(dirname "$0")/../.."

simnet=$(realpath "${1:-.build/release/simnet}")
tools=Tools/viewers
python=$(pwd)/.build-viewers/venv/bin/python
out=.build-viewers/artifacts
rm -rf "$out"
mkdir -p "$out/pages" "$out/figures" "$out/shots"
begin=$SECONDS
held=0
failed=0

# Runs a check; what it says is shown if it fails.
check() {
  local name=$1 left=$((begin + 245 - SECONDS))
  shift
  if [ "$left" -gt 0 ] && timeout -k 5 "$left" "$@" >"$out/$name.log" 2>&1 </dev/null; then
    held=$((held + 1))
  else
    failed=$((failed + 1))
    echo "viewers: $name failed: $*" >&2
    head -50 "$out/$name.log" >&2
  fi
}

check pages bash $tools/make.sh pages "$simnet" "$out"
check figures bash $tools/make.sh figures "$simnet" "$out"
check traces bash $tools/make.sh traces "$simnet" "$out"
check chromium-pages "$python" $tools/check_pages.py "$out"/pages/*.html --artifacts "$out/shots"
check chromium-figures "$python" $tools/check_pages.py "$out"/figures/*.svg \
  --artifacts "$out/shots"
check perfetto "$python" $tools/check_perfetto.py "$out/trace.json" \
  --screenshot "$out/shots/perfetto.png"
check holistic-trace-analysis "$python" $tools/check_hta.py "$out/kineto"
check pandas "$python" examples/plot.py Results/quickstart.csv "$out/shots/pandas.png"
check gnuplot gnuplot -e "results='Results/quickstart.csv'; figure='$out/figures/gnuplot.svg'" \
  examples/plot.gp

if [ "$failed" -gt 0 ]; then
  echo "viewers: $failed of $((held + failed)) checks failed, see $out"
  exit 1
fi
echo "viewers: all $held checks hold, in $((SECONDS - begin)) s; pictures are in $out/shots"
