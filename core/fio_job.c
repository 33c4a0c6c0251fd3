// SPDX-License-Identifier: Apache-2.0
// Rendered fio jobs against the allow-list.
#include "core/fio_job.h"

#include <errno.h>
#include <string.h>

#include "core/fio_ini.h"

bool fio_policy_bars(const struct fio_policy *policy, const char *name)
{
	for (const char *const *never = policy->never; never && *never; never++) {
		size_t n = strlen(*never);

		if ((*never)[n - 1] == '*' ? strncmp(*never, name, n - 1) == 0
					   : strcmp(*never, name) == 0)
			return true;
	}
	return false;
}

static const struct fio_option *find_option(const struct fio_policy *policy,
					    const char *name)
{
	for (size_t i = 0; i < policy->n_options; i++)
		if (strcmp(policy->options[i].name, name) == 0)
			return &policy->options[i];
	return NULL;
}

static bool is_let_through(const struct fio_policy *policy, const char *name)
{
	for (size_t i = 0; i < policy->n_allowed; i++)
		if (strcmp(policy->allowed[i], name) == 0)
			return true;
	return false;
}

static int judge_item(struct fio_item *item, const struct fio_policy *policy,
		      struct err *err)
{
	static const struct fio_option extra = {.value = FIO_PLAIN};
	const struct fio_option *option = find_option(policy, item->name);
	struct err why = {0};
	int r;

	if (fio_policy_bars(policy, item->name))
		return err_set(err, -EINVAL, "line %u: fio option %.60s is refused",
			       item->line, item->name);
	if (!option && !is_let_through(policy, item->name))
		return err_set(err, -EINVAL,
			       "line %u: fio option %.60s is refused: it is not on the "
			       "list (--allow-option lets one more through)",
			       item->line, item->name);
	item->option = option;
	if (!option && !item->value)
		return 0;
	r = fio_value_check(option ? option : &extra, item->value, policy, &why);
	if (r < 0)
		return err_set(err, r, "line %u: fio option %.60s: value \"%.80s\" %s",
			       item->line, item->name, item->value ? item->value : "",
			       why.text);
	return 0;
}

int fio_ini_judge(struct fio_ini *ini, const struct fio_policy *policy, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < ini->n_items && r == 0; i++)
		r = judge_item(&ini->items[i], policy, err);
	return r;
}

int fio_job_check(const char *text, const struct fio_policy *policy,
		  struct fio_facts *ret, struct err *err)
{
	cleanup_fio_ini struct fio_ini ini = {0};
	int r = fio_ini_parse(text, &ini, err);

	if (r == 0)
		r = fio_ini_judge(&ini, policy, err);
	return r < 0 ? r : fio_facts_of(&ini, ret, err);
}
