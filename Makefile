# weir: build, test, check, install. One file, no configure; `make help` lists the targets.
# SPDX-License-Identifier: Apache-2.0
#
# Every flavour (compiler, optimisation, sanitizers, inflater) has its own folder under build/, so that changing a knob never needs `clean`.
ifeq ($(origin CC),default)
CC      := gcc#         CC=clang
endif
SAN     ?=#             SAN=address,undefined or SAN=thread: sanitizers
OPT     ?= $(if $(SAN),-O1,-O3)
NOISAL  ?=#             NOISAL=1: zlib alone, even where ISA-L is installed
V       ?=#             V=1: show the commands
T       ?= 60#          seconds of a fuzz run
ONLY    ?=#             ONLY=window: only the unit tests whose name starts so
PREFIX  ?= /usr/local
DESTDIR ?=
ROOMS   := source decode flow window baseline score finding sink store base app
PKGS    := zlib sqlite3 yaml-0.1 jansson libmaxminddb libssl libcrypto hiredis libzstd libpcap ncursesw
HAVE    := $(shell pkg-config --exists $(PKGS) libcurl expat 2>/dev/null && echo yes)# the last two are opened at run time, when they are needed
ISAL    := $(if $(NOISAL),,$(shell pkg-config --exists libisal 2>/dev/null && echo libisal))
comma   := ,
FLAVOUR := $(notdir $(CC))$(OPT)$(if $(SAN),-$(subst $(comma),+,$(SAN)))$(if $(ISAL),,-zlib)
B       := build/$(FLAVOUR)
Q       := $(if $(V),,@)
PKGCF   := $(if $(HAVE),$(shell pkg-config --cflags $(filter-out ncursesw,$(PKGS)) $(ISAL)))
PKGLD   := $(if $(HAVE),$(shell pkg-config --libs $(PKGS) $(ISAL)))
WARN    := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror
# Sanitizers run without FORTIFY and zeroed variables: both hide what they look for.
BRANCH  := $(if $(filter x86_64,$(shell uname -m)),-fcf-protection=full,$(if $(filter aarch64,$(shell uname -m)),-mbranch-protection=standard))
HARD    := $(if $(filter -O0,$(OPT)),,-D_FORTIFY_SOURCE=3) -fstack-protector-strong -fstack-clash-protection $(BRANCH) \
           $(if $(findstring gcc,$(CC)),-ftrivial-auto-var-init=zero)
SANFL   := -fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all
LTO     := $(if $(SAN),,$(if $(findstring gcc,$(CC)),-flto=auto -ffat-lto-objects)) # for the program; tests are linked plainly
# -ffp-contract=off: a fused multiply-add would make scores differ between machines.
FLAGS   := -std=c17 -D_GNU_SOURCE $(OPT) $(LTO) -g -fPIE -ffp-contract=off $(WARN) $(if $(SAN),$(SANFL),$(HARD)) \
           -Iinclude -Isrc -I. $(if $(ISAL),-DWEIR_HAVE_ISAL=1) $(PKGCF) -MMD -MP $(CFLAGS)
LINK     = $(CC) -pie $(if $(SAN),$(SANFL)) -Wl,--as-needed,-z,relro,-z,now,-z,noexecstack $(LDFLAGS)
LIBS    := $(PKGLD) -lm -lpthread

obj      = $(patsubst %.c,$(B)/%.o,$(1))
SRC     := $(filter-out src/app/main.c,$(wildcard $(ROOMS:%=src/%/*.c)))
LIB     := $(B)/libweir.a
TESTS   := $(patsubst %.c,$(B)/%,$(wildcard tests/test_$(ONLY)*.c))
FUZZERS := $(if $(ONLY),,$(patsubst %.c,$(B)/%,$(wildcard tests/fuzz/fuzz_*.c)))
PROGS   := weir $(patsubst scripts/%.c,%,$(wildcard scripts/flowgen.c scripts/flowpcap.c scripts/measure.c scripts/parquetgen.c scripts/storebench.c))

all: $(PROGS:%=$(B)/%) ## build/weir and the tools beside it (this is the default)
	$(Q)$(if $(SAN)$(NOISAL),,for p in $(PROGS); do [ "$$(readlink build/$$p)" = $(FLAVOUR)/$$p ] || ln -sfn $(FLAVOUR)/$$p build/$$p; done)
test: all $(TESTS) $(FUZZERS) ## unit tests, fuzz corpora, scenarios and checks of this flavour
	$(Q)tests/run $(B) $(ONLY)
check: ## the rules of the house: layers, style, scripts, man pages
	$(Q)scripts/check-layers.sh --self-test && scripts/check-layers.sh && scripts/check-style.sh --self-test && scripts/check-style.sh
fuzz-%: ## fuzz-line T=60: run one fuzz target under clang; new finds go to build/fuzz/
	$(Q)$(MAKE) --no-print-directory CC=clang OPT=-O1 SAN=address,undefined,fuzzer-no-link T=$(T) run-fuzz-$*
bench: all ## compare with zcat, DuckDB and mawk on the same job (long); bench-parquet, bench-pcap, bench-keys: other parts
	$(Q)scripts/bench
bench-%: all ; $(Q)scripts/bench-$*
install: all ## program and man pages into $(DESTDIR)$(PREFIX)
	install -D -m 755 $(B)/weir $(DESTDIR)$(PREFIX)/bin/weir
	$(if $(wildcard docs/man/*.1),install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man1 $(wildcard docs/man/*.1))
clean: ; rm -rf build ## remove build/
help: ## this list
	@sed -n 's/^\([a-z%-]*\):.*## /\1\t/p' Makefile | expand -t 12
	@echo "knobs:"; sed -n 's/^\([A-Z]*\) *[:?]= *\([^#]*\)# */  \1\t\2\t/p' Makefile | expand -t 12,20
map: ## the rooms in path order, a line each
	@sed -n 's/^#: //p' Makefile
#: source     objects to bytes: files, directories, stdin, inflate
#: decode     bytes to flow records, or a named reject
#: flow       the narrow waist: whose bytes, which way, who opened the connection
#: window     records to sums: bytes and peers per host and slot, capped
#: baseline   sums to normal: update, forget, encode, decode
#: score      window against baseline: pure functions, one file a rule
#: finding    score to claim: evidence, sentence, identity, merging
#: sink       claim to the world: table, json, csv, OCSF
#: store      beside the path: ledger, windows, baselines and findings in one atomic checkpoint
#: base       below all: cursor, buffer, arena, errors, addresses, maps
#: app        above all: commands, configuration, pipeline; the only room that knows two others

$(B)/weir: $(call obj,src/app/main.c) $(LIB)
$(B)/flowgen: $(call obj,$(wildcard scripts/flowgen*.c))
$(B)/measure $(B)/parquetgen $(B)/flowpcap $(B)/storebench: $(B)/%: $(B)/scripts/%.o $(LIB)
$(B)/tests/test_%: $(B)/tests/test_%.o $(LIB)
	$(Q)$(LINK) -fno-lto -o $@ $^ $(LIBS) -lcmocka
$(B)/tests/fuzz/fuzz_%: $(B)/tests/fuzz/fuzz_%.o $(if $(findstring fuzzer,$(SAN)),,$(B)/tests/fuzz/replay.o) $(LIB)
	$(Q)$(LINK) -fno-lto $(if $(findstring fuzzer,$(SAN)),-fsanitize=fuzzer) -o $@ $^ $(LIBS)
$(PROGS:%=$(B)/%):
	$(Q)$(LINK) $(OPT) $(LTO) -o $@ $^ $(LIBS)
$(LIB): $(call obj,$(SRC))
	$(Q)rm -f $@ && ar rcs $@ $^
$(B)/%.o: %.c $(B)/flags
	$(Q)mkdir -p $(@D) && $(CC) $(FLAGS) -c -o $@ $<
$(B)/flags: FORCE
	@[ -n "$(HAVE)" ] || { echo "make: libraries are missing ($(PKGS)): run scripts/install-deps" >&2; exit 1; }
	@mkdir -p $(B) && echo '$(FLAGS)' | cmp -s - $@ || echo '$(FLAGS)' > $@
run-fuzz-%: $(B)/tests/fuzz/fuzz_%
	$(Q)mkdir -p build/fuzz/$* && $< -max_total_time=$(T) -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
	  -artifact_prefix=build/fuzz/$*- $(patsubst %,-dict=%,$(wildcard testdata/fuzz/$*.dict)) build/fuzz/$* $(wildcard testdata/fuzz/$*)
.PHONY: all test check bench install clean help map FORCE
.PRECIOUS: $(B)/%.o # kept, though no rule names those of the tests
-include $(shell [ -d $(B) ] && find $(B) -name '*.d')
