# Thin names for cargo commands; each line works as well when typed by hand.

# what has to be green before a change is offered
check: fmt-check lint tidy
    cargo xtask generate --check
    cargo xtask test

# everything that is tested, with what it needs; `just test --only unit`
test *arguments:
    cargo xtask test {{arguments}}

fmt:
    cargo fmt --all

fmt-check:
    cargo fmt --all --check

lint:
    cargo clippy --workspace --all-targets -- -D warnings

# the house rules that no linter knows
tidy:
    cargo xtask tidy

# the committed files that the binary can print
generate:
    cargo xtask generate

# a server with invented people, gone when it stops
demo:
    cargo run --release -- demo

bench *arguments:
    cargo xtask bench {{arguments}}
