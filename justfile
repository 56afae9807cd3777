# What people run.

# The article's cluster: a verdict, and a report under output/.
demo *ARGS:
    cargo run --release -- demo {{ARGS}}

# Everything that CI tests.
test *ARGS:
    cargo test --release {{ARGS}}

# Format, lints, documentation.
lint:
    cargo fmt --check
    cargo clippy --release --all-targets -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --document-private-items

# Measurements; see docs/performance.md.
bench *ARGS:
    cargo bench {{ARGS}}

# Instructions of three fixed workloads, compared with what is written down; `--write` writes them down.
instructions *ARGS:
    benches/instructions {{ARGS}}

# Writes docs/validation.md anew: our figures against the real code's.
validation:
    cargo run --release -- conformance check tests/conformance --markdown > docs/validation.md

# Writes the JSON Schema of scenario files anew, and the tables of their reference.
schema:
    cargo run --release -- schema > docs/scenario.schema.json
    cargo run --release -- schema --reference > target/scenario.md
    mv target/scenario.md docs/scenario.md

# Writes the figures of docs/centralized.md anew.
centralized:
    BRIMLINE_WRITE_FIGURES=1 cargo test --release --test centralized_vs_node_local

# Writes anew what the pages of docs/ show: output of commands, and pictures.
pages:
    BRIMLINE_WRITE_PAGES=1 cargo test --release --test pages

# Makes the notebooks anew from their text; needs `pip install -r notebooks/requirements.txt`.
notebooks:
    notebooks/runs
    python3 notebooks/execute.py --write

# Licences, duplicates, sources of the dependencies.
deny:
    cargo deny check licenses bans sources
