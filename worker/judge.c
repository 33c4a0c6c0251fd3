// SPDX-License-Identifier: Apache-2.0
// What fio's run amounts to. Pure.
#include <stdio.h>
#include <string.h>

#include "worker/record.h"

static void say(struct verdict *v, enum attempt_state state, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void say(struct verdict *v, enum attempt_state state, const char *fmt, ...)
{
	va_list ap;

	v->state = state;
	va_start(ap, fmt);
	vsnprintf(v->reason, sizeof(v->reason), fmt, ap);
	va_end(ap);
}

/* fio's own words, on one line: the last line that is not empty, or what it was. */
static void fio_words(const struct fio_output *out, char *ret, size_t cap)
{
	const char *text = out->message ? out->message : "";
	size_t n = strlen(text), start;

	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == ' '))
		n--;
	start = n > cap / 2 ? n - cap / 2 : 0;
	snprintf(ret, cap, "%.*s", (int)(n - start), text + start);
	for (char *p = ret; *p; p++)
		if (*p == '\n' || *p == '\r' || *p == '\t')
			*p = ' ';
}

/* With several files fio 3.33 is silent about a block that no file can hold. */
static const char *why_no_io(const struct judge_in *in, const char *words)
{
	if (words[0])
		return words;
	return in->facts->is_block_over_file ? "the block size is larger than the files, "
					       "and fio gave no message"
					     : "no message";
}

static bool direction_is_asked(const struct fio_group *g, enum fio_rw rw)
{
	return (rw == FIO_READ && g->reads) || (rw == FIO_WRITE && g->writes) ||
	       (rw == FIO_TRIM && g->trims);
}

static const struct fio_result *find_result(const struct fio_output *out, unsigned group,
					    enum fio_rw rw)
{
	for (size_t i = 0; i < out->n; i++)
		if (out->results[i].group == group &&
		    (out->results[i].rw == rw || out->results[i].rw == FIO_MIXED))
			return &out->results[i];
	return NULL;
}

/* fio's own words, or what the job makes plain where fio has none. */
static const char *no_io_cause(const struct judge_in *in, const char *words)
{
	if (words[0])
		return words;
	return in->facts->is_block_over_file
		       ? "the block size is larger than the file size"
		       : "and it gave no message";
}

/* Every direction of every group did I/O and every I/O is in a bin. */
static bool judge_directions(const struct judge_in *in, struct verdict *v,
			     const char *words)
{
	for (unsigned g = 0; g < in->facts->n_groups; g++) {
		for (enum fio_rw rw = FIO_READ; rw <= FIO_TRIM; rw++) {
			const struct fio_result *r;

			if (!direction_is_asked(&in->facts->groups[g], rw))
				continue;
			r = find_result(in->out, g, rw);
			if (!r || r->ios == 0) {
				say(v, ATTEMPT_INVALID,
				    "fio did no I/O: group %u, %s: %s", g,
				    fio_rw_name(rw), why_no_io(in, words));
				return false;
			}
			if (r->lat.n == 0) {
				say(v, ATTEMPT_INVALID,
				    "fio counted no latencies: group %u, %s: the job "
				    "switches them off",
				    g, fio_rw_name(rw));
				return false;
			}
			if (r->short_ios) {
				say(v, ATTEMPT_FAILED, "%llu short I/Os: group %u, %s",
				    (unsigned long long)r->short_ios, g, fio_rw_name(rw));
				return false;
			}
		}
	}
	return true;
}

static bool judge_bytes(const struct judge_in *in, struct verdict *v)
{
	uint64_t sum = 0;

	if (!in->c->has_io_bytes)
		return true;
	for (size_t i = 0; i < in->out->n; i++)
		sum += in->out->results[i].io_bytes;
	if (sum == in->c->io_bytes)
		return true;
	say(v, ATTEMPT_FAILED, "fio moved %llu bytes, the case asks for %llu",
	    (unsigned long long)sum, (unsigned long long)in->c->io_bytes);
	return false;
}

/* fio ended, but not by itself or not well. */
static bool judge_end(const struct judge_in *in, struct verdict *v, const char *words)
{
	const struct measure_end *fio = in->fio;

	if (fio->how == MEASURE_TIMEOUT)
		say(v, ATTEMPT_TIMEOUT, "fio did not end within %u s%s", in->c->timeout_s,
		    fio->was_mount_aborted ? ", and the mount had to be aborted" : "");
	else if (fio->how == MEASURE_STOPPED)
		say(v, in->is_stopped_by_order ? ATTEMPT_CANCELLED : ATTEMPT_INTERRUPTED,
		    "while fio ran: %s",
		    in->is_stopped_by_order ? "stopped by an order" : in->stop_text);
	else if (fio->signal)
		say(v, ATTEMPT_FAILED, "fio was ended by signal %d: %s", fio->signal,
		    words);
	else if (fio->exit_status != 0)
		say(v, ATTEMPT_FAILED, "fio ended with status %d: %s", fio->exit_status,
		    words[0] ? words : "no message");
	else
		return true;
	return false;
}

static bool did_io(const struct fio_output *out)
{
	for (size_t i = 0; i < out->n; i++)
		if (out->results[i].ios)
			return true;
	return false;
}

void record_judge(const struct judge_in *in, struct verdict *ret)
{
	char words[REASON_CAP / 2];

	*ret = (struct verdict){.state = ATTEMPT_OK};
	fio_words(in->out, words, sizeof(words));
	if (!judge_end(in, ret, words)) {
		/* fio says so with status 0 or 1, depending on the engine */
		if (ret->state == ATTEMPT_FAILED && in->facts->is_block_over_file &&
		    !did_io(in->out))
			say(ret, ATTEMPT_INVALID, "fio did no I/O: %s",
			    no_io_cause(in, words));
		return;
	}
	if (in->read_result < 0) {
		say(ret, ATTEMPT_FAILED, "fio's output: %s%s%s", in->read_error,
		    words[0] ? ": " : "", words);
		return;
	}
	if (in->out->first_error) {
		say(ret, ATTEMPT_FAILED, "fio: job %s ended with error %d (%s): %s",
		    in->out->error_job ? in->out->error_job : "?", in->out->first_error,
		    strerror(in->out->first_error), words);
		return;
	}
	if (judge_directions(in, ret, words))
		judge_bytes(in, ret);
}
