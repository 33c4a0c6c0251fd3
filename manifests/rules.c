// SPDX-License-Identifier: Apache-2.0
// What a single text in a document may look like.
#include <string.h>

#include "manifests/fields.h"

bool is_any_text(const char *text)
{
	(void)text;
	return true;
}

bool is_sha256(const char *text)
{
	return str_is_hex(text, 64);
}

bool is_binary_key(const char *text)
{
	return str_is_hex(text, BINARY_KEY_CAP - 1);
}

bool is_step_id(const char *text)
{
	unsigned matrix_id, iteration;

	return step_id_parse(text, &matrix_id, &iteration, NULL) == 0;
}

bool is_option_name(const char *text)
{
	size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_");

	return n >= 1 && n <= 63 && !text[n];
}

bool is_endpoint(const char *text)
{
	const char *host = strstr(text, "://");
	size_t n = strlen(text);

	if ((!str_starts(text, "http://") && !str_starts(text, "https://")) || n > 1000)
		return false;
	host += 3;
	return *host && *host != '/' && *host != ':' && text[n - 1] != '/' &&
	       !path_has_dotdot(host) &&
	       strspn(host, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			    "0123456789._~:/[]-") == strlen(host);
}

bool is_run_url(const char *url)
{
	cleanup_str struct str again = STR_INIT(4096);
	struct run_ref ref;

	if (run_ref_parse(url, &ref, NULL) < 0)
		return false;
	run_ref_url(&ref, &again);
	return strcmp(str_text(&again), url) == 0;
}
