# SPDX-License-Identifier: Apache-2.0
"""All cases in one TAP stream; names as arguments choose some."""

import sys

import cases_conditions
import cases_faults
import cases_list
import cases_metadata
import cases_objects
import cases_program
import cases_races
import cases_resumable
import cases_retry
from harness import done

MODULES = [cases_program, cases_objects, cases_conditions, cases_resumable, cases_list,
           cases_races, cases_faults, cases_retry, cases_metadata]

for module in MODULES:
    if len(sys.argv) == 1 or module.__name__.removeprefix("cases_") in sys.argv[1:]:
        module.run()
sys.exit(done())
