// SPDX-License-Identifier: Apache-2.0
// Asking for a token: the exchange, repeated, and what comes back.
#include <errno.h>
#include <string.h>

#include "core/auth_impl.h"
#include "core/clock.h"
#include "core/json.h"

enum { LIFE_MAX_S = 86400, WORD_MAX = 40 };

bool auth_is_word(const char *text)
{
	size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz_");

	return n && n <= WORD_MAX && !text[n];
}

int auth_token_read(const struct str *reply, int64_t asked_ns, struct auth_token *ret,
		    struct err *err)
{
	cleanup_json json_t *doc = NULL;
	const char *text = NULL;
	uint64_t expires_s = 0;
	struct json_in in;
	int r;

	/* a parser's own message could quote the token */
	if (json_load(str_text(reply), reply->len, AUTH_REPLY_MAX, "token", &doc, NULL) <
	    0)
		return err_set(err, -EBADMSG, "the reply is not JSON");
	json_in_init(&in, doc, JSON_RECORDS, "reply", NULL, err);
	json_in_str(&in, "access_token", JSON_MUST, &text);
	json_in_u64(&in, "expires_in", JSON_MUST, &expires_s);
	r = json_in_end(&in);
	if (r < 0)
		return r;
	if (expires_s > LIFE_MAX_S)
		expires_s = LIFE_MAX_S;
	r = auth_token_set(text, asked_ns + (int64_t)expires_s * NS_PER_S, ret, err);
	explicit_bzero((char *)text, strlen(text));
	return r;
}

int auth_repeat(struct http *http, const struct http_request *base, struct retry *retry,
		struct http_response *resp, struct err *err)
{
	struct http_request req = *base;
	struct rng rng;

	rng_init(&rng, rng_entropy());
	for (;;) {
		struct retry_event event;
		struct err why = {0};
		int64_t delay_ns = 0;
		int r = http_do(http, &req, resp, &why);

		event = (struct retry_event){.outcome = resp->outcome,
					     .status = resp->status,
					     .retry_after_ns = resp->retry_after_ns};
		req.on_new_connection = r < 0;
		if (retry_decide(retry, &event, clock_mono_ns(), &rng, &delay_ns) !=
		    RETRY_AGAIN)
			return r < 0 ? err_set(err, r, "%s", why.text) : 0;
		r = http_pause(clock_mono_ns() + delay_ns, *req.cancel_fd);
		if (r < 0)
			return err_set(err, r, "interrupted");
	}
}
