// SPDX-License-Identifier: Apache-2.0
// Jobs of one run repeat each other: what is equal byte for byte is checked once.
#include "manifests/job_like.h"

#include <stdlib.h>
#include <string.h>

#include "manifests/orders.h"

/* A piece of the text. */
struct piece {
	const char *at;
	size_t n;
};

/* Between the values of worker, round and steps. */
enum { HEAD, BEFORE_ROUND, BEFORE_STEPS, TAIL, PIECES };

struct job_like {
	char *text; /* owned; the pieces point into it */
	struct piece pieces[PIECES];
	struct job job;
};

static const char *skip_space(const char *p)
{
	return p + strspn(p, " \t\r\n");
}

/* Past the string that begins at @p. The text is known to be JSON here and below. */
static const char *skip_string(const char *p)
{
	for (p++; *p != '"'; p++)
		p += *p == '\\';
	return p + 1;
}

static const char *skip_value(const char *p)
{
	int depth = 0;

	if (*p != '"' && *p != '{' && *p != '[')
		return p + strcspn(p, " \t\r\n,}");
	do {
		if (*p == '"') {
			p = skip_string(p);
			continue;
		}
		depth += *p == '{' || *p == '[';
		depth -= *p == '}' || *p == ']';
		p++;
	} while (depth);
	return p;
}

/* The value of the document's member @key, as it is written. */
static bool find_value(const char *text, const char *key, struct piece *ret)
{
	size_t n = strlen(key);
	const char *p = skip_space(text) + 1;

	for (;;) {
		const char *name = skip_space(p), *at;

		if (*name != '"')
			return false;
		at = skip_space(skip_space(skip_string(name)) + 1);
		p = skip_value(at);
		if (strncmp(name + 1, key, n) == 0 && name[n + 1] == '"') {
			*ret = (struct piece){at, (size_t)(p - at)};
			return true;
		}
		p = skip_space(p) + 1;
	}
}

static bool cut(struct job_like *like, size_t n)
{
	const char *end = like->text + n, *from = like->text;
	static const char *const keys[] = {"worker", "round", "steps"};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		struct piece value;

		if (!find_value(like->text, keys[i], &value) || value.at < from)
			return false;
		like->pieces[i] = (struct piece){from, (size_t)(value.at - from)};
		from = value.at + value.n;
	}
	like->pieces[TAIL] = (struct piece){from, (size_t)(end - from)};
	return true;
}

struct job_like *job_like_new(const char *text, size_t n)
{
	struct job_like *like = xcalloc(1, sizeof(*like));

	like->text = xstrndup(text, n);
	if (strlen(like->text) == n && job_parse(text, n, &like->job, NULL) == 0 &&
	    cut(like, n))
		return like;
	job_like_free(like);
	return NULL;
}

void job_like_free(struct job_like *like)
{
	if (!like)
		return;
	job_done(&like->job);
	free(like->text);
	free(like);
}

/* Takes the piece from the front of what is left. */
static bool take(struct piece *left, const struct piece *piece)
{
	if (left->n < piece->n || memcmp(left->at, piece->at, piece->n) != 0)
		return false;
	left->at += piece->n;
	left->n -= piece->n;
	return true;
}

/* A worker's name needs no escapes, so that the string ends at the next quote. */
static bool take_worker(struct piece *left, char *ret, size_t cap)
{
	const char *end = left->n > 1 ? memchr(left->at + 1, '"', left->n - 1) : NULL;
	size_t n = end ? (size_t)(end - left->at) - 1 : cap;

	if (n >= cap || left->at[0] != '"')
		return false;
	memcpy(ret, left->at + 1, n);
	ret[n] = '\0';
	left->at += n + 2;
	left->n -= n + 2;
	return str_is_rfc1035(ret);
}

static bool take_round(struct piece *left, unsigned *ret)
{
	char digits[16] = "";
	uint64_t v = 0;
	size_t n = 0;

	while (n < left->n && n < sizeof(digits) - 1 && left->at[n] >= '0' &&
	       left->at[n] <= '9') {
		digits[n] = left->at[n];
		n++;
	}
	left->at += n;
	left->n -= n;
	if (digits[0] == '0' || parse_u64(digits, &v, NULL) < 0 || v > UINT32_MAX)
		return false;
	*ret = (unsigned)v;
	return true;
}

/* The list alone is a whole document; checked against the arms and cases in @ret. */
static bool read_steps(const struct piece *steps, const char *worker, struct job *ret)
{
	json_t *list = NULL, *doc;
	struct json_in in;

	if (json_load(steps->at, steps->n, JOB_MAX_BYTES, "job", &list, NULL) < 0)
		return false;
	doc = json_pack("{s:s, s:o}", "worker", worker, "steps", list);
	ret->worker = json_string_value(json_object_get(doc, "worker"));
	ret->doc = doc;
	ret->is_like = true;
	ret->steps = NULL;
	ret->n_steps = 0;
	json_in_init(&in, doc, JSON_ORDERS, "job", NULL, NULL);
	json_in_str(&in, "worker", JSON_MUST, &ret->worker);
	job_steps_in(&in, ret);
	return json_in_end(&in) == 0;
}

bool job_like_parse(const struct job_like *like, const char *text, size_t n,
		    struct job *ret)
{
	struct job job = like->job;
	struct piece left = {text, n}, steps;
	size_t tail_n = like->pieces[TAIL].n;
	char worker[64];

	if (n > JOB_MAX_BYTES || !take(&left, &like->pieces[HEAD]) ||
	    !take_worker(&left, worker, sizeof(worker)) ||
	    !take(&left, &like->pieces[BEFORE_ROUND]) || !take_round(&left, &job.round) ||
	    !take(&left, &like->pieces[BEFORE_STEPS]) || left.n < tail_n)
		return false;
	steps = (struct piece){left.at, left.n - tail_n};
	left = (struct piece){left.at + steps.n, tail_n};
	job.doc = NULL;
	if (!take(&left, &like->pieces[TAIL]) || !read_steps(&steps, worker, &job)) {
		if (job.doc)
			job_done(&job);
		return false;
	}
	*ret = job;
	return true;
}
