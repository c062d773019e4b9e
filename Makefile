# Nothing here needs more than Go, git and make. A C compiler adds the race detector and the dbmate command.

.DEFAULT_GOAL := help

VERSION = $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT  = $(shell git rev-parse HEAD 2>/dev/null)

# The version is stamped here. Go's own stamp would fail where git distrusts the folder's owner. Nothing else of the
# place or the time goes in, so that whoever builds the same commit gets the same bytes.
GO_BUILD = go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT)"

# The service and most of its tools are pure Go; the two recipes that need C say so themselves.
export CGO_ENABLED = 0

# tools/go.mod pins the tools, so that the service's own go.mod stays free of what they need.
SQLC        = go tool -modfile=tools/go.mod sqlc
STATICCHECK = go tool -modfile=tools/go.mod staticcheck

# `go tool` would ignore the tags, and without sqlite_fts5 the migrations fail. Settings in the
# environment come first, then those in .env.local, as with data-api itself.
DBMATE_TAGS = sqlite_fts5,sqlite_omit_load_extension
DBMATE      = go run -modfile=tools/go.mod -tags=$(DBMATE_TAGS) github.com/amacneil/dbmate/v2
DBMATE_ENV  = --env-file .env.local --env-file dbmate.env

# A compiler without the C library's headers is of no use, so the probe includes one of them.
COMPILER = $(shell for c in gcc cc; do \
	$$c -include stdlib.h -fsyntax-only -x c /dev/null 2>/dev/null && echo $$c && break; done)

# SQLite is C turned into Go: under the race detector it is thirty times slower, and not ours to check.
RACE = -race -gcflags=modernc.org/sqlite/lib=-race=false -gcflags=modernc.org/libc=-race=false

# Not every processor has a race detector: 32-bit ARM has none.
CAN_RACE = test -n "$(COMPILER)" && CGO_ENABLED=1 go list -race runtime >/dev/null 2>&1

# The tests come last, so that their result is what a reader sees at the end.
CHECKS = check-format check-ascii check-tidy check-sql check-generated check-vet check-lint faults test

.PHONY: help run build demo test check generate schema settings migrate upgrade-files release check-released check-release bench bench-scale load clean $(CHECKS)

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## Build and serve; the database is made in ./data at the first start
	bin/data-api serve

build: ## Build bin/data-api, one static binary
	$(GO_BUILD) -o bin/data-api ./cmd/data-api

demo: export DATABASE_URL = sqlite:data/demo/metadata.db
demo: export HISTORY_DATABASE_URL = sqlite:data/demo/history.db
demo: export WEBHOOKS_DATABASE_URL = sqlite:data/demo/webhooks.db
demo: build ## Import a made-up home into ./data/demo and serve it, with a simulated past and present
	@mkdir -p data/demo
	bin/data-api import testdata/demo-home
	go build -trimpath -buildvcs=false -o bin/demo ./demo
	bin/demo

# The race detector allocates by itself, so what a request allocates is counted without it.
test: ## Run all tests, with the race detector where there is a C compiler
	@command -v influxd >/dev/null || test -n "$$INFLUXDB_TEST_URL" || \
		echo "No influxd here: what needs a real InfluxDB is not tested."
	@if $(CAN_RACE); then \
		go test ./server -run=Allocations && CGO_ENABLED=1 CC=$(COMPILER) go test $(RACE) ./...; \
	else \
		echo "No C compiler, or no race detector for this processor: testing without -race."; \
		go test ./...; \
	fi

faults: SEED = 0
faults: KILLS = 50
faults: SOAK = 30s
faults: ## Break the service on purpose, in two minutes; SEED=… as printed does the same again
	go test ./faults -count=1 -v -parallel=4 -timeout=60m -all -seed=$(SEED) -kills=$(KILLS) -soak=$(SOAK)

.PHONY: fuzz
# One after the other, as go test takes only one.
fuzz: FUZZTIME = 30s
fuzz: ## Look for input that breaks a reader of it, FUZZTIME=30s for each
	@grep -rE '^func Fuzz' --include='*_test.go' . | sed -E 's|^(.*)/[^/]*:func (Fuzz[A-Za-z]*).*|\1 \2|' | sort | \
	while read -r package target; do \
		echo "== $$package $$target"; \
		go test "$$package" -run='^$$' -fuzz="^$$target\$$" -fuzztime=$(FUZZTIME) -fuzzminimizetime=20x || exit; \
	done

check: ## Run everything that CI runs
	@for step in $(CHECKS); do \
		echo "== $$step"; \
		start=$$(date +%s); \
		$(MAKE) --no-print-directory $$step || exit; \
		echo "== $$step: passed in $$(( $$(date +%s) - start )) s"; \
	done

generate: ## Rewrite the generated part of db/ after a change under sql/
	rm -f db/*.sql.go db/*/*.sql.go
	$(SQLC) generate

schema: ## Rewrite sql/schema.sql after a change of the migrations
	go test ./db -run '^TestSchemaFile$$' -update

settings: ## Rewrite the tables of docs/settings.md after a change of the settings
	go test ./cmd/data-api -run '^TestSettingsFile$$' -update

# They are for the tests of all later versions, so they are made once for each schema that is released, and committed.
upgrade-files: ## Keep database files of the present schema in testdata/upgrade, before a release
	go test ./cmd/data-api -run '^TestUpgrade$$' -args -write-upgrade-files

migrate: ## Apply the migrations with dbmate; needs a C compiler
	@test -n "$(COMPILER)" || { \
		echo "The dbmate command needs a C compiler for SQLite, and there is none here."; \
		echo "Without one, bin/data-api migrate does the same (make build makes it)."; \
		exit 1; \
	}
	@mkdir -p data
	CGO_ENABLED=1 CC=$(COMPILER) $(DBMATE) $(DBMATE_ENV) up

# The app of Home Assistant is a folder with the binaries beside its Dockerfile. Its archive has no times and users.
APP = dist/data-api
TAR = tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner

release: check-released ## Build dist/ for amd64, arm64 and armv7, with checksums
	rm -rf dist
	@for arch in amd64 arm64 arm; do \
		echo "== linux/$$arch"; \
		GOOS=linux GOARCH=$$arch GOARM=7 $(GO_BUILD) -o dist/data-api-$(VERSION)-linux-$$arch ./cmd/data-api || exit; \
	done
	cp -R deploy/homeassistant $(APP)
	sed -i 's/^version:.*/version: "$(VERSION)"/' $(APP)/config.yaml
	cp dist/data-api-$(VERSION)-linux-amd64 $(APP)/data-api-amd64
	cp dist/data-api-$(VERSION)-linux-arm64 $(APP)/data-api-aarch64
	$(TAR) -C dist -c data-api | gzip -n >$(APP)-$(VERSION)-homeassistant.tar.gz
	rm -rf $(APP)
	cd dist && sha256sum * >SHA256SUMS
	@$(MAKE) --no-print-directory check-release

# A schema that leaves the house has to be one that later versions are tested to open.
check-released:
	go test ./cmd/data-api -run '^TestUpgrade$$' -args -released

# From a copy in another folder and with nothing compiled before, the same bytes come out.
check-release:
	@copy=$$(mktemp -d) && trap 'rm -rf "$$copy"' EXIT && \
	git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -P -t "$$copy" && \
	echo "== again, elsewhere" && \
	(cd "$$copy" && GOCACHE="$$copy/cache" GOOS=linux GOARCH=amd64 $(GO_BUILD) -o again ./cmd/data-api) && \
	cmp "$$copy/again" dist/data-api-$(VERSION)-linux-amd64 && \
	echo "== the same bytes"

bench: build ## Measure against an empty handler, and InfluxDB where it is installed
	go run ./bench

bench-scale: N = 1000000
bench-scale: build ## Compare a home of N=1000000 entities with a small one
	go run ./bench -scale $(N)

load: build ## Measure reads against an empty handler under the load of wrk, which must be installed
	go run ./bench -load -length 2s

clean: ## Remove what was built, and the demo's data; your own data stays
	rm -rf bin dist data/demo
	rm -f *.test coverage.*

check-format:
	@unformatted=$$(gofmt -l .) && test -z "$$unformatted" || { echo "Run gofmt -w on:" $$unformatted; exit 1; }

# sqlc cuts queries short by as many bytes as characters beyond ASCII came before them, and says nothing.
check-ascii:
	@if LC_ALL=C grep -rn '[^[:print:][:blank:]]' sql; then \
		echo "The lines above hold characters beyond ASCII, which break sqlc: keep sql/ free of them."; \
		exit 1; \
	fi

check-tidy:
	go mod tidy -diff

check-sql:
	$(SQLC) vet

# Generates anew into a copy, as `sqlc diff` does not see the file that a removed query file left behind.
check-generated:
	@copy=$$(mktemp -d) && trap 'rm -rf "$$copy"' EXIT && \
	cp -R sqlc.yaml sql db "$$copy" && \
	rm -f "$$copy"/db/*.sql.go "$$copy"/db/*/*.sql.go && \
	$(SQLC) generate -f "$$copy/sqlc.yaml" && \
	{ diff -ru db "$$copy/db" || { echo "db/ is not what sql/ says: run make generate."; exit 1; }; }

check-vet:
	go vet ./...

check-lint:
	$(STATICCHECK) ./...
