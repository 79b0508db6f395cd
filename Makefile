# The one door for developers. `make run` and `make test` start from a Rust toolchain and nothing else.

.PHONY: help run test fuzz lint

help:
	@echo 'make run    install what is missing, build, and start the demo (DEMO="--listen ADDRESS --data FOLDER")'
	@echo 'make test   install what is missing, and run every test (TESTS=name runs those whose name contains it)'
	@echo 'make fuzz   fuzz what reads the bodies of directories, FUZZ_SECONDS=60 for each target (FUZZ=name for one)'
	@echo 'make lint   formatting, clippy, documentation, licences'

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
