# Few targets, all of them thin: what they do is in scripts/ and tests/.

.DEFAULT_GOAL := help
.PHONY: help build demo lab test terraforms lint docs bench soak install

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST)

build: ## provider and sandbox, in the profile that demo and tests share
	cargo build --locked --workspace --bins

demo: ## a complete link on this machine: both clouds simulated, real terraform; KEEP=1 keeps it and prints the next commands
	@scripts/demo

lab: ## a complete link through real IKE and BGP daemons, broken and repaired (Linux, root)
	@scripts/lab

test: ## everything; the last line says what was skipped and why
	@scripts/test

terraforms: ## the tests that depend on Terraform's version, with five versions; VERSIONS="1.8.4" chooses
	@scripts/terraforms $(VERSIONS)

lint: ## rustfmt, clippy with warnings as errors, cargo deny, terraform fmt
	@scripts/lint

docs: ## registry pages in docs/ and the type in fuzz/, from the schema and examples/
	UPDATE_DOCS=1 cargo test --locked --workspace --test docs

bench: ## measure, and write docs/benchmarks.md
	@scripts/bench

soak: ## what is too long for every run; PARTS="sweep fuzz" chooses
	@scripts/soak $(PARTS)

install: ## optimised build into ~/.terraform.d/plugins (or PREFIX=...)
	@scripts/install
