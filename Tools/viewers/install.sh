#!/usr/bin/env bash
# Installs what the viewers tier looks with: Chromium and gnuplot from Debian, and Python packages
# into a private environment, .build-viewers/venv. What is there already is left alone.
#
# Exits with 3 where a package registry does not answer, after four minutes at most.
set -uo pipefail
cd "$(dirname "$0")/../.."

venv=.build-viewers/venv
# HolisticTraceAnalysis 0.5 does not work with pandas 3.
packages="viztracer HolisticTraceAnalysis pandas<3 matplotlib"
modules="viztracer, hta, pandas, matplotlib"
deadline=$((SECONDS + 220))

# Runs a command for as long as is left, and for $1 seconds at most.
bounded() {
  local limit=$1 left=$((deadline - SECONDS))
  shift
  if [ "$left" -le 0 ]; then return 124; fi
  timeout -k 5 "$((limit < left ? limit : left))" "$@" </dev/null
}
unavailable() {
  echo "viewers: $1" >&2
  exit 3
}

missing=()
command -v chromium >/dev/null || missing+=(chromium fonts-liberation)
command -v gnuplot >/dev/null || missing+=(gnuplot-nox)
command -v python3 >/dev/null || missing+=(python3)
python3 -c "import ensurepip" 2>/dev/null || missing+=(python3-venv)
if [ "${#missing[@]}" -gt 0 ]; then
  if [ "$(id -u)" = 0 ]; then sudo=; else sudo="sudo -n"; fi
  apt="$sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Acquire::Retries=1
    -o Acquire::http::Timeout=15 -o Acquire::https::Timeout=15 --no-install-recommends"
  echo "viewers: installing ${missing[*]}"
  bounded 60 $apt update >/dev/null || unavailable "the lists of Debian packages do not come"
  # What is downloaded is installed in one go: a time-out must not leave half a package.
  bounded 150 $apt install -y --download-only "${missing[@]}" >/dev/null \
    || unavailable "${missing[*]} do not come"
  $apt install -y --no-download "${missing[@]}" >/dev/null || unavailable "apt-get failed"
fi

if ! "$venv/bin/python" -c "import $modules" 2>/dev/null; then
  echo "viewers: installing $packages into $venv"
  python3 -m venv "$venv" || unavailable "python3 makes no environments"
  # The first one is small: it tells at once whether anybody answers.
  bounded 40 "$venv/bin/pip" install -q --disable-pip-version-check --retries 1 --timeout 10 wheel \
    || unavailable "no Python package comes"
  bounded 200 "$venv/bin/pip" install -q --no-compile --disable-pip-version-check \
    --retries 2 --timeout 15 $packages || unavailable "Python packages do not come"
fi
