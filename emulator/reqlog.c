// SPDX-License-Identifier: Apache-2.0
// The request log: a ring of the last requests.
#include "emulator/reqlog.h"

#include <pthread.h>
#include <string.h>

#include <microhttpd.h>

#include "core/clock.h"
#include "core/json.h"
#include "emulator/req.h"

struct entry {
	uint64_t number;
	int64_t at_ns;
	int status;
	uint64_t body_bytes, generation;
	enum emu_fault fault;
	char *text; /* method, path, query, token, header names; each ends in NUL */
};

struct emu_reqlog {
	pthread_mutex_t mu;
	uint64_t total;
	uint64_t first; /* number of the oldest entry kept */
	struct entry *ring[EMU_REQLOG_MAX];
};

struct emu_reqlog *emu_reqlog_new(void)
{
	struct emu_reqlog *l = xcalloc(1, sizeof(*l));

	pthread_mutex_init(&l->mu, NULL);
	return l;
}

static void entry_free(struct entry *e)
{
	if (e)
		free(e->text);
	free(e);
}

static void clear_locked(struct emu_reqlog *l)
{
	for (; l->first < l->total; l->first++) {
		struct entry **at = &l->ring[l->first % EMU_REQLOG_MAX];

		entry_free(*at);
		*at = NULL;
	}
}

void emu_reqlog_free(struct emu_reqlog *l)
{
	if (!l)
		return;
	clear_locked(l);
	pthread_mutex_destroy(&l->mu);
	free(l);
}

void emu_reqlog_clear(struct emu_reqlog *l)
{
	pthread_mutex_lock(&l->mu);
	clear_locked(l);
	pthread_mutex_unlock(&l->mu);
}

static enum MHD_Result add_name(void *arg, enum MHD_ValueKind kind, const char *name,
				const char *value)
{
	struct str *s = arg;

	(void)kind;
	(void)value;
	if (s->len && s->s[s->len - 1])
		str_addc(s, ',');
	str_add(s, name);
	return MHD_YES;
}

static const char *token_of(const char *authorization)
{
	const char *blank = authorization ? strchr(authorization, ' ') : NULL;

	if (!authorization)
		return "";
	return blank ? blank + 1 : authorization;
}

void emu_reqlog_add(struct emu_reqlog *l, const struct emu_req *req, int status)
{
	cleanup_str struct str text = STR_INIT(1024 * 1024);
	struct entry *e = xcalloc(1, sizeof(*e));
	struct entry **at;

	/* path and query are missing when the request was struck before it was read */
	str_add(&text, req->method);
	str_addc(&text, '\0');
	str_addn(&text, req->uri, strcspn(req->uri, "?"));
	str_addc(&text, '\0');
	str_add(&text, strchr(req->uri, '?') ? strchr(req->uri, '?') + 1 : "");
	str_addc(&text, '\0');
	str_add(&text, token_of(req->authorization));
	str_addc(&text, '\0');
	MHD_get_connection_values(req->conn, MHD_HEADER_KIND, add_name, &text);
	if (text.failed) {
		free(e);
		return;
	}
	e->at_ns = clock_real_ns();
	e->status = status;
	e->body_bytes = req->body_bytes;
	e->generation = req->generation;
	e->fault = req->hit.kind;
	e->text = str_steal(&text);
	pthread_mutex_lock(&l->mu);
	e->number = l->total;
	at = &l->ring[l->total++ % EMU_REQLOG_MAX];
	entry_free(*at);
	*at = e;
	if (l->total - l->first > EMU_REQLOG_MAX)
		l->first = l->total - EMU_REQLOG_MAX;
	pthread_mutex_unlock(&l->mu);
}

static json_t *names_json(const char *names)
{
	json_t *v = json_array();
	size_t n;

	for (; *names; names += n + (names[n] == ',')) {
		cleanup_free char *one = NULL;

		n = strcspn(names, ",");
		one = xstrndup(names, n);
		json_array_append_new(v, json_text(one));
	}
	return v;
}

static json_t *entry_json(const struct entry *e)
{
	const char *method = e->text, *path = method + strlen(method) + 1;
	const char *query = path + strlen(path) + 1, *token = query + strlen(query) + 1;
	const char *headers = token + strlen(token) + 1;
	char at[RFC3339_CAP];

	clock_format(e->at_ns, at);
	return json_pack(
		"{s:I, s:s, s:o, s:o, s:o, s:i, s:I, s:I, s:o, s:s, s:o, s:o}", "number",
		(json_int_t)e->number, "at", at, "method", json_text(method), "path",
		json_text(path), "query", json_text(query), "status", e->status,
		"body_bytes", (json_int_t)e->body_bytes, "generation",
		(json_int_t)e->generation, "fault",
		json_text_or_null(emu_fault_name(e->fault)), "authorization",
		*token ? "present" : "absent", "token",
		json_text_or_null(*token ? token : NULL), "headers", names_json(headers));
}

json_t *emu_reqlog_json(struct emu_reqlog *l, uint64_t since, size_t limit)
{
	json_t *list = json_array(), *v;
	uint64_t from;

	pthread_mutex_lock(&l->mu);
	from = since > l->first ? since : l->first;
	if (l->total > from && l->total - from > limit)
		from = l->total - limit;
	for (uint64_t i = from; i < l->total; i++)
		json_array_append_new(list, entry_json(l->ring[i % EMU_REQLOG_MAX]));
	v = json_pack("{s:I, s:I, s:o}", "total", (json_int_t)l->total, "dropped",
		      (json_int_t)l->first, "requests", list);
	pthread_mutex_unlock(&l->mu);
	return v;
}
