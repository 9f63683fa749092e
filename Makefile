# Every target does its own set-up: `make demo` and `make test` work as the first command in a fresh clone, given
# Node 20 or newer with npm, make and git. What runs then is the Node that we ship.

SHELL := /bin/sh
.DEFAULT_GOAL := help

# npm reads the lock file, runs no package's scripts and needs none.
node_modules/.installed: package.json package-lock.json
	@echo "Installing the development dependencies (once) ..."
	@npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

# What the plots are drawn with has a lock file of its own: the product and its tests do without.
bench/node_modules/.installed: bench/package.json bench/package-lock.json
	@cd bench && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

.PHONY: help build test check demo readers e2e day faults bench man rpm deb repo package-test monitoring-test rollout clean

help: ## what there is to make
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /  make \1\t/' | expand -t 20

build: node_modules/.installed ## dist/, laid out as /usr/libexec/idc-codedeploy-helper is
	@npm run --silent build

demo: node_modules/.installed ## the whole thing against an emulated AWS, in a minute (KEEP=1 to let it run on)
	@npm run --silent build >/dev/null
	@npm run --silent demo

test: node_modules/.installed ## unit and integration tests
	@npm run --silent test

check: node_modules/.installed bench/node_modules/.installed ## types, lint and format
	@npm run --silent check

readers: node_modules/.installed ## the credentials file and the stand-in agent against the real AWS SDKs
	@npm run --silent readers

e2e: node_modules/.installed ## on a booted systemd (needs root, debootstrap and systemd-container)
	@npm run --silent build >/dev/null
	@npm run --silent e2e

day: node_modules/.installed ## 24 simulated hours with outages and deployments, in twelve minutes
	@IDC_TEST_DAY=full npm run --silent test -- test/integration/a-day.test.ts

faults: node_modules/.installed ## the fault campaigns, and docs/reliability.md from them (QUICK=1 for a few minutes of it)
	@npm run --silent build >/dev/null
	@npm run --silent faults -- $(if $(QUICK),--quick)

bench: node_modules/.installed bench/node_modules/.installed ## what it costs, beside what people use today, and docs/performance.md (BENCH=fleet for one)
	@npm run --silent build >/dev/null
	@npm run --silent bench -- $(BENCH)

# On the Node that is shipped, as `npm run` has it; what a machine lacks is named with its Debian package.
PACKAGING := PATH="$(CURDIR)/node_modules/.bin:$$PATH" node packaging

man: node_modules/.installed ## build/man/: the man pages
	@$(PACKAGING)/man-pages.ts

rpm: node_modules/.installed ## build/packages/*.rpm for x86_64 and aarch64 (ARCH=x86_64 for one; IDC_SIGNING_KEY to sign)
	@$(PACKAGING)/rpm.ts $(ARCH)

deb: node_modules/.installed ## build/packages/*.deb for amd64 and arm64 (ARCH=amd64 for one)
	@$(PACKAGING)/deb.ts $(ARCH)

repo: rpm ## build/repo/: a signed yum repository (IDC_SIGNING_KEY; IDC_REPO_URL where it will be served)
	@$(PACKAGING)/repo.ts

package-test: node_modules/.installed ## builds the packages and holds them against what is promised of them (needs root)
	@PATH="$(CURDIR)/node_modules/.bin:$$PATH" node test/packaging/run.ts

monitoring-test: node_modules/.installed ## a host watched by real Prometheus and node exporter through outages
	@npm run --silent build >/dev/null
	@npm run --silent monitoring-test

rollout: node_modules/.installed ## the Ansible collection against three booted machines (needs root, ansible-core and ansible-lint)
	@npm run --silent build >/dev/null
	@npm run --silent rollout

clean: ## removes what was built
	rm -rf dist build coverage node_modules bench/node_modules
