# SPDX-License-Identifier: Apache-2.0
"""What tests/tools/fake_fio.c does to an attempt, computed a second time.

All of it follows from "<run>/<worker>/<step>-a<attempt>", so that every ending that was not
planned can be told from those that were.
"""

BIN_WORKER, BIN_MATRIX, BIN_ITERATION, BIN_ATTEMPT, BIN_REST = 256, 320, 384, 448, 512
MASK = (1 << 64) - 1


def hash64(text):
    """FNV-1a and a fold, as in fake_fio.c."""
    h = 14695981039346656037
    for byte in text.encode():
        h = ((h ^ byte) * 1099511628211) & MASK
    return h ^ h >> 29


def ending(fio, run, worker, step, attempt):
    """How fio ends when nobody stops it: ok, failed or invalid."""
    luck = hash64(f"{run}/{worker}/{step}-a{attempt}") % 100
    if luck < fio["fail"] + fio["garbage"]:
        return "failed"
    return "invalid" if luck < fio["fail"] + fio["garbage"] + fio["empty"] else "ok"


def key(index):
    """The middle of a bin of fio's default geometry."""
    shift = (index >> 6) - 1
    return (1 << (shift + 6)) + ((index & 63) << shift) + (1 << (shift - 1))


def bins(ios, jobs, worker, matrix_id, iteration, attempt):
    """The bins of `jobs` jobs that each did `ios` I/Os in one direction."""
    codes = [BIN_MATRIX + matrix_id, BIN_ITERATION + iteration, BIN_ATTEMPT + attempt,
             BIN_WORKER + worker][:ios]
    found = {key(index): jobs for index in codes}
    if ios > 4:
        found[key(BIN_REST)] = (ios - 4) * jobs
    return sorted(found.items())


def size(text):
    """fio's 64k, as far as the script uses it."""
    return int(text[:-1]) << 10 if text.endswith("k") else int(text)


def directions(params):
    """{"read": I/Os of one job, "write": …} of a test case's row."""
    blocks = size(params["filesize"]) // size(params["bs"])
    files = int(params["nrfiles"])
    if params["rw"] in ("rw", "randrw"):
        return {"read": (blocks + 1) // 2 * files, "write": blocks // 2 * files}
    return {"read" if "read" in params["rw"] else "write": blocks * files}
