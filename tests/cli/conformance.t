#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Retry conformance: 47 combinations of scenario, failures and method of Google's suite
# (conformance-tests, storage/v1/retry_tests.json), driven through muster store.
# CONFORMANCE_ENDPOINT=http://host:port takes that server instead of muster-emulator.
set -u

here=$(cd "$(dirname "$0")" && pwd)
command -v python3 >/dev/null || { echo "1..0 # SKIP python3 is not installed"; exit 0; }
PYTHONDONTWRITEBYTECODE=1 exec python3 "$here/conformance.py" "$@"
