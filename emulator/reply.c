// SPDX-License-Identifier: Apache-2.0
// Building replies.
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "core/crc32c.h"
#include "core/json.h"
#include "emulator/range.h"
#include "emulator/req.h"

enum { REPLY_TEXT_MAX = 64 * 1024 * 1024 };

static const char json_utf8[] = "application/json; charset=UTF-8";

static struct emu_reply *begin(struct emu_req *req, int status, const char *type)
{
	struct emu_reply *r = &req->reply;

	json_decref(r->json);
	str_done(&r->text);
	emu_blob_unref(r->blob);
	r->json = NULL;
	r->text = STR_INIT(REPLY_TEXT_MAX);
	r->blob = NULL;
	r->status = status;
	r->type = type;
	req->is_answered = true;
	return r;
}

void emu_reply_done(struct emu_reply *r)
{
	json_decref(r->json);
	str_done(&r->text);
	emu_blob_unref(r->blob);
	for (size_t i = 0; i < r->n_headers; i++) {
		free(r->headers[i].key);
		free(r->headers[i].value);
	}
	*r = (struct emu_reply){0};
}

static bool is_header_text(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

void emu_reply_header(struct emu_req *req, const char *name, const char *fmt, ...)
{
	cleanup_str struct str value = STR_INIT(16 * 1024);
	struct emu_reply *r = &req->reply;
	va_list ap;

	va_start(ap, fmt);
	str_addv(&value, fmt, ap);
	va_end(ap);
	if (value.failed || !is_header_text(str_text(&value)) || !is_header_text(name) ||
	    r->n_headers == EMU_REPLY_HEADERS_MAX)
		return;
	r->headers[r->n_headers].key = xstrdup(name);
	r->headers[r->n_headers++].value = str_steal(&value);
}

void emu_reply_empty(struct emu_req *req, int status)
{
	begin(req, status, NULL);
}

void emu_reply_text(struct emu_req *req, int status, const char *type, const char *text)
{
	str_add(&begin(req, status, type)->text, text);
}

void emu_reply_json(struct emu_req *req, int status, json_t *v)
{
	begin(req, status, json_utf8)->json = v;
}

/* Words of the XML API for the statuses it can meet here. */
static const char *xml_code(const struct emu_fail *f)
{
	switch (f->status) {
	case 404:
		return strcmp(f->message, "The specified bucket does not exist.") == 0
			       ? "NoSuchBucket"
			       : "NoSuchKey";
	case 403:
		return "AccessDenied";
	case 412:
		return "PreconditionFailed";
	case 416:
		return "InvalidRange";
	case 429:
		return "SlowDown";
	case 501:
		return "NotImplemented";
	case 503:
		return "ServiceUnavailable";
	default:
		return f->status < 500 ? "InvalidArgument" : "InternalError";
	}
}

static void add_xml_text(struct str *s, const char *text)
{
	for (; *text; text++) {
		if (*text == '<')
			str_add(s, "&lt;");
		else if (*text == '>')
			str_add(s, "&gt;");
		else if (*text == '&')
			str_add(s, "&amp;");
		else if ((unsigned char)*text >= 0x20)
			str_addc(s, *text);
	}
}

static void fail_xml(struct emu_req *req, const struct emu_fail *f)
{
	struct emu_reply *r = begin(req, f->status, "application/xml; charset=UTF-8");

	str_addf(&r->text, "<?xml version='1.0' encoding='UTF-8'?><Error><Code>%s</Code>",
		 xml_code(f));
	str_add(&r->text, "<Message>");
	add_xml_text(&r->text, strcmp(xml_code(f), "NoSuchKey") == 0
				       ? "The specified key does not exist."
				       : f->message);
	str_add(&r->text, "</Message><Details>");
	add_xml_text(&r->text, f->message);
	str_add(&r->text, "</Details></Error>");
}

static json_t *error_json(const struct emu_fail *f)
{
	json_t *one = json_pack("{s:s, s:s}", "domain", "global", "reason", f->reason);

	json_object_set_new(one, "message", json_text(f->message));
	if (f->status == 412) {
		json_object_set_new(one, "locationType", json_string("header"));
		json_object_set_new(one, "location", json_string("If-Match"));
	}
	return json_pack("{s:{s:i, s:o, s:[o]}}", "error", "code", f->status, "message",
			 json_text(f->message), "errors", one);
}

void emu_reply_fail(struct emu_req *req, const struct emu_fail *f)
{
	if (f->status == 304)
		emu_reply_empty(req, 304);
	else if (req->is_xml)
		fail_xml(req, f);
	else
		emu_reply_json(req, f->status, error_json(f));
}

void emu_reply_object(struct emu_req *req, const struct emu_object *o)
{
	cleanup_free char *base = emu_req_base(req);
	char etag[EMU_ETAG_CAP];

	req->generation = o->generation;
	emu_reply_json(req, 200, emu_object_json(o, base, NULL));
	emu_object_etag(o, etag);
	emu_reply_header(req, "ETag", "%s", etag);
}

static void http_date(int64_t real_ns, char out[64])
{
	time_t t = (time_t)(real_ns / 1000000000);
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(out, 64, "%a, %d %b %Y %H:%M:%S GMT", &tm);
}

static void etag_header(struct emu_req *req, const struct emu_object *o)
{
	char etag[EMU_ETAG_CAP];
	cleanup_str struct str hex = STR_INIT(64);

	if (req->is_xml && o->blob->has_md5) {
		str_add_hex(&hex, o->blob->md5, sizeof(o->blob->md5));
		emu_reply_header(req, "ETag", "\"%s\"", str_text(&hex));
		return;
	}
	emu_object_etag(o, etag);
	emu_reply_header(req, "ETag", req->is_xml ? "\"%s\"" : "%s", etag);
}

/* Of the whole object, also when a range is sent. */
static void storage_headers(struct emu_req *req, const struct emu_object *o)
{
	char crc[CRC32C_B64_CAP], md5[EMU_MD5_B64_CAP], date[64];
	const char *encoding = emu_object_text(o, "contentEncoding", "");

	crc32c_base64(o->blob->crc32c, crc);
	if (o->blob->has_md5) {
		emu_md5_base64(o->blob->md5, md5);
		emu_reply_header(req, "x-goog-hash", "crc32c=%s,md5=%s", crc, md5);
	} else {
		emu_reply_header(req, "x-goog-hash", "crc32c=%s", crc);
		emu_reply_header(req, "x-goog-component-count", "%llu",
				 (unsigned long long)o->components);
	}
	emu_reply_header(req, "x-goog-generation", "%llu",
			 (unsigned long long)o->generation);
	emu_reply_header(req, "x-goog-metageneration", "%llu",
			 (unsigned long long)o->metageneration);
	emu_reply_header(req, "x-goog-stored-content-length", "%llu",
			 (unsigned long long)o->blob->size);
	emu_reply_header(req, "x-goog-stored-content-encoding", "%s",
			 *encoding ? encoding : "identity");
	emu_reply_header(req, "x-goog-storage-class", "%s",
			 emu_object_text(o, "storageClass", "STANDARD"));
	http_date(o->updated_ns, date);
	emu_reply_header(req, "Last-Modified", "%s", date);
	emu_reply_header(req, "Accept-Ranges", "bytes");
	etag_header(req, o);
}

static void stored_headers(struct emu_req *req, const struct emu_object *o)
{
	static const struct {
		const char *key, *header;
	} map[] = {
		{"contentEncoding", "Content-Encoding"},
		{"contentLanguage", "Content-Language"},
		{"contentDisposition", "Content-Disposition"},
		{"cacheControl", "Cache-Control"},
	};
	const char *key;
	json_t *v;

	for (size_t i = 0; i < ARRAY_SIZE(map); i++) {
		const char *text = emu_object_text(o, map[i].key, NULL);

		if (text)
			emu_reply_header(req, map[i].header, "%s", text);
	}
	emu_reply_header(req, "Content-Type", "%s",
			 emu_object_text(o, "contentType", "application/octet-stream"));
	json_object_foreach (json_object_get(o->meta, "metadata"), key, v) {
		cleanup_free char *name = xasprintf("x-goog-meta-%s", key);

		if (req->is_xml)
			emu_reply_header(req, name, "%s", json_string_value(v));
	}
}

void emu_reply_media(struct emu_req *req, const struct emu_object *o)
{
	uint64_t offset, len, size = o->blob->size;
	struct emu_fail f = {0};
	struct emu_reply *r;

	switch (emu_range_parse(emu_req_header(req, "Range"), size, &offset, &len)) {
	case EMU_RANGE_UNSATISFIED:
		emu_fail(&f, 416, "requestedRangeNotSatisfiable",
			 "The requested range cannot be satisfied.");
		emu_reply_fail(req, &f);
		emu_reply_header(req, "Content-Range", "bytes */%llu",
				 (unsigned long long)size);
		return;
	case EMU_RANGE_PART:
		r = begin(req, 206, NULL);
		emu_reply_header(req, "Content-Range", "bytes %llu-%llu/%llu",
				 (unsigned long long)offset,
				 (unsigned long long)(offset + len - 1),
				 (unsigned long long)size);
		break;
	default:
		r = begin(req, 200, NULL);
	}
	r->blob = emu_blob_ref(o->blob);
	r->offset = offset;
	r->len = len;
	storage_headers(req, o);
	stored_headers(req, o);
}
