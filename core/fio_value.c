// SPDX-License-Identifier: Apache-2.0
// Values of fio options: each kind of value has one narrow spelling.
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "core/fio_ini.h"

static const char plain_chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				  "0123456789._,:%+-";
static const char file_chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				 "0123456789._,%+=@-";

/* The text up to @end_chars, as new memory; *@p moves behind the end character. */
static char *token(const char **p, const char *end_chars)
{
	size_t n = strcspn(*p, end_chars);
	char *text = xstrndup(*p, n);

	*p += n + ((*p)[n] != '\0');
	return text;
}

int fio_time_ns(const char *text, uint64_t *ret, struct err *err)
{
	static const struct {
		const char *unit;
		uint64_t ns;
	} units[] = {
		{"", 1000000000},     {"us", 1000},	     {"usec", 1000},
		{"ms", 1000000},      {"msec", 1000000},     {"s", 1000000000},
		{"sec", 1000000000},  {"m", 60000000000},    {"min", 60000000000},
		{"h", 3600000000000}, {"d", 86400000000000},
	};
	size_t n = strspn(text, "0123456789");
	cleanup_free char *digits = xstrndup(text, n);
	uint64_t v = 0;

	if (parse_u64(digits, &v, NULL) < 0)
		return err_set(err, -EINVAL, "is not a time");
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strcasecmp(text + n, units[i].unit) != 0)
			continue;
		if (__builtin_mul_overflow(v, units[i].ns, ret))
			return err_set(err, -ERANGE, "is too long a time");
		return 0;
	}
	return err_set(err, -EINVAL, "is not a time");
}

int fio_sizes_parse(const char *text, struct fio_sizes *ret, struct err *err)
{
	struct fio_sizes sizes = {0};
	unsigned dir = 0;

	do {
		cleanup_free char *part = token(&text, ",");
		const char *p = part;
		cleanup_free char *low = token(&p, "-");
		bool is_range = strchr(part, '-') != NULL;

		if (dir == FIO_DIRS)
			return err_set(err, -EINVAL, "has more than three sizes");
		/* "4k,,8k": nothing said of writes */
		if (*part && (parse_size(low, &sizes.low[dir], NULL) < 0 ||
			      parse_size(is_range ? p : low, &sizes.high[dir], NULL) < 0))
			return err_set(err, -EINVAL, "is not a size");
		if (sizes.low[dir] > sizes.high[dir])
			return err_set(err, -EINVAL,
				       "is a range that ends below its "
				       "beginning");
		dir++;
	} while (*text);
	if (!sizes.high[0])
		return err_set(err, -EINVAL, "is not a size above 0");
	/* one size is for all; two leave trims with the second */
	for (; dir < FIO_DIRS; dir++) {
		sizes.low[dir] = sizes.low[dir - 1];
		sizes.high[dir] = sizes.high[dir - 1];
	}
	*ret = sizes;
	return 0;
}

int fio_split_low(const char *text, uint64_t *ret, struct err *err)
{
	uint64_t low = UINT64_MAX, size, percent;

	do {
		cleanup_free char *part = token(&text, ":,");
		const char *p = part;
		cleanup_free char *left = token(&p, "/");

		if (parse_size(left, &size, NULL) < 0 || !size ||
		    (*p && (parse_u64(p, &percent, NULL) < 0 || percent > 100)))
			return err_set(err, -EINVAL, "is not size/percent:size/percent");
		if (size < low)
			low = size;
	} while (*text);
	*ret = low;
	return 0;
}

int fio_pattern_parse(const char *text, struct fio_pattern *ret, struct err *err)
{
	static const struct {
		const char *word;
		struct fio_pattern rw;
	} words[] = {
		{"read", {.reads = true}},
		{"write", {.writes = true}},
		{"randread", {.reads = true}},
		{"randwrite", {.writes = true}},
		{"rw", {.reads = true, .writes = true}},
		{"readwrite", {.reads = true, .writes = true}},
		{"randrw", {.reads = true, .writes = true}},
	};
	const char *ending = text;
	cleanup_free char *word = token(&ending, ":");
	uint64_t v;

	if (strchr(text, ':') && parse_size(ending, &v, NULL) < 0)
		return err_set(err, -EINVAL, "does not end in :N or :size");
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(words[i].word, word) != 0)
			continue;
		*ret = words[i].rw;
		ret->has_ending = strchr(text, ':') != NULL;
		return 0;
	}
	if (strstr(word, "trim"))
		return err_set(err, -EINVAL, "trims: there is nothing to trim in files");
	return err_set(err, -EINVAL,
		       "is none of read, write, randread, randwrite, rw, randrw");
}

static bool is_made_of(const char *value, const char *chars)
{
	return *value && !value[strspn(value, chars)];
}

static bool is_file(const char *value)
{
	return is_made_of(value, file_chars) && !strstr(value, "..") && value[0] != '.' &&
	       value[0] != '-';
}

/* A file's name once fio's own counters have been put in. */
static bool is_format(const char *value)
{
	static const char *const tokens[] = {"$jobname", "$jobnum", "$filenum",
					     "$clientuid"};
	cleanup_str struct str name = STR_INIT(FIO_JOB_LINE_MAX);

	while (*value) {
		size_t len = 0;

		for (size_t i = 0; i < ARRAY_SIZE(tokens); i++)
			if (str_starts(value, tokens[i]))
				len = strlen(tokens[i]);
		/* a counter is never empty and never a dot */
		str_addc(&name, len ? '0' : *value);
		value += len ? len : 1;
	}
	return is_file(str_text(&name));
}

static bool is_printable(const char *value)
{
	for (; *value; value++)
		if (iscntrl((unsigned char)*value) || strchr("$\\`", *value))
			return false;
	return true;
}

static bool is_word_of(const char *value, const char *words)
{
	cleanup_free char *bar = xasprintf("|%s|", value);

	return *value && !strchr(value, '|') && strstr(words, bar);
}

static int check_named(const struct fio_option *option, const char *value,
		       const struct fio_policy *policy, struct err *err)
{
	const char *folder = policy->directory ? policy->directory : FIO_JOB_DIR;

	switch (option->value) {
	case FIO_WORDS:
		return is_word_of(value, option->words)
			       ? 0
			       : err_set(err, -EINVAL, "is none of %s", option->words);
	case FIO_PLAIN:
		return is_made_of(value, plain_chars)
			       ? 0
			       : err_set(err, -EINVAL, "has a character it may not have");
	case FIO_TEXT:
		return is_printable(value)
			       ? 0
			       : err_set(err, -EINVAL, "has a character it may not have");
	case FIO_FILE:
		return is_file(value) ? 0
				      : err_set(err, -EINVAL,
						"is not the name of one file in the "
						"step's folder");
	case FIO_FORMAT:
		return is_format(value) ? 0
					: err_set(err, -EINVAL,
						  "is not made of letters, digits and "
						  "fio's counters");
	case FIO_FOLDER:
		return strcmp(value, folder) == 0
			       ? 0
			       : err_set(err, -EINVAL,
					 "must be ${TEST_DATA_DIR} and nothing else");
	default:
		return err_set(err, -EINVAL, "is of no known kind");
	}
}

static int check_number(const char *value, uint64_t max, struct err *err)
{
	uint64_t v;

	if (parse_u64(value, &v, NULL) < 0 || v > max)
		return max == 1 ? err_set(err, -EINVAL, "is neither 0 nor 1")
				: err_set(err, -EINVAL, "is not a whole number");
	return 0;
}

int fio_value_check(const struct fio_option *option, const char *value,
		    const struct fio_policy *policy, struct err *err)
{
	struct fio_sizes sizes;
	struct fio_pattern rw;
	uint64_t v;

	if (!value)
		return option->value == FIO_FLAG ? 0
						 : err_set(err, -EINVAL, "is missing");
	switch (option->value) {
	case FIO_NUMBER:
		return check_number(value, UINT32_MAX, err);
	case FIO_BOOL:
	case FIO_FLAG:
		return check_number(value, 1, err);
	case FIO_SIZE:
		return parse_size(value, &v, NULL) < 0
			       ? err_set(err, -EINVAL, "is not a size")
			       : 0;
	case FIO_SIZES:
		return fio_sizes_parse(value, &sizes, err);
	case FIO_SPLIT:
		return fio_split_low(value, &v, err);
	case FIO_TIME:
		return fio_time_ns(value, &v, err);
	case FIO_RW:
		return fio_pattern_parse(value, &rw, err);
	default:
		return check_named(option, value, policy, err);
	}
}
