# acra-enclave: `make help` lists the targets. Needs Node >= 20 with npm to bootstrap; any target installs the rest.
SHELL := /bin/sh
.DEFAULT_GOAL := help

ARCH := $(shell uname -m | sed -e s/x86_64/x64/ -e s/aarch64/arm64/)
NODE := node_modules/node-linux-$(ARCH)/bin/node
SYSTEM_PATH := $(PATH)
export PATH := $(CURDIR)/node_modules/node-linux-$(ARCH)/bin:$(CURDIR)/node_modules/.bin:$(PATH)
INSTALLED := node_modules/.installed
# Says where tap was built: it keeps absolute paths.
TAP_BUILT := node_modules/.tap-built

PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
INSTALLER = $(NODE) deploy/install.ts --destdir '$(DESTDIR)' --prefix '$(PREFIX)' --sysconfdir '$(SYSCONFDIR)'

.PHONY: help tap-in-place demo test test-long test-all test-vm test-ec2 test-clients test-clients-npm test-postgres test-abuse fuzz fail-closed check eif types lint format error-docs example-patients example-no-fly-list example-secrets-server bench bench-check bench-relay bench-chain bench-engine bench-eif bench-growth soak fleet fleet-test cdk-test clean install uninstall library package test-packages deb release release-verify test-browser test-monitoring monitoring-files

help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | sort | while IFS="$$(printf '\t')" read -r name what; do printf '  make %-14s %s\n' "$$name" "$$what"; done

# What a build of tap is for: it keeps absolute paths, and the plugins that .taprc names.
TAP_STATE = printf '%s\n' '$(CURDIR)'; cat .taprc 2>/dev/null || :
BUILD_TAP = rm -rf .tap && tap build >/dev/null && { $(TAP_STATE); } >$(TAP_BUILT)

# Not `npm ci`: it wants entries for the optional packages of every platform, and refuses a lock file that was written where
# only some are served. This installs the locked versions with their digests, and changes neither file. No package's script is run.
$(INSTALLED): package.json package-lock.json
	@echo 'installing the pinned tool chain (about half a minute) …'
	@PATH='$(SYSTEM_PATH)' npm install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error
	@$(NODE) --version >/dev/null || { echo 'The pinned Node does not run here. It needs libatomic.so.1, which comes with gcc or alone: apt-get install libatomic1' >&2; exit 69; }
	@$(BUILD_TAP)
	@touch $@

# In a checkout that was moved or copied, tap would load itself from the old place too.
tap-in-place: $(INSTALLED)
	@test "$$(cat $(TAP_BUILT) 2>/dev/null)" = "$$($(TAP_STATE))" || { $(BUILD_TAP); }

demo: $(INSTALLED) ## run the whole product on this machine and show it step by step; DEMO_FLAGS='--driver qemu' boots measured images
	@bin/acra-enclave demo $(DEMO_FLAGS)

example-patients: $(INSTALLED) ## an ordinary Flask application whose database holds ciphertext (examples/); EXAMPLE_FLAGS=--keep leaves it running
	@$(NODE) examples/patients/run.ts $(EXAMPLE_FLAGS)

example-no-fly-list: $(INSTALLED) ## a service in an enclave that reads an encrypted list, and a client that verifies it before it asks
	@$(NODE) examples/no-fly-list/run.ts $(EXAMPLE_FLAGS)

example-secrets-server: $(INSTALLED) ## OpenBao, unsealed by KMS in the measured enclave alone; OPENBAO names its program
	@$(NODE) examples/secrets-server/run.ts $(EXAMPLE_FLAGS)

# People see progress, failures and a last line; programs get TAP. Compiled code is kept from one test file to the next.
TAP_RUN = export NODE_COMPILE_CACHE='$(CURDIR)/node_modules/.cache/acra-enclave'; if [ -t 1 ]; then set -- --reporter=scripts/test-report.ts; else set -- --reporter=tap; fi; tap run "$$@"

# tap leaves a processor free, of two one; but these tests wait more than they compute. Of many processors it leaves enough busy.
JOBS = $(shell n=$$(nproc 2>/dev/null || echo 2); [ "$$n" -gt 4 ] || echo "--jobs=$$((2 * n))")

# They build images, wait for what is down to come back, or move many megabytes.
LONG_TESTS = $(addprefix test/,$(addprefix cli/,eif-container.test.ts rebuild.test.ts keys-database-users.test.ts keys-renewal.test.ts keys-rotate.test.ts keys/approvals.test.ts keys/key-ids.test.ts keys/killed-daemon.test.ts keys/refusals.test.ts data/around-it.test.ts data/long-values.test.ts data/losses.test.ts data/reencrypt-losses.test.ts data/reencrypt.test.ts data/values.test.ts) \
  eif/image/build-image.test.ts eif/oci/large-image.test.ts eif/oci/reproducible.test.ts emulator/acra-server/values.test.ts keys/data-keys.test.ts kms/policy/check/soundness.test.ts sessions/guard/migration.test.ts supervisor/keys/key-desk.test.ts supervisor/keys/key-sets-refused.test.ts supervisor/workloads/sessions/exchange.test.ts \
  $(addprefix integration/,backup.test.ts busy-existing-data.test.ts busy-reencrypt.test.ts existing-data.test.ts growth.test.ts guide.test.ts key-keepers.test.ts keys-change.test.ts keys-commands.test.ts keys-generation.test.ts keys-killed.test.ts keys-live.test.ts keys-load.test.ts keys-reencrypt.test.ts keys-secrecy.test.ts keys-tls.test.ts patience.test.ts rds-iam.test.ts recovery.test.ts reencrypt.test.ts refusal.test.ts replica.test.ts secrecy.test.ts tls-operator-ca.test.ts upgrade.test.ts))

test: tap-in-place ## run the tests that need no virtual machine, but for the long ones
	@$(TAP_RUN) $(JOBS) $(TAP_FLAGS) $(or $(TESTS),$(addprefix --exclude=,$(LONG_TESTS)))

test-long: tap-in-place ## run the long ones of these
	@$(TAP_RUN) $(JOBS) $(TAP_FLAGS) $(or $(TESTS),$(LONG_TESTS))

# One machine at a time: software emulation takes the processors that there are.
ENCLAVE_TESTS = $(TAP_RUN) --jobs=1 --timeout=900 $(TAP_FLAGS)

test-vm: tap-in-place ## boot images on QEMU's nitro-enclave machine (the first time builds QEMU and a kernel, about 10 minutes; as root installs the Debian packages that it names)
	@scripts/vm-packages.sh || { test "$$(id -u)" = 0 && scripts/vm-packages.sh --install; }
	@node test/vm/tools/prepare.ts >/dev/null
	@export ENCLAVE_TARGET=qemu; $(ENCLAVE_TESTS) $(or $(TESTS),test/enclave/*.test.ts test/vm/*.test.ts)

test-all: check demo test test-long test-clients test-postgres test-abuse cdk-test fleet-test test-vm test-packages test-browser test-monitoring ## everything that this machine can run, one after the other

test-ec2: tap-in-place ## the same tests on a Nitro enclave of this EC2 instance, with AWS's own KMS (docs/ec2.md)
	@export ENCLAVE_TARGET=nitro; $(ENCLAVE_TESTS) $(or $(TESTS),test/enclave/*.test.ts)

test-clients: tap-in-place ## run PostgreSQL's clients of six languages through one list of checks (docs/clients.md); installs them into build/clients
	@scripts/install-clients.sh
	@( $(TAP_RUN) --jobs=1 $(TAP_FLAGS) $(or $(TESTS),test/clients/*.test.ts) ); code=$$?; node test/clients/write-table.ts && exit $$code

# What npm packages suffice for: a part that installs nothing and leaves the table alone.
test-clients-npm: tap-in-place
	@$(TAP_RUN) --jobs=1 $(TAP_FLAGS) test/clients/node.test.ts test/clients/libpq-settings.test.ts

# POSTGRES names some of the versions, PROTOCOLS some of simple, extended and prepared; all of both write the table.
test-postgres: tap-in-place ## run the forms of SQL and the login on PostgreSQL 13 to 18 (docs/fail-closed.md); installs them into build/postgres
	@scripts/install-postgres.sh $(POSTGRES)
	@export POSTGRES_VERSIONS='$(or $(POSTGRES),13 14 15 16 17 18)' POSTGRES_PROTOCOLS='$(or $(PROTOCOLS),simple extended prepared)'; \
	  $(TAP_RUN) --jobs=1 --timeout=1800 $(TAP_FLAGS) $(or $(TESTS),test/fail-closed/versions.test.ts)

test-abuse: tap-in-place ## attack the whole product as clients and as a database (docs/abuse.md); ABUSE=long for floods of a minute
	@$(TAP_RUN) --jobs=1 --timeout=1800 $(TAP_FLAGS) $(or $(TESTS),test/abuse/*.test.ts)

fuzz: $(INSTALLED) ## try millions of inputs on what reads strangers' bytes (docs/fuzzing.md); FUZZ_CASES, FUZZ_SEED, FUZZ_ONLY, FUZZ_MINUTES
	@node test/fuzz/main.ts

fail-closed: tap-in-place ## run every form of docs/fail-closed.md through acra-server in line and the guard, and write the page and docs/sql.md
	@export FAIL_CLOSED_PAGE=1; $(TAP_RUN) --jobs=1 --timeout=900 $(TAP_FLAGS) test/fail-closed/page.test.ts

check: $(INSTALLED) types lint ## types, lint, dead code, import rules and rules of sources

types: $(INSTALLED)
	tsc --noEmit
	tsc --noEmit -p host-proxy/operator/admin/page

lint: $(INSTALLED)
	biome check .
	knip
	knip --production --config knip.production.jsonc
	@for rules in import-rules package-places source-rules real-waits; do \
	  told=$$(node test/project/$$rules.test.ts) || { printf '%s\n' "$$told"; exit 1; }; done

format: $(INSTALLED) ## format and sort imports
	biome check --write .

eif: $(INSTALLED) ## build an enclave image from ENCLAVE=folder (needs Debian packages for the kernel; says which)
	@test -n '$(ENCLAVE)' || { echo 'make eif needs ENCLAVE=FOLDER: the measured folder with enclave.yaml and its keys (acra-enclave keys new)' >&2; exit 64; }
	@bin/acra-enclave eif build --enclave '$(ENCLAVE)' --output build $(EIF_FLAGS)

library: $(INSTALLED) ## build the verifier as a package of JavaScript into build/library (docs/attestation.md); `npm pack` there makes the archive
	@$(NODE) deploy/library.ts

package: $(INSTALLED) ## make the archive that npm installs from, into build/packages (docs/releases.md)
	@$(NODE) --disable-warning=ExperimentalWarning deploy/npm-package.ts

deb: $(INSTALLED) ## make the Debian package for a parent instance, into build/packages; MAINTAINER='Name <address>'
	@$(NODE) deploy/debian-package.ts $(if $(MAINTAINER),--maintainer '$(MAINTAINER)')

release: ## make a release of this commit: VERSION=x.y.z, KEY=private.pem, MEASUREMENTS=file, MAINTAINER='Name <address>' (docs/releases.md)
	@test -n '$(VERSION)' || { echo "make release needs VERSION=x.y.z, as package.json and CHANGELOG.md name it" >&2; exit 64; }
	@PATH='$(SYSTEM_PATH)' deploy/release.sh --version '$(VERSION)' $(if $(KEY),--key '$(KEY)') $(if $(FOLDER),--output '$(FOLDER)') \
	  $(if $(MAINTAINER),--maintainer '$(MAINTAINER)') $(foreach file,$(MEASUREMENTS),--measurements '$(file)')

release-verify: $(INSTALLED) ## verify the release in FOLDER=folder by KEY=public.pem
	@test -n '$(FOLDER)' || { echo 'make release-verify needs FOLDER=folder with the files of a release' >&2; exit 64; }
	@$(NODE) deploy/release.ts verify '$(FOLDER)' $(if $(KEY),--key '$(KEY)')

# Those who write the schema of CycloneDX have a library that holds bills of materials to it; nothing else needs it.
BILL_VALIDATOR := test/packages/validator/node_modules/.installed
$(BILL_VALIDATOR): test/packages/validator/package.json test/packages/validator/package-lock.json
	@cd test/packages/validator && PATH='$(SYSTEM_PATH)' npm install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

test-packages: tap-in-place $(BILL_VALIDATOR) ## install npm and Debian package as their users do, and make releases (docs/releases.md); needs root, debootstrap and lintian
	@export SYSTEM_PATH='$(SYSTEM_PATH)'; $(TAP_RUN) --jobs=1 --timeout=900 $(TAP_FLAGS) $(or $(TESTS),test/packages/*.test.ts)

install: $(INSTALLED) ## put the command and the systemd unit on a parent instance (PREFIX, DESTDIR)
	@$(INSTALLER) install

uninstall: $(INSTALLED) ## take away exactly what install put there
	@$(INSTALLER) uninstall

# The CDK app has packages of its own, which nothing else needs.
CDK_INSTALLED := deploy/cdk/node_modules/.installed
$(CDK_INSTALLED): deploy/cdk/package.json deploy/cdk/package-lock.json
	@cd deploy/cdk && PATH='$(SYSTEM_PATH)' npm install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

cdk-test: tap-in-place $(CDK_INSTALLED) ## check the infrastructure on AWS and synthesize its examples (docs/deploy-cdk.md); needs no account. Installs its packages into deploy/cdk
	tsc --noEmit -p deploy/cdk
	knip --directory deploy/cdk
	@$(TAP_RUN) --jobs=2 --timeout=600 $(TAP_FLAGS) $(or $(TESTS),deploy/cdk/test/*.test.ts)

monitoring-files: $(INSTALLED) ## write the rules of deploy/monitoring and their unit tests from the code
	node cli/monitoring-document.ts > deploy/monitoring/acra-enclave.rules.yaml
	node test/monitoring/write.ts > deploy/monitoring/acra-enclave.rules.test.yaml

test-monitoring: tap-in-place ## try the files of deploy/monitoring with promtool and a real Prometheus (docs/monitoring.md); needs Debian's prometheus
	@command -v promtool >/dev/null && command -v prometheus >/dev/null || { echo 'make test-monitoring needs Prometheus and promtool: apt-get install prometheus' >&2; exit 69; }
	@$(TAP_RUN) --jobs=1 $(TAP_FLAGS) $(or $(TESTS),test/prometheus/*.test.ts)

# What drives the browser has packages of its own, which nothing else needs.
BROWSER_INSTALLED := test/browser/node_modules/.installed
$(BROWSER_INSTALLED): test/browser/package.json test/browser/package-lock.json
	@cd test/browser && PATH='$(SYSTEM_PATH)' npm install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

CHROMIUM ?= /usr/bin/chromium
test-browser: tap-in-place $(BROWSER_INSTALLED) ## try the status page in a real browser (docs/status-page.md); needs Debian's chromium. Installs its packages into test/browser
	@test -x '$(CHROMIUM)' || { echo 'make test-browser needs Chromium: apt-get install chromium; or name it: CHROMIUM=/path/to/chromium' >&2; exit 69; }
	tsc --noEmit -p test/browser
	@export CHROMIUM='$(CHROMIUM)'; $(TAP_RUN) --jobs=1 --timeout=600 $(TAP_FLAGS) $(or $(TESTS),test/browser/*.test.ts)

error-docs: $(INSTALLED) ## write docs/errors.md, docs/refusals.md and the table of docs/check-db.md from the code
	node cli/error-document.ts > docs/errors.md
	node cli/refusal-document.ts > docs/refusals.md
	node cli/findings-document.ts

bench: $(INSTALLED) ## measure relay, chain and engine beside their peers (20 to 30 minutes), and write their parts of docs/performance.md; BENCH_FLAGS='--rounds 5 --seconds 0.3'
	@node bench/main.ts --write $(BENCH_FLAGS)

bench-relay: $(INSTALLED) ## the relay beside others, to the terminal only
	@node bench/main.ts relay $(BENCH_FLAGS)

bench-check: $(INSTALLED) ## fail where relay or chain take more of the processor beside their peers than bench/expected.json allows
	@node bench/check/main.ts

bench-chain: $(INSTALLED) ## start, memory and throughput of the whole chain, to the terminal only
	@node bench/main.ts chain $(BENCH_FLAGS)

bench-engine: $(INSTALLED) ## what a cell costs in acra-server, beside Themis alone, to the terminal only
	@node bench/main.ts engine $(BENCH_FLAGS)

bench-eif: $(INSTALLED) ## measure building an image against hashing and compressing alone
	node bench/eif/main.ts

bench-growth: $(INSTALLED) ## a million statements, 100,000 sessions, the relay alone: fail where memory or descriptors grow; GROWTH_FLAGS='--statements 50000 --write'
	@node bench/growth/main.ts $(GROWTH_FLAGS)

soak: $(INSTALLED) ## both loads at once for MINUTES=240, with kills on the way: fail where anything grows
	@node bench/growth/main.ts --minutes $(or $(MINUTES),240) $(GROWTH_FLAGS)

fleet: $(INSTALLED) ## a fleet behind a load balancer under load, while parts of it are killed, cut off, drained (docs/high-availability.md); needs root, iproute2, haproxy; FLEET_FLAGS='--hosts 3 --write'
	@node bench/fleet/main.ts $(FLEET_FLAGS)

fleet-test: tap-in-place ## a small fleet and a few events, in four minutes: fail where an answer is wrong or an acknowledged row is lost; needs what fleet needs
	@$(TAP_RUN) --jobs=1 --timeout=900 $(TAP_FLAGS) $(or $(TESTS),test/fleet/*.test.ts)

clean: ## remove everything that was built or installed here
	rm -rf node_modules .tap .demo build deploy/cdk/node_modules test/packages/validator/node_modules test/browser/node_modules
