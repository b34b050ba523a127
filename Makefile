# simnet: `make run` shows the main job, `make test` runs every test. Both set up what they need.

SWIFT ?= swift
# Built for the machine at hand; results are the same for any (make test compares two).
ARCH ?= native
FLAGS = -c release -Xcc -march=$(ARCH)
PREFIX ?= /usr/local
DESTDIR ?=

FUZZ_SECONDS ?= 60

.PHONY: all run test test-viewers lint bench fuzz results papers picture docs install setup clean

all: setup
	$(SWIFT) build $(FLAGS) --product simnet

# Installs the one C library simnet links, where it is missing.
setup:
	@if ! pkg-config --exists libzstd 2>/dev/null; then \
	  echo "installing libzstd-dev and pkg-config"; \
	  if [ "$$(id -u)" = 0 ]; then sudo=; else sudo=sudo; fi; \
	  $$sudo apt-get update -qq && $$sudo env DEBIAN_FRONTEND=noninteractive \
	    apt-get install -y -qq libzstd-dev pkg-config; \
	fi

run: all
	.build/release/simnet run Scenarios/quickstart.json -o Results/quickstart.csv

# Every test, in release mode with the binary `run` uses. The second build, for a plain machine
# without vector extensions, is there to be compared with it byte for byte.
test: setup
	$(SWIFT) build $(FLAGS) --build-tests
	$(SWIFT) build -c release --product simnet --scratch-path .build-baseline
	SIMNET_BASELINE=.build-baseline/release/simnet $(SWIFT) test $(FLAGS) --skip-build

# Pages, figures and traces in what people look at them with: Chromium, Perfetto,
# HolisticTraceAnalysis, pandas, gnuplot. Installs those; what they saw is in
# .build-viewers/artifacts.
test-viewers: all
	Tools/viewers/install.sh
	Tools/viewers/run.sh .build/release/simnet

lint:
	$(SWIFT) format lint --strict --recursive Package.swift Sources Tests

bench: setup
	$(SWIFT) build $(FLAGS) --product simnet-bench
	.build/release/simnet-bench

# Hostile bytes for every family of codecs; what breaks one stays in .build-fuzz/artifacts.
fuzz: setup
	SECONDS=$(FUZZ_SECONDS) Tools/fuzz.sh

# Regenerates what Results/ holds.
results: all
	@set -e; for scenario in Scenarios/*.json; do \
	  name=$$(basename $$scenario .json); echo "== $$name"; \
	  .build/release/simnet run $$scenario -q -o Results/$$name.csv; \
	done

# Published tables beside simulated ones, into Results/papers/; misses stay in. Files of others are
# taken from ../shared, and a table that needs one is left as it is where that is absent.
# make papers PAPERS=--sensitivity also tries every candidate for the constants.
papers: all
	mkdir -p Results/papers
	.build/release/simnet reproduce Scenarios/papers/*.json $(PAPERS) -q -o Results/papers \
	  --format md > Results/papers/summary.md
	@cat Results/papers/summary.md

# The picture that the README and the documentation open with.
picture: all
	.build/release/simnet report Results/quickstart.csv --plot speedup --width "170 mm" \
	  -o docs/simnet.docc/Resources/speedup.svg

# The documentation as a web site in .build-docs, by the DocC that comes with Swift.
DOCC ?= $(dir $(shell readlink -f "$$(command -v $(SWIFT))"))docc
docs:
	rm -rf .build-docs
	$(DOCC) convert docs/simnet.docc --output-path .build-docs --warnings-as-errors \
	  --fallback-display-name simnet --fallback-bundle-identifier simnet
	@echo "python3 -m http.server --bind 127.0.0.1 --directory .build-docs 8000"
	@echo "shows it at http://127.0.0.1:8000/documentation/simnet"

# A fully static executable: needs no Swift, no libraries and no files where it runs.
# make install PREFIX=$$HOME/.local ARCH=x86-64-v3
install: setup
	$(SWIFT) build -c release $(if $(filter native,$(ARCH)),,-Xcc -march=$(ARCH)) \
	  --product simnet --scratch-path .build-static -Xswiftc -static-executable
	install -d $(DESTDIR)$(PREFIX)/bin
	install -s .build-static/release/simnet $(DESTDIR)$(PREFIX)/bin/simnet

clean:
	rm -rf .build .build-baseline .build-static .build-fuzz .build-viewers .build-docs
