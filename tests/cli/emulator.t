#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The emulated bucket over HTTP; the cases are in the folder emulator/ beside this file.
set -u

here=$(cd "$(dirname "$0")" && pwd)
command -v python3 >/dev/null || { echo "1..0 # SKIP python3 is not installed"; exit 0; }
PYTHONDONTWRITEBYTECODE=1 exec python3 "$here/emulator/run.py" "$@"
