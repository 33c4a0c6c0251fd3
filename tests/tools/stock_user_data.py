#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""stock_user_data.py NAME=VALUE...: image/stock/user-data.tftpl as terraform renders it.

The names: endpoint, bucket, object, sha256, debug, worker_json; of one given twice the last.
"""
import re
import sys

values = dict(word.split("=", 1) for word in sys.argv[1:])
with open("image/files/muster-worker.service") as unit, open("image/stock/bootstrap.sh") as script:
    values.update(unit=unit.read(), script=script.read())
with open("image/stock/user-data.tftpl") as template:
    sys.stdout.write(re.sub(r"\$\{(\w+)\}", lambda m: values[m[1]], template.read()))
