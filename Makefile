# hlab. `make` builds a release and runs the tour; `make test` runs all tests; `make bench` measures it beside its peers.

PREFIX ?= /usr/local
DESTDIR ?=
# The Swift runtime inside the executable: it starts faster, and runs where Swift is not installed.
RELEASE_FLAGS ?= --static-swift-stdlib -Xswiftc -use-ld=lld
BUILD_RELEASE = swift build -c release --product hlab $(RELEASE_FLAGS)
SOURCES = Sources Tests Package.swift

.PHONY: run build packages test bench reference lint format install uninstall clean

run: build
	@"$$($(BUILD_RELEASE) --show-bin-path)/hlab" run examples/tour.hlab

build: packages
	$(BUILD_RELEASE)

packages:
	@scripts/install-packages

test: packages
	swift test

bench: packages
	Benchmarks/run

# Writes docs/reference.md from the declarations in the source; the tests compare.
reference: build
	install -d docs
	"$$($(BUILD_RELEASE) --show-bin-path)/hlab" help --reference > docs/reference.md

lint:
	swift format lint --strict -r $(SOURCES)

format:
	swift format -i -r $(SOURCES)

install: build
	install -d "$(DESTDIR)$(PREFIX)/bin"
	install -m 755 "$$($(BUILD_RELEASE) --show-bin-path)/hlab" "$(DESTDIR)$(PREFIX)/bin/hlab"
	install -d "$(DESTDIR)$(PREFIX)/share/man/man1"
	"$$($(BUILD_RELEASE) --show-bin-path)/hlab" help --man > "$(DESTDIR)$(PREFIX)/share/man/man1/hlab.1"

uninstall:
	rm -f "$(DESTDIR)$(PREFIX)/bin/hlab" "$(DESTDIR)$(PREFIX)/share/man/man1/hlab.1"

clean:
	swift package clean
