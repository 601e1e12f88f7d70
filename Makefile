# Spillway.  POSIX make: works with GNU make and bmake.
#
#	make			./spillway
#	make run		installs what is missing, starts the demo
#	make check		the fast tests, installs nothing
#	make test		installs what is missing, runs every test
#
# Variables: CC CFLAGS CPPFLAGS LDFLAGS LDLIBS PREFIX DESTDIR ARGS,
# SAN=1 (AddressSanitizer and UBSan), BEARSSL=DIR (a built BearSSL tree
# instead of the system's library), FUZZ_SECONDS (for each target),
# SEEDS and FROM (of the soak).

.POSIX:
.SUFFIXES:
.SUFFIXES: .c .o

SRCS = proxy.c http.c json.c tls.c failover.c limit.c config.c \
	base/arena.c base/buf.c base/inflate.c base/log.c base/scan.c \
	base/sha256.c base/util.c \
	wire/failover_health.c wire/failover_read.c wire/http_body.c \
	wire/http_write.c wire/json_scan.c wire/json_tree.c \
	net/dns.c net/link.c net/loop.c net/resolve.c net/socket.c \
	net/trust.c \
	dialect/anthropic.c dialect/anthropic_answer.c \
	dialect/anthropic_clean.c dialect/anthropic_request.c \
	dialect/anthropic_write.c dialect/dialect.c dialect/fault.c \
	dialect/gemini.c dialect/gemini_answer.c dialect/gemini_chunk.c \
	dialect/gemini_parts.c dialect/gemini_request.c \
	dialect/gemini_sign.c dialect/gemini_write.c dialect/items.c \
	dialect/judge.c dialect/judge_anthropic.c dialect/judge_gemini.c \
	dialect/judge_openai.c dialect/keywords.c dialect/message.c \
	dialect/models.c dialect/names.c dialect/normal.c dialect/openai.c \
	dialect/openai_answer.c dialect/openai_parts.c \
	dialect/openai_queue.c dialect/openai_reader.c \
	dialect/openai_request.c dialect/openai_write.c dialect/profile.c \
	dialect/responses.c dialect/responses_answer.c \
	dialect/responses_clean.c dialect/responses_request.c \
	dialect/schema.c dialect/schema_gemini.c dialect/sse.c \
	dialect/text.c dialect/translate.c dialect/validate.c \
	conf/access.c conf/check.c conf/describe.c conf/edit.c \
	conf/fault.c conf/form.c conf/keys.c conf/list.c conf/pages.c \
	conf/pool.c conf/read.c conf/route.c conf/value.c \
	relay/access.c relay/account.c relay/answer.c relay/capture.c \
	relay/catalog.c relay/check.c relay/client.c relay/door.c \
	relay/exchange.c relay/exchange_attempt.c relay/exchange_record.c \
	relay/forward.c relay/outbound.c relay/redact.c relay/reply.c \
	relay/route.c relay/stats.c relay/sticky.c relay/target.c \
	relay/unpack.c relay/upstream.c \
	admin/api.c admin/body.c admin/change.c admin/demo.c \
	admin/events.c admin/explain.c admin/find.c admin/guard.c \
	admin/home.c admin/home_page.c admin/journal.c \
	admin/journal_file.c admin/journal_find.c admin/login.c \
	admin/mask.c admin/metrics.c admin/options.c admin/page.c \
	admin/probe.c admin/record.c admin/say.c admin/search.c \
	admin/site_metrics.c admin/store.c admin/tryout.c admin/view.c \
	admin/web.c

OBJS = $(SRCS:.c=.o)

HDRS = http.h json.h tls.h failover.h limit.h config.h \
	base/arena.h base/buf.h base/inflate.h base/log.h base/scan.h \
	base/sha256.h base/util.h \
	wire/failover_health.h wire/failover_read.h wire/http_body.h \
	wire/http_write.h wire/json_scan.h wire/json_tree.h wire/tls_why.h \
	net/dns.h net/link.h net/loop.h net/resolve.h net/socket.h \
	net/trust.h \
	dialect/anthropic.h dialect/anthropic_answer.h \
	dialect/anthropic_clean.h dialect/anthropic_request.h \
	dialect/anthropic_write.h dialect/dialect.h dialect/emit.h \
	dialect/fault.h dialect/gemini.h dialect/gemini_answer.h \
	dialect/gemini_chunk.h dialect/gemini_parts.h \
	dialect/gemini_request.h dialect/gemini_sign.h \
	dialect/gemini_write.h dialect/items.h dialect/judge.h \
	dialect/judge_anthropic.h dialect/judge_gemini.h \
	dialect/judge_openai.h dialect/keywords.h dialect/message.h \
	dialect/models.h dialect/names.h dialect/normal.h dialect/openai.h \
	dialect/openai_answer.h dialect/openai_parts.h \
	dialect/openai_queue.h dialect/openai_reader.h \
	dialect/openai_request.h dialect/openai_write.h dialect/profile.h \
	dialect/responses.h dialect/responses_answer.h \
	dialect/responses_clean.h dialect/responses_request.h \
	dialect/schema.h dialect/schema_gemini.h dialect/sse.h \
	dialect/text.h dialect/translate.h dialect/validate.h \
	conf/access.h conf/check.h conf/describe.h conf/edit.h \
	conf/fault.h conf/form.h conf/keys.h conf/list.h conf/pages.h \
	conf/pool.h conf/read.h conf/value.h \
	relay/access.h relay/account.h relay/answer.h relay/capture.h \
	relay/catalog.h relay/check.h relay/client.h relay/door.h \
	relay/exchange.h relay/exchange_attempt.h relay/exchange_record.h \
	relay/forward.h relay/outbound.h relay/redact.h relay/reply.h \
	relay/route.h relay/stats.h relay/sticky.h relay/target.h \
	relay/unpack.h relay/upstream.h \
	admin/api.h admin/body.h admin/change.h admin/demo.h \
	admin/events.h admin/explain.h admin/find.h admin/guard.h \
	admin/home.h admin/home_page.h admin/host.h admin/journal.h \
	admin/journal_file.h admin/journal_find.h admin/login.h \
	admin/mask.h admin/metrics.h admin/options.h admin/page.h \
	admin/page_data.h admin/probe.h admin/record.h admin/say.h \
	admin/search.h admin/site_metrics.h admin/store.h admin/tryout.h \
	admin/view.h admin/web.h

CC = cc
AR = ar
CFLAGS = -O2 -g
CPPFLAGS =
LDFLAGS =
LDLIBS =
PREFIX = /usr/local
DESTDIR =
SAN =
BEARSSL =
ARGS = --demo
FUZZ_SECONDS = 60
SEEDS = 100000
FROM = 1

STD = -std=c99 -D_POSIX_C_SOURCE=200809L
WARN = -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wpointer-arith -Wwrite-strings

# What depends on a variable is decided by the shell of the recipe: POSIX
# make has no conditions.  The archive of BearSSL is preferred, so that the
# binary runs where no such library is installed.
MODE = $$(case "$(SAN)" in \
	(''|0) echo -D_FORTIFY_SOURCE=2 ;; \
	(*) echo -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer ;; esac)
BR_INC = $$(test -z "$(BEARSSL)" || echo "-I$(BEARSSL)/inc")
BR_LIB = $$(a=$$($(CC) -print-file-name=libbearssl.a 2>/dev/null); \
	if test -n "$(BEARSSL)"; then a="$(BEARSSL)/build/libbearssl.a"; fi; \
	case "$$a" in (/*) echo "$$a" ;; (*) echo -lbearssl ;; esac)
HARDEN = -fstack-protector-strong -fPIE
ELF = -pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack

COMPILE = $(CC) $(STD) $(WARN) $(HARDEN) $(MODE) -I. $(BR_INC) $(CPPFLAGS) \
	$(CFLAGS)
LIBS = $(BR_LIB) $(LDLIBS)
PAGE = build/page_data.o

all: spillway build/translate

spillway: $(OBJS) $(PAGE)
	$(COMPILE) $(ELF) $(LDFLAGS) -o $@ $(OBJS) $(PAGE) $(LIBS)

# The dashboard's files, as bytes.
$(PAGE): admin/page_data.h admin/embed admin/page.html admin/page.css \
	admin/*.js flags
	@mkdir -p build
	sh admin/embed build/page_data.c
	$(COMPILE) -c build/page_data.c -o $@

# Everything but main(), for the tests.
parts.a: $(OBJS) $(PAGE)
	rm -f $@
	$(AR) rc $@ $(OBJS) $(PAGE)
	$(AR) d $@ proxy.o

# Scores the translation: reads a case, prints what became of it.
build/translate: tests/translate.c parts.a
	@mkdir -p build
	$(COMPILE) $(LDFLAGS) -o $@ tests/translate.c parts.a $(LIBS)

.c.o:
	$(COMPILE) -c $< -o $@

# Every object is made again when any header or the command line changes:
# simple, never wrong, and a few seconds.  tests/layers compares the lists
# above with the tree.
$(OBJS): $(HDRS) flags

# The exact commands; tests/run reads them.  Touched only by a change.
flags: FORCE
	@c="$(COMPILE)"; l="$(ELF) $(LDFLAGS)"; b="$(LIBS)"; \
	printf "%s='%s'\n" COMPILE "$$c" LINK "$$l" LIBS "$$b" >$@.tmp
	@if cmp -s $@.tmp $@; then rm -f $@.tmp; else mv -f $@.tmp $@; fi

FORCE:

run:
	@CC="$(CC)" BEARSSL="$(BEARSSL)" sh tests/install run
	@$(MAKE) all
	./spillway $(ARGS)

check:
	@CC="$(CC)" MAKE="$(MAKE)" BEARSSL="$(BEARSSL)" sh tests/run check

test:
	@CC="$(CC)" BEARSSL="$(BEARSSL)" sh tests/install test
	@CC="$(CC)" MAKE="$(MAKE)" BEARSSL="$(BEARSSL)" sh tests/run

bench: all
	sh bench/run

fuzz:
	@BEARSSL="$(BEARSSL)" sh tests/fuzz $(FUZZ_SECONDS)

soak:
	@CC="$(CC)" MAKE="$(MAKE)" BEARSSL="$(BEARSSL)" \
	sh tests/run soak $(SEEDS) $(FROM)

# One file that runs on any Linux of this processor: glibc without a
# resolver links statically.
SMALL = -fno-pie -no-pie -ffunction-sections -fdata-sections \
	-fno-asynchronous-unwind-tables -Wl,--gc-sections
static: $(PAGE)
	$(COMPILE) $(SMALL) -static -s $(LDFLAGS) -Wl,-z,noexecstack \
	-o spillway-static $(SRCS) build/page_data.c $(LIBS)
	@ls -l spillway-static | awk '{ print $$5 " bytes" }'

install: all
	mkdir -p "$(DESTDIR)$(PREFIX)/bin"
	cp spillway "$(DESTDIR)$(PREFIX)/bin/spillway.new"
	chmod 755 "$(DESTDIR)$(PREFIX)/bin/spillway.new"
	mv -f "$(DESTDIR)$(PREFIX)/bin/spillway.new" \
	"$(DESTDIR)$(PREFIX)/bin/spillway"

clean:
	rm -f $(OBJS) parts.a build/translate spillway spillway-static flags flags.tmp
	rm -rf build

.PHONY: all run check test bench fuzz soak static install clean FORCE
