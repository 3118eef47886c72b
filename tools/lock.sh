#!/usr/bin/env bash
# Renew requirements.lock and requirements-dev.lock from pyproject.toml: pins and hashes, no address.
# uv lives in a folder of its own for the moment, since nothing else needs it.
set -euo pipefail
cd "$(dirname "$0")/.."
workshop="$(mktemp -d)"
trap 'rm -rf "$workshop"' EXIT

.venv/bin/python -m venv "$workshop/uv"
"$workshop/uv/bin/python" -m pip install --quiet --disable-pip-version-check uv

compile() {
    "$workshop/uv/bin/uv" pip compile --quiet --upgrade --python-version 3.11 --universal --generate-hashes \
        --no-emit-index-url --no-emit-find-links --no-annotate --no-header "$@" pyproject.toml
}
compile --output-file requirements.lock
compile --extra dev --constraint requirements.lock --output-file requirements-dev.lock

if grep -nE '://|--(extra-)?index|--find-links' requirements.lock requirements-dev.lock; then
    echo "A lock file names an address, which it must not. Nothing was committed; please look." >&2
    exit 1
fi
echo "Renewed. Look at the diff, run 'make test', and commit both files."
