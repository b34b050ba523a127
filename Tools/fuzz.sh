#!/bin/bash
# Fuzzes every family of codecs for SECONDS=60 seconds each, under libFuzzer and the address
# sanitizer where swiftc has them, else with a seeded mutation loop.
#
#   Tools/fuzz.sh [family ...]        FAMILIES as arguments; all of them by default
#   SECONDS=10 Tools/fuzz.sh          for another length
#   FUZZER=loop Tools/fuzz.sh         the mutation loop in any case
#   Tools/fuzz.sh --replay casts FILE runs one input again
#
# Inputs that break something stay in .build-fuzz/artifacts; exit code 1 if there are any.
set -u
# Bash counts on from the value that the environment gives, which is 0 where it gives none.
each=$SECONDS
[ "$each" -gt 0 ] || each=60
cd "$(dirname "$0")/.."
out=.build-fuzz
all="casts quantisers sparsifiers transforms chains"
mkdir -p "$out/artifacts"
# A trap must end the process at once, not start an interactive backtrace.
export SWIFT_BACKTRACE=enable=no
# Swift keeps tags in its pointers, which the leak checker takes for lost ones.
export ASAN_OPTIONS=detect_leaks=0

# compile NAME ENTRY FLAGS...: three modules and the entry, whole module each.
compile() {
  local name=$1 entry=$2
  shift 2
  local common=(-O -wmo -swift-version 6 -parse-as-library -I "$out/$name" -I Sources/CZstd \
    -I Sources/CKernels/include "$@")
  local objects=()
  local source
  local program="$out/simnet-fuzz-$name"
  if [ -x "$program" ] && [ -z "$(find Sources/SimKernel Sources/CKernels Sources/Compression Sources/CodecFuzzing \
    Tools/fuzz -newer "$program" -print -quit)" ]; then return 0; fi
  mkdir -p "$out/$name"
  for source in Sources/CKernels/*.c; do
    objects+=("$out/$name/$(basename "$source" .c).c.o")
    clang -O2 -I Sources/CKernels/include -c "$source" -o "${objects[-1]}" || return 1
  done
  for module in SimKernel Compression CodecFuzzing; do
    # shellcheck disable=SC2046
    swiftc "${common[@]}" -module-name "$module" -emit-module \
      -emit-module-path "$out/$name/$module.swiftmodule" -c -o "$out/$name/$module.o" \
      $(find "Sources/$module" -name '*.swift' | sort) || return 1
    objects+=("$out/$name/$module.o")
  done
  swiftc "${common[@]}" -module-name simnet_fuzz "$entry" "${objects[@]}" -lzstd -lm \
    -o "$program" 2>&1 | grep -v 'Cannot export local symbol'
  test -x "$program"
}

probe="$out/probe.swift"
printf '@_cdecl("LLVMFuzzerTestOneInput") public func f(_ p: UnsafePointer<UInt8>?, _ n: Int) -> CInt { 0 }\n' > "$probe"
if [ "${FUZZER:-}" != loop ] \
  && swiftc -parse-as-library -sanitize=fuzzer,address "$probe" -o "$out/probe" > /dev/null 2>&1; then
  kind=libfuzzer
  compile libfuzzer Tools/fuzz/FuzzerEntry.swift -sanitize=fuzzer,address || exit 2
else
  kind=loop
  echo "without libFuzzer: a seeded mutation loop instead"
  compile loop Tools/fuzz/LoopEntry.swift || exit 2
fi

if [ "${1:-}" = --replay ]; then
  SIMNET_FUZZ_FAMILY=$2 exec "$out/simnet-fuzz-$kind" "$3"
fi

status=0
for family in ${*:-$all}; do
  mkdir -p "$out/corpus/$family"
  log="$out/$family.log"
  if [ "$kind" = libfuzzer ]; then
    SIMNET_FUZZ_FAMILY=$family nice -n 10 "$out/simnet-fuzz-libfuzzer" "$out/corpus/$family" \
      -max_total_time="$each" -timeout=20 -rss_limit_mb=3000 -max_len=4096 -print_final_stats=1 \
      -artifact_prefix="$out/artifacts/$family-" < /dev/null > "$log" 2>&1
    code=$?
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  else
    SIMNET_FUZZ_FAMILY=$family SIMNET_FUZZ_SECONDS=$each ARTIFACT="$out/artifacts/$family-crash" \
      nice -n 10 "$out/simnet-fuzz-loop" < /dev/null > "$log" 2>&1
    code=$?
    runs=$(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' "$log")
  fi
  if [ $code -eq 0 ]; then
    echo "$family: ${runs:-?} executions in $each s, nothing found"
  else
    echo "$family: ${runs:-?} executions, FOUND: $(grep -a -m1 -E 'Fatal error|ERROR: |Test unit' "$log")"
    grep -a 'Test unit written to' "$log"
    status=1
  fi
done
exit $status
