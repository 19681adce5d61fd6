# The targets a newcomer can guess. Everything else is meson's: see meson.build.
#
#   make             installs what is missing, builds build/guia and build/ngx_http_guia_module.so
#   make demo        four sample sites behind Guia, visitors and attacks; ONCE=1 ends by itself
#   make test        every test; the last line is "N passed, N failed"
#   make bench       what inspection costs, against libmodsecurity; JSON=1 for machines: bench/README.md
#   make soak        the long tests: a hundred reloads under load, the whole of the parity corpus
#   make fuzz        each fuzz target for SECONDS (default 60)
#   make train       builds with what is found out anew of where the engine goes, as the first make did (build-training/)
#   make format      clang-format over what is ours
#   make fresh-test  make test in a bare Debian 12 (debootstrap into build-fresh/; needs root)
#   make clean

BUILD ?= build
SECONDS ?= 60

ifneq ($(words $(CURDIR)),1)
$(error nginx's configuration cannot name a module in a folder with white space in its path: move $(CURDIR))
endif

all: dependencies $(BUILD)/trained
	ninja -C $(BUILD)

dependencies:
	@tools/install-dependencies build

test-dependencies:
	@tools/install-dependencies build test

$(BUILD)/build.ninja: | dependencies
	meson setup $(BUILD) -Dtogether=true

# The last that tools/train does: a training that was cut short begins again.
$(BUILD)/trained: | dependencies $(BUILD)/build.ninja
	@echo "Training: the engine is built, and then runs for some ten seconds, so that the compiler knows where it goes."
	tools/train $(BUILD)

# Anew, after much has changed.
train: dependencies $(BUILD)/build.ninja
	rm -f $(BUILD)/trained
	tools/train $(BUILD)
	ninja -C $(BUILD)

build-sanitize/build.ninja: | test-dependencies
	CC=clang-14 meson setup build-sanitize -Db_sanitize=address,undefined -Db_lundef=false

test: test-dependencies $(BUILD)/trained build-sanitize/build.ninja
	ninja -C $(BUILD)
	tools/run-tests $(BUILD):check,unit,suite,nginx,edge,drill build-sanitize:unit

soak: test-dependencies $(BUILD)/trained
	ninja -C $(BUILD)
	tools/run-tests $(BUILD):soak

demo: all
	@tools/install-dependencies build demo
	demo/run $(if $(ONCE),--once)

bench-dependencies:
	@tools/install-dependencies build bench

bench: bench-dependencies $(BUILD)/trained
	@[ -x $(BUILD)/bench/inprocess ] || meson setup --reconfigure $(BUILD)
	ninja -C $(BUILD)
	bench/run $(BUILD) $(if $(JSON),--json)

build-threads/build.ninja: | test-dependencies
	CC=clang-14 meson setup build-threads -Db_sanitize=thread -Db_lundef=false

# What shares memory between threads, under ThreadSanitizer.
threads: test-dependencies build-threads/build.ninja
	ninja -C build-threads src/evidence-writer-test src/evidence-body_store-test
	tools/run-tests build-threads:unit -- evidence/writer evidence/body_store

build-fuzz/build.ninja: | test-dependencies
	CC=clang-14 meson setup build-fuzz -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false

fuzz: test-dependencies build-fuzz/build.ninja
	ninja -C build-fuzz
	tools/run-fuzzers build-fuzz $(SECONDS)

format:
	git ls-files '*.c' '*.h' | xargs clang-format-14 -i

fresh-test:
	tools/fresh-test

clean:
	rm -rf $(BUILD) $(BUILD)-training build-sanitize build-threads build-fuzz

.PHONY: all dependencies test-dependencies bench-dependencies test train soak demo bench threads fuzz format fresh-test clean
