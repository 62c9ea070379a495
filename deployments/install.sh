#!/bin/sh
# Makes the virtual environment of the given name: exactly what requirements.lock says, no more.
set -eu
environment=$1
python=${PYTHON:-python3.11}

if ! "$python" -m venv "$environment"; then
    # Debian's Python comes without ensurepip.
    if [ "$(id -u)" != 0 ]; then
        echo "$python cannot make a virtual environment: install python3.11-venv first" >&2
        exit 1
    fi
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends python3.11-venv
    "$python" -m venv --clear "$environment"
fi
"$environment/bin/pip" install --quiet --disable-pip-version-check --require-hashes \
    --no-deps --requirement requirements.lock
"$environment/bin/pip" install --quiet --disable-pip-version-check \
    --no-deps --no-build-isolation --editable .
