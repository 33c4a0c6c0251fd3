// SPDX-License-Identifier: Apache-2.0
// A streaming parser for multipart/related uploads (RFC 2387, RFC 2046 section 5.1).
#include "emulator/multipart.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

static int malformed(struct err *err, const char *why)
{
	return err_set(err, -EINVAL, "Malformed multipart body: %s.", why);
}

int emu_multipart_init(struct emu_multipart *m, const char *content_type, size_t head_max,
		       emu_multipart_data_fn *fn, void *arg, struct err *err)
{
	const char *at = strcasestr(content_type, "boundary=");
	size_t n;

	*m = (struct emu_multipart){.fn = fn, .arg = arg};
	m->head = STR_INIT(head_max);
	if (!at)
		return malformed(err, "the Content-Type has no boundary");
	at += strlen("boundary=");
	n = *at == '"' ? strcspn(++at, "\"") : strcspn(at, "; \t");
	if (n < 1 || n > 70)
		return malformed(err, "the boundary is not 1 to 70 characters long");
	m->boundary = xstrndup(at, n);
	return 0;
}

void emu_multipart_done(struct emu_multipart *m)
{
	str_done(&m->head);
	free(m->boundary);
	free(m->json);
	free(m->content_type);
	*m = (struct emu_multipart){0};
}

/* Just past the delimiter line that begins the first part, or NULL if not complete. */
static char *first_line(struct emu_multipart *m)
{
	size_t n = strlen(m->boundary);
	char *at = m->head.s;

	/* a preamble is allowed: the delimiter is the first line that reads so */
	while (at && !(str_starts(at, "--") && strncmp(at + 2, m->boundary, n) == 0)) {
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
	at = at ? strchr(at, '\n') : NULL;
	if (!at)
		return NULL;
	m->delimiter_len = 0;
	if (at[-1] == '\r')
		m->delimiter[m->delimiter_len++] = '\r';
	m->delimiter[m->delimiter_len++] = '\n';
	m->delimiter[m->delimiter_len++] = '-';
	m->delimiter[m->delimiter_len++] = '-';
	memcpy(m->delimiter + m->delimiter_len, m->boundary, n);
	m->delimiter_len += n;
	return at + 1;
}

/* Past the empty line that ends a part's headers, or NULL if not complete. */
static char *past_headers(char *at, char **ret_content_type)
{
	static const char key[] = "content-type:";

	for (;;) {
		char *end = strchr(at, '\n');
		size_t n;

		if (!end)
			return NULL;
		n = (size_t)(end - at);
		if (n && at[n - 1] == '\r')
			n--;
		if (n == 0)
			return end + 1;
		if (n >= strlen(key) && strncasecmp(at, key, strlen(key)) == 0) {
			const char *value = at + strlen(key);

			while (*value == ' ' || *value == '\t')
				value++;
			if (value <= at + n) {
				free(*ret_content_type);
				*ret_content_type =
					xstrndup(value, (size_t)(at + n - value));
			}
		}
		at = end + 1;
	}
}

/* Is everything up to the data there? Then @ret_data is where they begin. */
static int parse_head(struct emu_multipart *m, char **ret_data, struct err *err)
{
	cleanup_free char *type = NULL;
	char *part = first_line(m), *json, *end, *data;
	size_t n;

	*ret_data = NULL;
	json = part ? past_headers(part, &type) : NULL;
	if (!json)
		return 0;
	n = m->head.len - (size_t)(json - m->head.s);
	end = memmem(json, n, m->delimiter, m->delimiter_len);
	data = end ? strchr(end + m->delimiter_len, '\n') : NULL;
	if (!data)
		return 0;
	if (str_starts(end + m->delimiter_len, "--"))
		return malformed(err, "the part with the data is missing");
	free(m->content_type);
	m->content_type = NULL;
	data = past_headers(data + 1, &m->content_type);
	if (!data)
		return 0;
	m->json = xstrndup(json, (size_t)(end - json));
	*ret_data = data;
	return 0;
}

/* After the delimiter of the data part: it must be the last one. */
static int add_tail(struct emu_multipart *m, const char *data, size_t n, struct err *err)
{
	while (n && m->after_len < sizeof(m->after)) {
		m->after[m->after_len++] = *data++;
		n--;
	}
	if (m->after_len < sizeof(m->after))
		return 0;
	if (memcmp(m->after, "--", 2) != 0)
		return malformed(err, "there are more than two parts");
	m->state = EMU_MULTIPART_END;
	return 0;
}

/*
 * Bytes held back from the last piece: look for a delimiter that begins among them.
 * Returns what of @data was used up, or -errno.
 */
static ssize_t add_to_hold(struct emu_multipart *m, const char *data, size_t n,
			   struct err *err)
{
	size_t keep = m->delimiter_len - 1, take = n < keep ? n : keep;
	size_t held = m->hold_len, total = held + take, out;
	const char *at;
	int r;

	memcpy(m->hold + held, data, take);
	at = memmem(m->hold, total, m->delimiter, m->delimiter_len);
	if (at) {
		size_t used = (size_t)(at - m->hold) + m->delimiter_len - held;

		r = m->fn(m->arg, m->hold, (size_t)(at - m->hold), err);
		m->hold_len = 0;
		m->state = EMU_MULTIPART_TAIL;
		return r < 0 ? r : (ssize_t)used;
	}
	/* with a whole delimiter's length seen, nothing that was held can begin one */
	out = take == keep ? held : total > keep ? total - keep : 0;
	r = m->fn(m->arg, m->hold, out, err);
	if (r < 0)
		return r;
	if (take == keep) {
		m->hold_len = 0;
		return 0;
	}
	m->hold_len = total - out;
	memmove(m->hold, m->hold + out, m->hold_len);
	return (ssize_t)take;
}

static ssize_t add_data(struct emu_multipart *m, const char *data, size_t n,
			struct err *err)
{
	size_t keep = m->delimiter_len - 1, out;
	const char *at;
	int r;

	if (m->hold_len)
		return add_to_hold(m, data, n, err);
	at = memmem(data, n, m->delimiter, m->delimiter_len);
	out = at ? (size_t)(at - data) : n > keep ? n - keep : 0;
	r = m->fn(m->arg, data, out, err);
	if (r < 0)
		return r;
	if (at) {
		m->state = EMU_MULTIPART_TAIL;
		return (ssize_t)(out + m->delimiter_len);
	}
	m->hold_len = n - out;
	memcpy(m->hold, data + out, m->hold_len);
	return (ssize_t)n;
}

static int add_rest(struct emu_multipart *m, const char *data, size_t n, struct err *err)
{
	while (n && m->state == EMU_MULTIPART_DATA) {
		ssize_t used = add_data(m, data, n, err);

		if (used < 0)
			return (int)used;
		data += used;
		n -= (size_t)used;
	}
	return m->state == EMU_MULTIPART_TAIL ? add_tail(m, data, n, err) : 0;
}

int emu_multipart_add(struct emu_multipart *m, const char *data, size_t n,
		      struct err *err)
{
	cleanup_str struct str head = STR_INIT(0);
	size_t before = m->head.len, took;
	char *at;
	int r;

	if (m->state != EMU_MULTIPART_HEAD)
		return add_rest(m, data, n, err);
	took = n < m->head.max - before ? n : m->head.max - before;
	str_addn(&m->head, data, took);
	if (m->head.failed)
		return err_set(err, -ENOMEM, "out of memory");
	r = parse_head(m, &at, err);
	if (r < 0)
		return r;
	if (!at && took < n)
		return malformed(err, "the first part is too large");
	if (!at)
		return 0;
	head = m->head;
	m->head = STR_INIT(head.max);
	m->state = EMU_MULTIPART_DATA;
	r = add_rest(m, at, head.len - (size_t)(at - head.s), err);
	if (r == 0 && took < n)
		r = add_rest(m, data + took, n - took, err);
	return r;
}

int emu_multipart_end(struct emu_multipart *m, struct err *err)
{
	if (m->state != EMU_MULTIPART_END)
		return malformed(err, "the closing boundary is missing");
	return 0;
}
