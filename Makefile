# The one door for developers. `make run` and `make test` start from a Rust toolchain and nothing else.

.PHONY: help run test fuzz rules examples bench lint screenshots

help:
	@echo 'make run    install what is missing, build, and start the demo (DEMO="--listen ADDRESS --data FOLDER")'
	@echo 'make test   install what is missing, and run every test (TESTS=name runs those whose name contains it)'
	@echo 'make fuzz   fuzz what reads what others send, FUZZ_SECONDS=60 for each target (FUZZ=name for one)'
	@echo 'make rules  write docs/RULES.md: each rule of the product with the tests that prove it'
	@echo 'make examples  write down what the examples of the API reference are answered'
	@echo 'make screenshots  pictures of every page in target/screenshots: light, dark, narrow, in Chinese'
	@echo 'make lint   formatting, clippy, documentation, licences'
	@echo 'make bench  how fast SCIM (at a million users) and sign-in are, on both databases, beside what bounds them'

run:
	@scripts/packages.sh build
	@echo 'Building. The first time takes a few minutes; then the demo starts and prints its addresses.'
	@cargo run --locked -- demo $(DEMO)

test:
	@scripts/test.sh $(TESTS)

fuzz:
	@scripts/fuzz.sh $(FUZZ)

lint:
	@scripts/packages.sh build
	@scripts/lint.sh

rules:
	@IDENTITY_CENTER_WRITE_RULES=yes cargo test --locked --test rules

examples:
	@IDENTITY_CENTER_WRITE_EXAMPLES=yes cargo test --locked --test it api_examples::the_examples

bench:
	@scripts/bench.sh

screenshots:
	@scripts/screenshots.sh
