#!/usr/bin/env bash
# Make .venv with a Python that is new enough, or say what is missing. Usage: tools/venv.sh [PYTHON]
set -euo pipefail
cd "$(dirname "$0")/.."
python="${1:-python3}"

if ! command -v "$python" > /dev/null; then
    echo "Pulang needs Python 3.11 or later; '$python' is not here. Try: make PYTHON=/path/to/python3.11" >&2
    exit 1
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "Pulang needs Python 3.11 or later; '$python' is $("$python" -V). Try: make PYTHON=python3.11" >&2
    exit 1
fi
if ! "$python" -m venv .venv; then
    rm -rf .venv
    echo "Could not make a virtual environment. On Debian: apt-get install python3-venv" >&2
    exit 1
fi
