// SPDX-License-Identifier: Apache-2.0
// What becomes of the monitor's rows: the CSV and the figures of the step's record.
#include "worker/monitor_rows.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/cleanup.h"
#include "core/clock.h"
#include "core/str.h"

enum field_kind { COUNTER, GAUGE };

static const struct {
	const char *name;
	enum field_kind kind;
} fields[F_COUNT] = {
	[F_GCSFUSE_CPU] = {"gcsfuse_cpu_ns", COUNTER},
	[F_GCSFUSE_RSS] = {"gcsfuse_rss_bytes", GAUGE},
	[F_GCSFUSE_THREADS] = {"gcsfuse_threads", GAUGE},
	[F_FIO_CPU] = {"fio_cpu_ns", COUNTER},
	[F_SYS_BUSY] = {"sys_busy_ns", COUNTER},
	[F_SYS_IOWAIT] = {"sys_iowait_ns", COUNTER},
	[F_SYS_STEAL] = {"sys_steal_ns", COUNTER},
	[F_NET_RX] = {"net_rx_bytes", COUNTER},
	[F_NET_TX] = {"net_tx_bytes", COUNTER},
	[F_LO_RX] = {"lo_rx_bytes", COUNTER},
	[F_CACHED] = {"cached_bytes", GAUGE},
	[F_DIRTY] = {"dirty_bytes", GAUGE},
	[F_FUSE_WAITING] = {"fuse_waiting", GAUGE},
};

int monitor_rows_init(struct monitor_rows *rows, size_t cap, struct err *err)
{
	rows->rows = malloc(cap * sizeof(*rows->rows));
	if (!rows->rows)
		return err_set(err, -ENOMEM, "monitor: no memory for %zu rows", cap);
	memset(rows->rows, 0, cap * sizeof(*rows->rows));
	rows->cap = cap;
	return 0;
}

void monitor_rows_done(struct monitor_rows *rows)
{
	free(rows->rows);
	*rows = (struct monitor_rows){0};
}

/* A counter's zero: its first value that is there. */
static uint64_t base_of(const struct monitor_rows *rows, enum monitor_field f)
{
	for (size_t i = 0; fields[f].kind == COUNTER && i < rows->n; i++)
		if (rows->rows[i].v[f] != MONITOR_NONE)
			return rows->rows[i].v[f];
	return 0;
}

static void write_rows(FILE *f, const struct monitor_rows *rows)
{
	uint64_t base[F_COUNT];

	fputs("t_ns", f);
	for (enum monitor_field c = 0; c < F_COUNT; c++) {
		fprintf(f, ",%s", fields[c].name);
		base[c] = base_of(rows, c);
	}
	fputc('\n', f);
	for (size_t i = 0; i < rows->n; i++) {
		const struct monitor_row *row = &rows->rows[i];

		fprintf(f, "%" PRId64, row->t_ns);
		for (size_t c = 0; c < F_COUNT; c++) {
			fputc(',', f);
			/* the kernel's iowait may go back; a counter does not */
			if (row->v[c] != MONITOR_NONE)
				fprintf(f, "%" PRIu64,
					row->v[c] < base[c] ? 0 : row->v[c] - base[c]);
		}
		fputc('\n', f);
	}
}

int monitor_rows_write_csv(const struct monitor_rows *rows, const char *path,
			   struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
	bool has_failed;

	if (!f) {
		int r = err_errno(err, -errno, "%s", path);

		if (fd >= 0)
			close(fd);
		return r;
	}
	errno = 0;
	write_rows(f, rows);
	has_failed = ferror(f);
	if (fclose(f) != 0 || has_failed)
		return err_errno(err, errno ? -errno : -EIO, "%s", path);
	return 0;
}

static double rate_per_s(const struct monitor_row *a, const struct monitor_row *b,
			 size_t c)
{
	double change = b->v[c] < a->v[c] ? 0 : (double)(b->v[c] - a->v[c]);

	return change * NS_PER_S / (double)(b->t_ns - a->t_ns);
}

static bool has_value(const struct monitor_row *row, size_t c)
{
	return row->v[c] != MONITOR_NONE;
}

/* Neighbours less than half a period apart (the last row) would make false peaks. */
static bool counter_stats(const struct monitor_rows *rows, int64_t period_ns, size_t c,
			  struct monitor_column *ret)
{
	const struct monitor_row *first = NULL, *last = NULL, *before = NULL;

	ret->peak = 0;
	for (size_t i = 0; i < rows->n; i++) {
		const struct monitor_row *row = &rows->rows[i];
		double rate;

		if (!has_value(row, c))
			continue;
		if (!first)
			first = before = row;
		last = row;
		if (row->t_ns - before->t_ns < period_ns / 2)
			continue;
		rate = rate_per_s(before, row, c);
		if (rate > ret->peak)
			ret->peak = rate;
		before = row;
	}
	if (!first || last->t_ns <= first->t_ns)
		return false;
	ret->avg = rate_per_s(first, last, c);
	if (ret->peak < ret->avg)
		ret->peak = ret->avg;
	return true;
}

static bool gauge_stats(const struct monitor_rows *rows, size_t c,
			struct monitor_column *ret)
{
	double sum = 0;
	size_t n = 0;

	ret->peak = 0;
	for (size_t i = 0; i < rows->n; i++) {
		double v = (double)rows->rows[i].v[c];

		if (!has_value(&rows->rows[i], c))
			continue;
		n++;
		sum += v;
		if (v > ret->peak)
			ret->peak = v;
	}
	ret->avg = n ? sum / (double)n : 0;
	return n > 0;
}

_Static_assert((int)F_COUNT <= (int)MONITOR_COLUMNS, "every column has a place");

void monitor_rows_stats(const struct monitor_rows *rows, int64_t period_ns,
			struct step_record *rec)
{
	rec->monitor_samples = (unsigned)rows->n;
	rec->monitor_lost = rows->lost;
	rec->n_columns = 0;
	for (size_t c = 0; c < F_COUNT; c++) {
		struct monitor_column *col = &rec->columns[rec->n_columns];
		bool is_counter = fields[c].kind == COUNTER;

		snprintf(col->name, sizeof(col->name), "%s%s", fields[c].name,
			 is_counter ? "_per_s" : "");
		if (is_counter ? counter_stats(rows, period_ns, c, col)
			       : gauge_stats(rows, c, col))
			rec->n_columns++;
	}
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

void monitor_rows_jitter(const struct monitor_rows *rows, struct monitor_cost *ret)
{
	cleanup_free int64_t *late = xcalloc(rows->n + 1, sizeof(*late));
	size_t n = 0;

	for (size_t i = 0; i < rows->n; i++)
		if (rows->rows[i].late_ns >= 0)
			late[n++] = rows->rows[i].late_ns;
	if (!n)
		return;
	qsort(late, n, sizeof(*late), by_value);
	ret->jitter_p99_ns = late[(n * 99 + 99) / 100 - 1];
	ret->jitter_max_ns = late[n - 1];
}
