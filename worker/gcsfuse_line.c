// SPDX-License-Identifier: Apache-2.0
// One line of gcsfuse's log, in its text or its json format.
#include <string.h>
#include <strings.h>

#include "core/json.h"
#include "core/str.h"
#include "worker/gcsfuse_log.h"

enum { LINE_MAX_BYTES = 1 << 20 };

static enum gcsfuse_log_level level_of(const char *name, size_t n)
{
	static const struct {
		const char *name;
		enum gcsfuse_log_level level;
	} levels[] = {
		{"TRACE", GCSFUSE_TRACE},    {"DEBUG", GCSFUSE_DEBUG},
		{"INFO", GCSFUSE_INFO},	     {"WARNING", GCSFUSE_WARNING},
		{"WARN", GCSFUSE_WARNING},   {"ERROR", GCSFUSE_ERROR},
		{"CRITICAL", GCSFUSE_ERROR},
	};

	for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
		if (n == strlen(levels[i].name) && !strncasecmp(name, levels[i].name, n))
			return levels[i].level;
	return GCSFUSE_OTHER;
}

enum gcsfuse_log_level gcsfuse_line_level(const char *line, size_t n)
{
	/* it stands right after the time: no need to look further into a long line */
	const char *at = memmem(line, n < 160 ? n : 160, "severity", 8);
	const char *end = line + n, *name;

	if (!at)
		return GCSFUSE_OTHER;
	for (at += 8; at < end && strchr("\":= ", *at);)
		at++;
	for (name = at; at < end && *at >= 'A' && *at <= 'Z';)
		at++;
	return level_of(name, (size_t)(at - name));
}

static void trim_end(char *s)
{
	size_t n = strlen(s);

	while (n > 0 && strchr(" \r\n\t", s[n - 1]))
		s[--n] = '\0';
}

/* Go's %q, as far as slog writes it. */
static char *unquote(const char *p, const char *end)
{
	struct str s = STR_INIT(LINE_MAX_BYTES);

	for (; p < end && *p != '"'; p++) {
		if (*p != '\\' || p + 1 == end) {
			str_addc(&s, *p);
			continue;
		}
		p++;
		str_addc(&s, (char)(*p == 'n' ? '\n' : *p == 't' ? '\t' : *p));
	}
	if (!s.s)
		str_add(&s, "");
	return str_steal(&s);
}

/*
 * Since version 3 the configuration comes as attributes of lines "GCSFuse Config"; before
 * that as JSON at the end of the message "GCSFuse mount config flags: {…}".
 */
static json_t *config_of(const json_t *line, const char *message)
{
	static const char *const own_keys[] = {"timestamp", "time", "severity", "level",
					       "message",   "msg",  "mount-id"};
	const char *brace = strchr(message, '{');
	json_t *doc, *config;

	if (!strcasecmp(message, "GCSFuse Config")) {
		doc = json_deep_copy(line);
		for (size_t i = 0; i < ARRAY_SIZE(own_keys); i++)
			json_object_del(doc, own_keys[i]);
		return doc;
	}
	if (strncasecmp(message, "GCSFuse mount ", 14) != 0 || !brace ||
	    json_load(brace, strlen(brace), LINE_MAX_BYTES, "flags", &doc, NULL) < 0)
		return NULL;
	config = json_object();
	json_object_set_new(
		config, strstr(message, "command") ? "CLI Flags" : "Full Config", doc);
	return config;
}

static bool parse_json(const char *line, size_t n, struct gcsfuse_line *ret)
{
	cleanup_json json_t *doc = NULL;
	const char *message;

	if (!n || line[0] != '{' ||
	    json_load(line, n, LINE_MAX_BYTES, "log line", &doc, NULL) < 0)
		return false;
	message = json_string_value(json_object_get(doc, "message"));
	if (!message)
		message = json_string_value(json_object_get(doc, "msg"));
	if (!message)
		return false;
	ret->message = xstrdup(message);
	trim_end(ret->message);
	ret->config = config_of(doc, ret->message);
	return true;
}

void gcsfuse_line_parse(const char *line, size_t n, struct gcsfuse_line *ret)
{
	static const char key[] = "message=\"";
	const char *at;

	*ret = (struct gcsfuse_line){.level = gcsfuse_line_level(line, n)};
	if (parse_json(line, n, ret))
		return;
	at = memmem(line, n, key, strlen(key));
	if (at && ret->level != GCSFUSE_OTHER)
		ret->message = unquote(at + strlen(key), line + n);
	else
		ret->message = xstrndup(line, n);
	trim_end(ret->message);
}

void gcsfuse_line_done(struct gcsfuse_line *line)
{
	free(line->message);
	json_decref(line->config);
	*line = (struct gcsfuse_line){0};
}
