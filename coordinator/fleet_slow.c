// SPDX-License-Identifier: Apache-2.0
// Which workers are far behind the others.
#include "coordinator/fleet_slow.h"

#include <stdlib.h>

#include "core/clock.h"
#include "core/str.h"

static const double slow_ratio = 2, slow_least_s = 60, early_share = 0.25;
enum { SLOW_FLEET_MIN = 3, SLOW_LEFT_MIN = 2 };

static bool is_measured(const struct fleet_worker *w)
{
	return w->is_planned && w->has_heartbeat && w->hb.total &&
	       (w->view == FLEET_ALIVE || w->view == FLEET_ENDED);
}

static double left_s(const struct fleet *fleet, const struct fleet_worker *w)
{
	int64_t ns = fleet->server_now_ns - w->first_job_ns;
	unsigned left = w->hb.total > w->hb.done ? w->hb.total - w->hb.done : 0;

	if (w->view == FLEET_ENDED || ns < 0)
		return 0;
	return (double)ns / NS_PER_S * left / (w->hb.done + 1);
}

static double done_share(const struct fleet_worker *w)
{
	return w->view == FLEET_ENDED ? 1 : (double)w->hb.done / w->hb.total;
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The lower one of two: what half of the fleet has reached. */
static double median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_value);
	return v[(n - 1) / 2];
}

void fleet_mark_slow(struct fleet *fleet)
{
	cleanup_free double *left = xcalloc(fleet->n + 1, sizeof(*left));
	cleanup_free double *share = xcalloc(fleet->n + 1, sizeof(*share));
	double usual_s;
	size_t n = 0;

	for (size_t i = 0; i < fleet->n; i++) {
		const struct fleet_worker *w = &fleet->workers[i];

		fleet->workers[i].is_slow = false;
		if (!is_measured(w))
			continue;
		left[n] = left_s(fleet, w);
		share[n++] = done_share(w);
	}
	if (n < SLOW_FLEET_MIN || median(share, n) < early_share)
		return;
	usual_s = median(left, n);
	for (size_t i = 0; i < fleet->n; i++) {
		struct fleet_worker *w = &fleet->workers[i];
		double own_s = left_s(fleet, w);

		w->is_slow = is_measured(w) && w->view == FLEET_ALIVE &&
			     w->hb.total >= w->hb.done + SLOW_LEFT_MIN &&
			     own_s > slow_ratio * usual_s &&
			     own_s > usual_s + slow_least_s;
	}
}
