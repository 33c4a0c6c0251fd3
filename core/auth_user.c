// SPDX-License-Identifier: Apache-2.0
// The token of a person who logged in with gcloud.
#include <errno.h>
#include <string.h>

#include "core/auth_impl.h"
#include "core/clock.h"
#include "core/json.h"

enum { FORM_MAX = 8192 };

/* Whatever a credentials file says: a refresh token goes nowhere else. */
static const char token_url[] = "https://oauth2.googleapis.com/token";

static void add_form(struct str *form, const char *name, const char *value)
{
	str_addf(form, "%s%s=", form->len ? "&" : "", name);
	str_add_percent(form, value, "");
}

/* The server's word for what is wrong, if it is one. */
static void read_reason(const struct str *body, char *out, size_t cap)
{
	cleanup_json json_t *doc = NULL;
	const char *reason = NULL;

	if (json_load(str_text(body), body->len, AUTH_REPLY_MAX, "reply", &doc, NULL) ==
	    0)
		reason = json_string_value(json_object_get(doc, "error"));
	/* not its description, nor anything else that could quote what was sent */
	if (!reason || !auth_is_word(reason) || !str_copy(out, cap, reason))
		str_copy(out, cap, "no reason given");
}

static int judge(const struct http_response *resp, struct err *err)
{
	char reason[64];

	if (resp->status == 200)
		return 0;
	read_reason(&resp->body, reason, sizeof(reason));
	if (strcmp(reason, "invalid_grant") == 0)
		return err_set(err, -EACCES,
			       "the login has ended or was revoked (invalid_grant): log "
			       "in again with gcloud auth application-default login");
	return err_set(
		err, retry_is_transient(HTTP_ANSWERED, resp->status) ? -EAGAIN : -EACCES,
		"%s answered HTTP %ld: %s", token_url, resp->status, reason);
}

int auth_user_token(struct http *http, const struct auth_cred *cred, int64_t deadline_ns,
		    int cancel_fd, struct auth_token *ret, struct err *err)
{
	cleanup_response struct http_response resp = {0};
	cleanup_secret struct str form = auth_secret(FORM_MAX);
	struct retry retry = {.is_idempotent = true, .deadline_ns = deadline_ns};
	struct http_request req = {
		.method = "POST",
		.url = token_url,
		.headers = {"Content-Type: application/x-www-form-urlencoded"},
		.deadline_ns = deadline_ns,
		.cancel_fd = &cancel_fd,
		.max_bytes = AUTH_REPLY_MAX};
	int64_t asked_ns = clock_mono_ns();
	int r = retry_base_from_env(&retry.base_ns, err);

	add_form(&form, "grant_type", "refresh_token");
	add_form(&form, "client_id", cred->client_id);
	add_form(&form, "client_secret", cred->client_secret);
	add_form(&form, "refresh_token", cred->refresh_token);
	if (r == 0)
		r = str_check(&form, "the credentials", err);
	if (r < 0)
		return r;
	req.parts[0] = (struct http_part){.data = form.s, .n = form.len};
	retry_begin(&retry, asked_ns);
	r = auth_repeat(http, &req, &retry, &resp, err);
	if (r == 0)
		r = judge(&resp, err);
	if (r == 0)
		r = auth_token_read(&resp.body, asked_ns, ret, err);
	return r < 0 ? err_wrap(err, r, "token of the user's login") : 0;
}
