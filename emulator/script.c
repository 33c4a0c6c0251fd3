// SPDX-License-Identifier: Apache-2.0
// Which of the faults a request names strike it.
#include "emulator/script.h"

#include <string.h>

#include "emulator/range.h"
#include "emulator/retry_test.h"
#include "emulator/server.h"

static bool is_upload(const struct emu_req *req)
{
	return strcmp(req->rpc, "storage.objects.insert") == 0;
}

/* The object's bytes in the body that follows; none for a session's start or query. */
static struct emu_span span_of(const struct emu_req *req)
{
	const char *range = emu_req_header(req, "Content-Range");
	const char *length = emu_req_header(req, "Content-Length");
	struct emu_content_range r = {0};
	uint64_t n = 0;

	if (!emu_req_param(req, "upload_id") &&
	    strcmp(emu_req_text(req, "uploadType"), "resumable") == 0)
		return (struct emu_span){0};
	if (length && parse_u64(length, &n, NULL) < 0)
		n = 0;
	if (range && (emu_content_range_parse(range, &r) < 0 || r.is_query))
		return (struct emu_span){0};
	return (struct emu_span){.start = r.start, .end = r.start + n};
}

static bool strikes_data(const struct emu_verb *verb, void *arg, struct emu_hit *ret)
{
	const struct emu_req *req = arg;

	return emu_verb_strikes_data(verb, is_upload(req), span_of(req), ret);
}

struct answer {
	const struct emu_req *req;
	uint64_t bytes;
};

static bool strikes_reply(const struct emu_verb *verb, void *arg, struct emu_hit *ret)
{
	const struct answer *a = arg;

	return emu_verb_strikes_reply(verb, is_upload(a->req), a->req->reply.status,
				      a->bytes, ret);
}

static int draw(struct emu_req *req, emu_retry_strikes_fn *strikes, void *arg,
		struct emu_fail *f)
{
	const char *id = emu_req_header(req, "x-retry-test-id");
	const char *text = emu_req_header(req, "x-goog-emulator-instructions");
	struct emu_hit hit = {.kind = EMU_FAULT_NONE};
	struct emu_verb verb;
	int status = 0;

	if (!req->rpc)
		return 0;
	if (id)
		status = emu_retry_tests_take(req->server->retry_tests, id, req->rpc,
					      strikes, arg, &hit, f);
	if (hit.kind == EMU_FAULT_NONE && text &&
	    emu_verb_parse_header(text, &verb) == 0 && !strikes(&verb, arg, &hit))
		hit.kind = EMU_FAULT_NONE;
	if (hit.kind != EMU_FAULT_NONE)
		req->hit = hit;
	return status;
}

int emu_script_begin(struct emu_req *req, struct emu_fail *f)
{
	return draw(req, strikes_data, req, f);
}

void emu_script_reply(struct emu_req *req, uint64_t bytes)
{
	struct answer a = {.req = req, .bytes = bytes};
	struct emu_fail f = {0};

	/* one fault a request; the test was there when the request began */
	if (req->hit.kind == EMU_FAULT_NONE)
		draw(req, strikes_reply, &a, &f);
}
