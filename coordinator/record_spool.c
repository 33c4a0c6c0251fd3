// SPDX-License-Identifier: Apache-2.0
// Parsed records in a nameless file: as they are in memory, and what they point to.
#include "coordinator/record_spool.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/cleanup.h"
#include "core/json.h"
#include "core/str.h"

/* larger ones are parsed again */
enum { RECORD_MAX_BYTES = 1 << 20, NO_TEXT = -1 };

void record_spool_open(struct record_spool *spool, const char *dir)
{
	spool->end = 0;
	spool->fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

void record_spool_close(struct record_spool *spool)
{
	if (spool->fd >= 0)
		close(spool->fd);
	spool->fd = -1;
}

static void put_text(struct str *to, const char *text)
{
	int32_t n = text ? (int32_t)strlen(text) : NO_TEXT;

	str_addn(to, &n, sizeof(n));
	str_addn(to, text, text ? (size_t)n : 0);
}

static void put_config(struct str *to, const json_t *config)
{
	cleanup_str struct str text = STR_INIT(RECORD_MAX_BYTES);

	if (config && json_dump(config, &text, NULL) < 0) {
		to->failed = true;
		return;
	}
	put_text(to, config ? str_text(&text) : NULL);
}

/* Most bins are 0. */
static void put_hist(struct str *to, const struct hist *h)
{
	uint32_t n = h->count ? h->groups << h->bits : 0, used = 0;

	for (uint32_t i = 0; i < n; i++)
		used += h->count[i] != 0;
	str_addn(to, &used, sizeof(used));
	for (uint32_t i = 0; i < n; i++) {
		if (!h->count[i])
			continue;
		str_addn(to, &i, sizeof(i));
		str_addn(to, &h->count[i], sizeof(h->count[i]));
	}
}

static void put_record(struct str *to, const struct step_record *record)
{
	/* without the arrays at its end, of which little is used */
	str_addn(to, record, offsetof(struct step_record, columns));
	str_addn(to, record->columns, record->n_columns * sizeof(record->columns[0]));
	str_addn(to, &record->n_files, sizeof(record->n_files));
	str_addn(to, record->files, record->n_files * sizeof(record->files[0]));
	put_text(to, record->flags);
	put_config(to, record->gcsfuse_config);
	str_addn(to, &record->n_results, sizeof(record->n_results));
	str_addn(to, record->results, record->n_results * sizeof(*record->results));
	for (size_t i = 0; i < record->n_results; i++)
		put_hist(to, &record->results[i].lat);
}

struct record_place record_spool_put(struct record_spool *spool,
				     const struct step_record *record)
{
	cleanup_str struct str all = STR_INIT(RECORD_MAX_BYTES);
	struct record_place place = {0};

	if (spool->fd < 0)
		return place;
	put_record(&all, record);
	if (all.failed)
		return place;
	place.at = atomic_fetch_add(&spool->end, all.len);
	if (pwrite(spool->fd, all.s, all.len, (off_t)place.at) == (ssize_t)all.len)
		place.bytes = (uint32_t)all.len;
	return place;
}

/* The next @n bytes; what was written is read, so they are there. */
static void take(const char **from, void *to, size_t n)
{
	memcpy(to, *from, n);
	*from += n;
}

static char *take_text(const char **from)
{
	char *text = NULL;
	int32_t n;

	take(from, &n, sizeof(n));
	if (n != NO_TEXT) {
		text = xstrndup(*from, (size_t)n);
		*from += n;
	}
	return text;
}

static json_t *take_config(const char **from)
{
	cleanup_free char *text = take_text(from);

	return text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
}

static void take_hist(const char **from, struct hist *h)
{
	uint32_t used, index;

	h->count = h->count ? xcalloc((size_t)h->groups << h->bits, sizeof(*h->count))
			    : NULL;
	take(from, &used, sizeof(used));
	for (; used; used--) {
		take(from, &index, sizeof(index));
		take(from, &h->count[index], sizeof(*h->count));
	}
}

static void take_record(const char *from, struct step_record *ret)
{
	take(&from, ret, offsetof(struct step_record, columns));
	take(&from, ret->columns, ret->n_columns * sizeof(ret->columns[0]));
	take(&from, &ret->n_files, sizeof(ret->n_files));
	take(&from, ret->files, ret->n_files * sizeof(ret->files[0]));
	ret->flags = take_text(&from);
	ret->gcsfuse_config = take_config(&from);
	take(&from, &ret->n_results, sizeof(ret->n_results));
	ret->results = xcalloc(ret->n_results + 1, sizeof(*ret->results));
	take(&from, ret->results, ret->n_results * sizeof(*ret->results));
	for (size_t i = 0; i < ret->n_results; i++)
		take_hist(&from, &ret->results[i].lat);
}

bool record_spool_get(const struct record_spool *spool, struct record_place place,
		      struct step_record *ret)
{
	cleanup_free char *all = NULL;

	if (!place.bytes)
		return false;
	all = xcalloc(1, place.bytes);
	if (pread(spool->fd, all, place.bytes, (off_t)place.at) != (ssize_t)place.bytes)
		return false;
	step_record_init(ret);
	take_record(all, ret);
	return true;
}
