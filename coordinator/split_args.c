// SPDX-License-Identifier: Apache-2.0
// split's command line, judged before anything is read.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/names.h"
#include "coordinator/split.h"
#include "core/clock.h"
#include "manifests/fio_policy.h"

static int missing(const char *flag, const char *why, struct err *err)
{
	return err_set(err, -EINVAL, "--%s is missing: %s", flag, why);
}

static int check_given(const struct split_flags *f, struct err *err)
{
	if (!f->tests)
		return missing("tests", "the CSV of test cases", err);
	if (!f->fio)
		return missing("fio", "the template of the fio job", err);
	if (!f->data)
		return missing("data", "gs://BUCKET[/prefix] of the data under test",
			       err);
	if (!f->workers)
		return missing("workers", "a number, a list a,b,c or @FILE", err);
	if (f->configs && (f->gcsfuse || f->mount_args))
		return err_set(err, -EINVAL,
			       "--configs names the arms: --gcsfuse and --mount-args are "
			       "for a single one");
	if (!f->configs && !f->gcsfuse && strcmp(f->kind, "dir") != 0)
		return missing("configs",
			       "the CSV of mount configs (or --gcsfuse VERSION)", err);
	return 0;
}

/* Whole seconds: that is what a job says. A name is free to take once its owner was
 * silent for 120 s, whatever the run says: two heartbeats have to fit in. */
static int check_liveness(const struct split_flags *f, struct err *err)
{
	if (f->heartbeat_ns < NS_PER_S || f->heartbeat_ns > 60LL * NS_PER_S ||
	    f->heartbeat_ns % NS_PER_S)
		return err_set(err, -EINVAL,
			       "--heartbeat: not whole seconds between 1s and 60s");
	if (f->stale_ns <= f->heartbeat_ns)
		return err_set(err, -EINVAL,
			       "--stale: not longer than --heartbeat: every worker "
			       "would count as gone");
	if (f->stale_ns > 86400LL * NS_PER_S || f->stale_ns % NS_PER_S)
		return err_set(err, -EINVAL, "--stale: not whole seconds up to 24h");
	return 0;
}

static int check_numbers(const struct split_flags *f, struct err *err)
{
	if (f->iterations < 1 || f->iterations > PLAN_STEPS_MAX)
		return err_set(err, -EINVAL, "--iterations: not between 1 and %d",
			       PLAN_STEPS_MAX);
	if (f->replicas < 1 || f->replicas > NAMES_MAX)
		return err_set(err, -EINVAL, "--replicas: not between 1 and %d",
			       NAMES_MAX);
	if (f->max_attempts < 1 || f->max_attempts > 100)
		return err_set(err, -EINVAL, "--max-attempts: not between 1 and 100");
	if (f->timeout_ns < 1000000000 || f->timeout_ns > 7 * 86400 * 1000000000LL)
		return err_set(err, -EINVAL, "--timeout: not between 1 s and 7 days");
	if (check_liveness(f, err) < 0)
		return -EINVAL;
	if (f->seed > INT64_MAX)
		return err_set(err, -EINVAL, "--seed: larger than 2^63 - 1");
	if (strcmp(f->kind, "gcsfuse") != 0 && strcmp(f->kind, "dir") != 0)
		return err_set(err, -EINVAL,
			       "--kind: \"%.40s\" is neither gcsfuse nor dir", f->kind);
	return 0;
}

static bool is_in_range(int64_t ns, int64_t min_ns, int64_t max_ns)
{
	return ns >= min_ns && ns <= max_ns;
}

/* The flags of a synchronised start are of one design only. */
static int check_barrier(const struct split_flags *f, enum design design, struct err *err)
{
	enum barrier_policy policy;

	if (design != DESIGN_TOGETHER &&
	    (f->barrier_policy || f->barrier_timeout_ns || f->barrier_lead_ns))
		return err_set(err, -EINVAL,
			       "--barrier-policy, --barrier-timeout and --barrier-lead "
			       "need --design together");
	if (design == DESIGN_TOGETHER && f->steal)
		return err_set(err, -EINVAL,
			       "--steal: with --design together every worker has its "
			       "part in every start, and nothing can be taken over");
	if (f->barrier_policy && !barrier_policy_find(f->barrier_policy, &policy))
		return err_set(err, -EINVAL,
			       "--barrier-policy: \"%.40s\" is none of all, majority, "
			       "best-effort",
			       f->barrier_policy);
	if (f->barrier_timeout_ns &&
	    !is_in_range(f->barrier_timeout_ns, NS_PER_S, 7 * 86400 * 1000000000LL))
		return err_set(err, -EINVAL,
			       "--barrier-timeout: not between 1 s and 7 days");
	if (f->barrier_lead_ns &&
	    !is_in_range(f->barrier_lead_ns, NS_PER_MS, 3600 * 1000000000LL))
		return err_set(err, -EINVAL, "--barrier-lead: not between 1 ms and 1 h");
	return 0;
}

static int check_design(struct split *split, struct err *err)
{
	const struct split_flags *f = &split->flags;

	for (enum design d = DESIGN_BLOCKS; d <= DESIGN_TOGETHER; d++) {
		if (strcmp(design_name(d), f->design) != 0)
			continue;
		split->design = d;
		return check_barrier(f, d, err);
	}
	return err_set(err, -EINVAL,
		       "--design: \"%.40s\" is none of blocks, spread, together",
		       f->design);
}

static int check_pairs(const char *flag, const struct opt_list *list, struct err *err)
{
	for (size_t i = 0; i < list->n; i++) {
		size_t n = strcspn(list->v[i], "=");

		if (!n || !list->v[i][n] || !list->v[i][n + 1])
			return err_set(err, -EINVAL, "--%s: \"%.60s\" is not NAME=VALUE",
				       flag, list->v[i]);
		for (size_t j = 0; j < i; j++)
			if (strncmp(list->v[i], list->v[j], n + 1) == 0)
				return err_set(err, -EINVAL, "--%s: %.*s is given twice",
					       flag, (int)n, list->v[i]);
	}
	return 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A worker's rank at a barrier is its place among the names, and it must be that of its
 * plan: the workers of such a run are planned in the order of their names. */
static void sort_members(struct split *split)
{
	if (split->design != DESIGN_TOGETHER)
		return;
	qsort(split->workers, split->n_workers, sizeof(char *), by_text);
	split->members = xcalloc(split->n_workers, sizeof(char *));
	for (size_t i = 0; i < split->n_workers; i++)
		split->members[i] = split->workers[i];
}

static int read_data(struct split *split, struct err *err)
{
	struct store_url *url = &split->data_url;
	struct err why = {0};
	size_t n;

	if (store_url_parse(split->flags.data, url, &why) < 0)
		return err_set(err, -EINVAL, "--data: %s", why.text);
	for (n = strlen(url->name); n && url->name[n - 1] == '/'; n--)
		url->name[n - 1] = '\0';
	if (!bucket_is_valid(url->bucket) || !prefix_is_valid(url->name))
		return err_set(err, -EINVAL,
			       "--data: \"%.100s\" is not gs://BUCKET[/prefix] of plain "
			       "names",
			       split->flags.data);
	if (strcmp(url->bucket, split->ref.bucket) == 0)
		return err_set(err, -EINVAL,
			       "--data: bucket %s is the control bucket too: the load "
			       "would throttle the control plane, and fio could reach it",
			       url->bucket);
	split->endpoint = split->flags.data_endpoint ? xstrdup(split->flags.data_endpoint)
						     : store_endpoint_from_env();
	for (n = split->endpoint ? strlen(split->endpoint) : 0;
	     n && split->endpoint[n - 1] == '/'; n--)
		split->endpoint[n - 1] = '\0';
	if (split->endpoint && !str_starts(split->endpoint, "http://") &&
	    !str_starts(split->endpoint, "https://"))
		return err_set(err, -EINVAL, "--data-endpoint: \"%.80s\" is not a URL",
			       split->endpoint);
	return 0;
}

int split_args(struct split *split, const char *url, struct err *err)
{
	struct str text = STR_INIT(4096);
	int r = check_given(&split->flags, err);

	if (r == 0)
		r = check_numbers(&split->flags, err);
	if (r == 0)
		r = check_design(split, err);
	if (r == 0)
		r = check_pairs("pin", &split->flags.pins, err);
	if (r == 0)
		r = check_pairs("binary", &split->flags.binaries, err);
	for (size_t i = 0; i < split->flags.allowed.n && r == 0; i++) {
		struct err why = {0};

		if (fio_policy_may_allow(split->flags.allowed.v[i], &why) < 0)
			r = err_set(err, -EINVAL, "--allow-option: %s", why.text);
	}
	if (r == 0)
		r = run_ref_parse(url, &split->ref, err);
	if (r < 0)
		return r;
	run_ref_url(&split->ref, &text);
	split->url = str_steal(&text);
	r = names_parse("--workers", split->flags.workers, &split->workers,
			&split->n_workers, err);
	if (r == 0)
		sort_members(split);
	return r < 0 ? r : read_data(split, err);
}
