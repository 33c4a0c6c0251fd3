// SPDX-License-Identifier: Apache-2.0
// One step, phase by phase.
#include "worker/step.h"

#include <errno.h>

#include "core/clock.h"
#include "core/log.h"
#include "worker/barrier.h"
#include "worker/files.h"
#include "worker/record.h"
#include "worker/worker.h"

static const struct phase phases[] = {
	{"claim", attempt_claim, attempt_withdraw, PHASE_IF_WELL, -1},
	{"layout", attempt_layout, NULL, PHASE_IF_WELL, PHASE_LAYOUT},
	{"quiesce", attempt_quiesce, attempt_unquiesce, PHASE_IF_WELL, -1},
	{"mount", attempt_mount, attempt_unmount_any, PHASE_IF_WELL, PHASE_MOUNT},
	{"warm", attempt_warm, NULL, PHASE_IF_WELL, PHASE_WARM},
	{"barrier", attempt_barrier, NULL, PHASE_IF_WELL, -1},
	{"measure", attempt_measure, attempt_unmeasure, PHASE_IF_WELL, -1},
	{"unmount", attempt_unmount, attempt_unmount_any, PHASE_IF_WELL, PHASE_UNMOUNT},
	{"parse", attempt_parse, NULL, PHASE_ALWAYS, PHASE_PARSE},
	{"upload", attempt_upload, NULL, PHASE_ALWAYS, PHASE_UPLOAD},
	{"commit", attempt_commit, NULL, PHASE_ALWAYS, -1},
};

const struct phase *step_phases(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(phases);
	return phases;
}

/* A full disk fails whoever writes next, often without words of its own. */
static const char *disk_hint(const struct worker *w)
{
	enum { FULL_BYTES = 64 << 10 };
	uint64_t room = 0;

	if (!w->id.workspace || files_free_bytes(w->id.workspace, &room, NULL) < 0 ||
	    room >= FULL_BYTES)
		return "";
	return " (no space left on the workspace's disk)";
}

/* What a phase's error makes of the attempt. */
static void blame(struct worker *w, struct attempt *a, const char *phase, int r,
		  const struct err *err)
{
	if (r == -ECANCELED && stop_why(&w->stop) == STOP_ABORT)
		attempt_fail(a, ATTEMPT_CANCELLED, "%s: stopped by an order", phase);
	else if (r == -ECANCELED)
		attempt_fail(a, ATTEMPT_INTERRUPTED, "%s: %s", phase,
			     stop_text(&w->stop));
	else
		attempt_fail(a, r == -ETIMEDOUT ? ATTEMPT_TIMEOUT : ATTEMPT_FAILED,
			     "%s: %s%s", phase, err->text, disk_hint(w));
}

/* An interruption ends the step only when no attempt is left. */
static void settle(struct attempt *a)
{
	char why[REASON_CAP];

	if (a->end != ATTEMPT_INTERRUPTED)
		return;
	reason_set(why, a->reason);
	a->end = record_interrupted(a->number, a->job->settings.max_attempts, why,
				    a->reason);
}

/* A reason to stop ends the waiting phases before they begin; once fio has run, its
 * figures are brought home. */
static bool may_begin(struct worker *w, struct attempt *a, const struct phase *p,
		      bool has_failed)
{
	if (p->when == PHASE_ALWAYS)
		return true;
	if (!has_failed && !a->has_fio && stop_why(&w->stop) != STOP_NONE) {
		blame(w, a, p->name, -ECANCELED, NULL);
		return false;
	}
	return !has_failed;
}

int phases_run(const struct phase *table, size_t n, struct worker *w, struct attempt *a,
	       struct err *err)
{
	bool has_failed = false;
	int r = 0;

	for (size_t i = 0; i < n; i++) {
		const struct phase *p = &table[i];
		int64_t start_ns = clock_mono_ns();
		bool may = may_begin(w, a, p, has_failed);

		err_clear(err);
		r = 0;
		if (may) {
			worker_die_at("before", p->name);
			board_progress(&w->board, p->name);
			r = p->run(w, a, err);
			if (p->clock >= 0)
				a->rec.phase_ns[p->clock] = clock_mono_ns() - start_ns;
			worker_die_at("after", p->name);
			if (r < 0) {
				log_line(LOG_WARN, "step %s: %s: %s", a->id, p->name,
					 err->text);
				blame(w, a, p->name, r, err);
			}
		}
		if (!has_failed && p->when == PHASE_IF_WELL && (!may || r < 0)) {
			has_failed = true;
			for (size_t k = i + 1; k > 0; k--)
				if (table[k - 1].undo)
					table[k - 1].undo(w, a);
		}
		settle(a);
	}
	return r;
}

static void tell(const struct attempt *a, int64_t ns)
{
	const struct fio_result *f = a->rec.n_results ? &a->rec.results[0] : NULL;

	if (a->end == ATTEMPT_OK && f)
		worker_say("step %s (case %u, arm %s) attempt %u: ok in %.1f s: %s "
			   "%.1f MB/s, %.0f I/Os per s",
			   a->id, a->plan->test_id, a->arm->label, a->number,
			   (double)ns / NS_PER_S, fio_rw_name(f->rw),
			   f->bw_bytes_per_s / 1e6, f->iops);
	else
		worker_say("step %s (case %u, arm %s) attempt %u: %s in %.1f s: %s",
			   a->id, a->plan->test_id, a->arm ? a->arm->label : "?",
			   a->number, attempt_state_name(a->end), (double)ns / NS_PER_S,
			   a->reason);
}

int step_run(struct worker *w, size_t index, struct err *err)
{
	int64_t start_ns = clock_mono_ns();
	struct attempt a;
	int r;

	attempt_begin(w, index, &a);
	r = phases_run(phases, ARRAY_SIZE(phases), w, &a, err);
	board_inflight(&w->board, "", 0);
	if (r < 0)
		w->is_recordless = true;
	tell(&a, clock_mono_ns() - start_ns);
	attempt_done(w, &a);
	return r;
}
