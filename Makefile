# make            muster, muster-worker (static) and muster-emulator, in build/
# make deps       names and installs what is missing (DEPS=check only checks)
# make test       all tests;  make check  the quick ones (unit, command line)
# make demo       the main job, end to end, on this machine
# make image      the worker's VM image;  make fleet  the main job with two such VMs
# make test-fleet a fleet by terraform: kill, resume, destroy;  make bench-boot  how long a boot takes
# make e2e        whole runs: real gcsfuse, real fio, kills and faults
# make chaos      RUNS=50 small fleets under seeded faults, from SEED=1; make chaos-plants  the
#                 bugs planted to prove that those runs find bugs
# make sanitize   the quick tests under ASan and UBSan;  make tsan  under TSan, by clang
# make analyze    gcc -fanalyzer, clang-tidy, cppcheck, shellcheck
# make fuzz       each fuzzer for FUZZ_SECONDS;  make bench  figures beside their limits
# make format     rewrites the sources in place

BUILD        ?= build
PREFIX       ?= /usr/local
FUZZ_SECONDS ?= 20
PKG_CONFIG   ?= pkg-config
VERSION      := 0.1.0
CURL         ?= build/curl

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wwrite-strings -Wformat=2 -Wundef -Wvla -Wconversion -Wno-sign-conversion
WARN += $(if $(findstring clang,$(CC)),,-Wjump-misses-init) $(if $(WERROR),-Werror)

# the worker is to stay below 8 MiB: the libcrypto of OpenSSL 3.5 leaves little room
CFLAGS  ?= -Os -g -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables
LDFLAGS ?= $(if $(SAN),,-Wl,--gc-sections -Wl,-z,noseparate-code)
BASE   := -std=c17 -D_GNU_SOURCE -I. $(WARN) $(SAN) -ffile-prefix-map=$(CURDIR)=. \
	$(if $(SAN),-fno-omit-frame-pointer) -DMUSTER_VERSION='"$(VERSION)"' $(if $(TESTING),-DMUSTER_TESTING) \
	$(shell $(PKG_CONFIG) --cflags jansson libarchive libmicrohttpd openssl) -I$(CURL)/include

# one folder is one library or program; a stray file is an error, not dead weight
objs = $(patsubst %.c,$(BUILD)/%.o,$(wildcard $(1)/*.c))
core        := $(filter-out $(BUILD)/core/archive.o,$(call objs,core))
manifests   := $(call objs,manifests)
coordinator := $(filter-out $(BUILD)/coordinator/main.o,$(call objs,coordinator))
worker      := $(filter-out $(BUILD)/worker/main.o,$(call objs,worker))
emulator    := $(filter-out $(BUILD)/emulator/main.o,$(call objs,emulator))
tests       := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/test_*.c))
fuzzers     := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/fuzz/fuzz_*.c))
# static: it runs in fio's cage
fake_fio    := $(BUILD)/tests/tools/fake_fio
tools       := $(filter-out $(fake_fio),$(patsubst %.c,$(BUILD)/%,$(wildcard tests/tools/*.c) $(wildcard tests/bench/*.c)))
# under a sanitizer without those that look at the sources or at fio's own text
cli         := $(filter-out $(if $(SAN),tests/cli/includes.t tests/cli/fio_text.t),$(wildcard tests/cli/*.t))
programs    := $(BUILD)/muster $(BUILD)/muster-worker $(BUILD)/muster-emulator

# what runs in the image beside the worker
image_programs := $(BUILD)/image/init $(BUILD)/image/power-button

# the same trimmed libcurl in both programs: Debian's cannot be linked statically
curl_libs   := $(CURL)/lib/libcurl.a -lcares -lssl $(shell $(PKG_CONFIG) --static --libs libcrypto) -lz
libs        := -ljansson -lpthread -lm
LINK         = $(CC) $(CFLAGS) $(SAN) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^)
STATIC_LINK ?= $(if $(SAN),,-static)

all: $(programs)

$(BUILD)/muster: $(BUILD)/coordinator/main.o $(BUILD)/libcoordinator.a $(BUILD)/libmanifests.a $(BUILD)/libarchiver.a $(BUILD)/libcore.a
	$(LINK) $(curl_libs) -larchive $(libs)
$(BUILD)/muster-worker: $(BUILD)/worker/main.o $(BUILD)/libworker.a $(BUILD)/libmanifests.a $(BUILD)/libcore.a
	$(LINK) $(STATIC_LINK) $(curl_libs) $(libs)
$(BUILD)/muster-emulator: $(BUILD)/emulator/main.o $(BUILD)/libemulator.a $(BUILD)/libcore.a
	$(LINK) -lmicrohttpd -lcrypto $(libs)
$(tests) $(fuzzers) $(tools): %: %.o $(BUILD)/libcoordinator.a $(BUILD)/libworker.a $(BUILD)/libmanifests.a $(BUILD)/libemulator.a $(BUILD)/libarchiver.a $(BUILD)/libcore.a
	$(LINK) $(curl_libs) -larchive -lmicrohttpd $(libs)

$(image_programs): %: %.o
	$(CC) $(CFLAGS) $(LDFLAGS) -static -s -o $@ $<
$(fake_fio): %: %.o
	$(CC) $(CFLAGS) $(SAN) $(LDFLAGS) $(STATIC_LINK) -o $@ $< -lm

$(BUILD)/libcore.a: $(core)
$(BUILD)/libarchiver.a: $(BUILD)/core/archive.o
$(BUILD)/libmanifests.a: $(manifests)
$(BUILD)/libcoordinator.a: $(coordinator)
$(BUILD)/libworker.a: $(worker)
$(BUILD)/libemulator.a: $(emulator)
$(BUILD)/%.a:
	@$(RM) $@
	@$(AR) rcs $@ $^

$(core) $(programs): | $(CURL)/lib/libcurl.a
$(CURL)/lib/libcurl.a:
	scripts/build-curl.sh $(CURL)

$(BUILD)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(BASE) $(CFLAGS) -MMD -MP -c -o $@ $<

deps:
	scripts/deps.sh $(DEPS)

demo:
	scripts/deps.sh $(if $(filter check,$(DEPS)),check)
	$(MAKE) all
	scripts/demo.sh

# the main job once more, with VMs of the real image launched by terraform
fleet:
	scripts/deps.sh vm
	$(MAKE) all
	[ -f $(BUILD)/image/disk.raw ] || $(MAKE) image PACK=0
	scripts/fleet.sh

# the image's own tests: it boots by UEFI, runs real gcsfuse and fio, powers off
vm-test: all
	[ -f $(BUILD)/image/disk.raw ] || $(MAKE) image PACK=0
	BUILD=$(BUILD) prove --failures -e '' $(VM_TESTS)
VM_TESTS ?= $(filter-out tests/vm/fleet.t,$(wildcard tests/vm/*.t))

# terraform apply of two machines, a kill, an apply that resumes, destroy
test-fleet: all
	scripts/terraform.sh >/dev/null
	[ -f $(BUILD)/image/disk.raw ] || $(MAKE) image PACK=0
	BUILD=$(BUILD) prove --failures -e '' tests/vm/fleet.t

# everything CI runs: both compilers without a warning, quick tests, whole runs with real
# gcsfuse and fio, virtual machines of the image (the other ways to boot: vm-test), sanitizers,
# fuzzers
test:
	scripts/deps.sh test vm
	$(MAKE) WERROR=1 all
	$(MAKE) image
	$(MAKE) WERROR=1 check e2e
	$(MAKE) chaos RUNS=50
	$(MAKE) vm-test test-fleet VM_TESTS="tests/vm/uefi.t tests/vm/power.t"
	$(MAKE) sanitize tsan
	$(MAKE) fuzz

# the worker's VM image; see image/build.sh for GCSFUSE=, WITH_GO=1, LEAN=0
image: $(BUILD)/muster-worker $(image_programs)
	BUILD=$(BUILD) image/build.sh $(BUILD)/image

tests: $(tests) $(tools) $(fake_fio)

# whole runs need programs that can be told to die at a phase; the longest begins first, and
# what measures how far apart starts are has the machine for itself
e2e_alone := tests/e2e/together.t
e2e := tests/e2e/kill.t $(filter-out tests/e2e/kill.t $(e2e_alone),$(wildcard tests/e2e/*.t))
e2e:
	$(MAKE) BUILD=build/testing TESTING=1 WERROR=1 all tests
	BUILD=$(CURDIR)/build/testing prove -j4 --failures -e '' $(e2e)
	BUILD=$(CURDIR)/build/testing prove --failures -e '' $(e2e_alone)

# the runs need short waits and planted bugs, which only these programs have
RUNS ?= 50
SEED ?= 1
chaos chaos-plants:
	$(MAKE) BUILD=build/testing TESTING=1 WERROR=1 all build/testing/tests/tools/fake_fio
	$(if $(filter chaos,$@),,tests/chaos/mutate.py build/testing)
	tests/chaos/chaos.py --build build/testing --seed $(SEED) \
		$(if $(filter chaos,$@),--runs $(RUNS),--plants)

bench: all $(tools)
	BUILD=$(abspath $(BUILD)) tests/bench/run.sh

# boots of the image; RUNS=3, GCSFUSE= as for make image
bench-boot: all
	[ -f $(BUILD)/image/disk.raw ] || $(MAKE) image PACK=0
	BUILD=$(BUILD) tests/bench/boot.py

check: all $(tests) $(tools)
	BUILD=$(abspath $(BUILD)) prove -j2 --failures -e '' $(tests) $(cli)

sanitize tsan:
	$(MAKE) $(CC_$@) BUILD=build/$@ SAN="$(SAN_$@)" CFLAGS="-O1 -g" WERROR=1 check
SAN_sanitize := -fsanitize=address,undefined -fno-sanitize-recover=all
SAN_tsan     := -fsanitize=thread
CC_tsan      := CC=clang

fuzz:
	$(MAKE) BUILD=build/fuzz CC=clang SAN="-fsanitize=fuzzer-no-link,address,undefined" \
		LDFLAGS=-fsanitize=fuzzer CFLAGS="-O1 -g" run-fuzzers
run-fuzzers: $(fuzzers)
	@set -e; for f in $(fuzzers); do n=$$(basename $$f); mkdir -p $(BUILD)/corpus/$$n; \
		$$f -max_total_time=$(FUZZ_SECONDS) -verbosity=0 -print_final_stats=1 \
		$(BUILD)/corpus/$$n tests/fuzz/corpus/$${n#fuzz_}; done

sources := $(wildcard core/*.[ch] manifests/*.[ch] worker/*.[ch] coordinator/*.[ch] \
	emulator/*.[ch] tests/*/*.[ch])
analyze:
	$(MAKE) BUILD=build/analyze CC=gcc CFLAGS="-O1 -fanalyzer" WERROR=1 all
	for h in $(filter %.h,$(sources)); do $(CC) $(BASE) -fsyntax-only -x c $$h || exit 1; done
	clang-tidy --quiet $(filter %.c,$(sources)) -- $(BASE)
	cppcheck --quiet --error-exitcode=1 --inline-suppr --suppress=memleak \
		--suppress=resourceLeak -I. core manifests worker coordinator emulator
	shellcheck scripts/*.sh image/*.sh tests/cli/*.t terraform/*.sh terraform/*/*.sh image/stock/*.sh tests/terraform/*.sh
format:
	clang-format -i $(sources)

install: all
	install -D -m 755 -t $(DESTDIR)$(PREFIX)/bin $(programs)
clean:
	$(RM) -r build

.PHONY: all deps demo image fleet test vm-test test-fleet tests e2e chaos chaos-plants bench bench-boot check sanitize tsan fuzz run-fuzzers analyze format install clean
.SECONDARY:
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
