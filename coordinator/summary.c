// SPDX-License-Identifier: Apache-2.0
// What collect tells a person: the table of cells, what is not ok, what to do next.
#include <string.h>

#include "coordinator/collect.h"
#include "coordinator/summary_starts.h"
#include "coordinator/table.h"

enum params_part { NAMES, VALUES };

/* The case's columns without test_id, which has a column of its own. */
static void params_text(const json_t *params, enum params_part what, struct str *ret)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)params, key, value) {
		if (strcmp(key, "test_id") == 0)
			continue;
		if (ret->len)
			str_addc(ret, ',');
		str_add(ret, what == NAMES		? key
			     : json_string_value(value) ? json_string_value(value)
							: "");
	}
}

static void set_rate(struct table *t, size_t column, const struct cell_figure *f)
{
	struct spread s = spread_of(f->bw_bytes_per_s, f->n_rates);
	cleanup_str struct str median = STR_INIT(64);
	cleanup_str struct str range = STR_INIT(128);

	if (!f->n_rates)
		return;
	text_rate(s.median, &median);
	text_rate(s.min, &range);
	str_add(&range, " - ");
	text_rate(s.max, &range);
	table_set(t, column, "%s", str_text(&median));
	if (f->n_rates > 1)
		table_set(t, column + 1, "%s", str_text(&range));
	table_set(t, column + 2, "%.0f", spread_of(f->iops, f->n_rates).median);
}

static void set_percentile(struct table *t, size_t column, const struct latency *l,
			   double p)
{
	cleanup_str struct str text = STR_INIT(64);
	const struct latency_pct *pct = latency_pct(l, p);

	if (!pct)
		return;
	if (pct->is_censored)
		str_add(&text, "≥");
	text_ns((double)pct->ns, &text);
	table_set(t, column, "%s", str_text(&text));
}

static void cell_row(struct table *t, const struct cell *cell,
		     const struct cell_figure *f)
{
	cleanup_str struct str params = STR_INIT(4096);

	params_text(cell->test->params, VALUES, &params);
	table_row(t);
	table_set(t, 0, "%u", cell->test->test_id);
	table_set(t, 1, "%s", str_text(&params));
	table_set(t, 2, "%s", cell->arm->label);
	table_set(t, 3, "%zu/%zu", cell->views[STEP_OK], cell->planned);
	if (!f) {
		table_set(t, 4, "-");
		return;
	}
	table_set(t, 4, "%s", fio_rw_name(f->rw));
	if (f->group)
		table_set(t, 4, "%s (group %u)", fio_rw_name(f->rw), f->group);
	set_rate(t, 5, f);
	set_percentile(t, 8, &f->latency, 50);
	set_percentile(t, 9, &f->latency, 99);
	set_percentile(t, 10, &f->latency, 99.9);
}

static void cells_table(const struct collected *c, struct table *t)
{
	cleanup_str struct str names = STR_INIT(4096);
	size_t n_cases = c->run->config.n_cases, n_arms = c->run->config.n_arms;
	const char *headers[] = {"test",	 NULL,
				 "arm",		 ">ok",
				 "rw",		 ">bandwidth (median)",
				 ">(min - max)", ">IOPS (median)",
				 ">p50",	 ">p99",
				 ">p99.9",	 NULL};

	if (n_cases)
		params_text(c->run->config.cases[0].params, NAMES, &names);
	headers[1] = names.len ? str_text(&names) : "parameters";
	table_init(t, headers);
	/* arms of one test case next to each other: that is the comparison people read */
	for (size_t i = 0; i < n_cases; i++)
		for (size_t a = 0; a < n_arms; a++) {
			const struct cell *cell = &c->cells.v[a * n_cases + i];

			for (size_t k = 0; k < cell->n_figures; k++)
				cell_row(t, cell, &cell->figures[k]);
			if (!cell->n_figures)
				cell_row(t, cell, NULL);
		}
}

static void states_line(const struct collected *c, struct str *ret)
{
	const char *comma = "";

	str_addf(ret, "%zu step%s: ", c->steps.n, c->steps.n == 1 ? "" : "s");
	for (int i = 0; i < STEP_VIEW_COUNT; i++) {
		if (!c->views[i])
			continue;
		str_addf(ret, "%s%zu %s", comma, c->views[i],
			 step_view_name((enum step_view)i));
		comma = ", ";
	}
	if (c->n_superseded)
		str_addf(ret, "; %zu superseded attempt%s listed, not counted",
			 c->n_superseded, c->n_superseded == 1 ? "" : "s");
	if (c->n_refused)
		str_addf(ret, "; %zu document%s refused", c->n_refused,
			 c->n_refused == 1 ? "" : "s");
	str_addc(ret, '\n');
}

enum lines_for { LINES_TEXT, LINES_MARKDOWN };

static void add_lines(struct str *ret, enum lines_for form, size_t n, char *const *lines,
		      size_t most)
{
	const char *mark = form == LINES_TEXT ? "  " : "- ";

	for (size_t i = 0; i < n && i < most; i++) {
		str_add(ret, mark);
		if (form == LINES_TEXT)
			str_add_escaped(ret, lines[i], strlen(lines[i]));
		else
			text_markdown(lines[i], ret);
		str_addc(ret, '\n');
	}
	if (n > most)
		str_addf(ret, "%s… and %zu more\n", mark, n - most);
}

static const char measured[] = "Bandwidth (10^6 bytes) and IOPS are medians over the ok "
			       "steps of a cell, each step's\n"
			       "figure being fio's own per group: bytes / longest "
			       "runtime. Latency is submission to\n"
			       "completion (lat), percentiles from the steps' merged "
			       "histograms (bins within 0.8 %).\n";

static void next_line(const struct collected *c, struct str *ret)
{
	if (c->views[STEP_PENDING] || c->n_planless || !c->steps.n)
		str_add(ret, "Steps are missing: muster status shows which workers still "
			     "run.\n");
	else if (c->views[STEP_OK] == c->steps.n)
		str_add(ret, "Every step is ok. More iterations (split --iterations N) "
			     "narrow the "
			     "ranges above.\n");
	else
		str_add(ret, "Look at the reasons above; each step's raw files are under "
			     "raw/.\n");
}

void summary_text(const struct collected *c, struct str *ret)
{
	cleanup_table struct table t;

	str_addf(ret, "run %s: ", c->run->config.run);
	states_line(c, ret);
	str_addc(ret, '\n');
	cells_table(c, &t);
	table_text(&t, ret);
	str_addc(ret, '\n');
	if (c->starts.n)
		summary_starts_line(c, ret);
	if (c->n_problems) {
		str_add(ret, "not ok:\n");
		add_lines(ret, LINES_TEXT, c->n_problems, c->problems, 20);
		str_addc(ret, '\n');
	}
	if (c->n_notes) {
		str_add(ret, "notes:\n");
		add_lines(ret, LINES_TEXT, c->n_notes, c->notes, 20);
		str_addc(ret, '\n');
	}
	str_add(ret, measured);
	str_addf(ret,
		 "Written: %s/results.csv, results.json, summary.md, raw/ (%zu files of "
		 "the run)\n",
		 c->fetch.out_dir, c->n_files);
	next_line(c, ret);
}

/* An argument with blanks or none at all is quoted, so that its ends are seen. */
static void markdown_arg(const char *arg, struct str *ret)
{
	const char *quote = !*arg || strchr(arg, ' ') ? "'" : "";

	str_addf(ret, " %s", quote);
	text_markdown(arg, ret);
	str_add(ret, quote);
}

static void markdown_plan(const struct collected *c, struct str *ret)
{
	const struct config *config = &c->run->config;

	str_addf(ret, "- design: %s, %u iterations, seed %llu, %zu workers\n",
		 design_name(config->design), config->iterations,
		 (unsigned long long)config->seed, config->n_workers);
	for (size_t i = 0; i < config->n_arms; i++) {
		const struct arm *arm = &config->arms[i];

		str_add(ret, "- arm ");
		text_markdown(arm->label, ret);
		str_addf(ret, ": %s", arm_kind_name(arm->kind));
		if (arm->version)
			str_addc(ret, ' ');
		text_markdown(arm->version ? arm->version : "", ret);
		for (size_t k = 0; k < arm->n_args; k++)
			markdown_arg(arm->args[k], ret);
		str_addc(ret, '\n');
	}
}

static const char starts_measured[] =
	"Spread: from the first to the last worker's start of fio, by the store's clock "
	"(± how well that is\nknown). Fleet, all at work: bytes per second in the window "
	"in "
	"which every ok worker's fio was\nrunning, each with its own mean rate (an "
	"estimate). First to last: all bytes over the time from the\nfirst start to the "
	"last end. Neither is a sum of rates.\n";

static void markdown_starts(const struct collected *c, struct str *ret)
{
	cleanup_table struct table t;

	str_add(ret, "\n## Synchronised starts\n\n");
	summary_starts_line(c, ret);
	str_addc(ret, '\n');
	summary_starts_table(c, &t);
	table_markdown(&t, ret);
	str_addc(ret, '\n');
	str_add(ret, starts_measured);
}

void summary_markdown(const struct collected *c, struct str *ret)
{
	cleanup_table struct table t;

	str_addf(ret, "# Run %s\n\n", c->run->config.run);
	states_line(c, ret);
	str_addc(ret, '\n');
	markdown_plan(c, ret);
	str_add(ret, "\n## Cells\n\n");
	cells_table(c, &t);
	table_markdown(&t, ret);
	str_addc(ret, '\n');
	str_add(ret, measured);
	if (c->starts.n)
		markdown_starts(c, ret);
	if (c->n_problems) {
		str_add(ret, "\n## Steps that are not ok\n\n");
		add_lines(ret, LINES_MARKDOWN, c->n_problems, c->problems,
			  COLLECT_NOTES_MAX);
	}
	if (c->n_notes) {
		str_add(ret, "\n## Notes\n\n");
		add_lines(ret, LINES_MARKDOWN, c->n_notes, c->notes, COLLECT_NOTES_MAX);
	}
	str_addc(ret, '\n');
	next_line(c, ret);
}
