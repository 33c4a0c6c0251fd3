// SPDX-License-Identifier: Apache-2.0
// Every kind of document by its name, for tests, tools and fuzzers.
#ifndef TESTS_TOOLS_DOCUMENTS_H
#define TESTS_TOOLS_DOCUMENTS_H

#include <errno.h>
#include <string.h>

#include "core/json.h"
#include "manifests/barrier.h"
#include "manifests/claim.h"
#include "manifests/job.h"
#include "manifests/record.h"

enum document {
	DOC_JOB,
	DOC_CONFIG,
	DOC_CONTROL,
	DOC_VM,
	DOC_WORKER,
	DOC_MANIFEST,
	DOC_STEP,
	DOC_CLAIM,
	DOC_ARRIVAL,
	DOC_VERDICT,
	DOC_COUNT,
};

static const char *const document_names[DOC_COUNT] = {
	"job",	    "config", "control", "vm",	    "worker",
	"manifest", "step",   "claim",	 "arrival", "verdict",
};

/* document_find() - the kind called @name, DOC_COUNT when there is none. */
__attribute__((unused)) static enum document document_find(const char *name)
{
	unsigned i = 0;

	while (i < DOC_COUNT && strcmp(document_names[i], name) != 0)
		i++;
	return i;
}

static json_t *orders_again(enum document kind, const char *text, size_t n,
			    struct err *err)
{
	struct control control = {0};
	struct config config = {0};
	struct verdict_doc verdict = {0};
	struct vm_config vm = {0};
	struct job job = {0};
	json_t *doc = NULL;

	if (kind == DOC_JOB && job_parse(text, n, &job, err) == 0)
		doc = job_to_json(&job);
	else if (kind == DOC_CONFIG && config_parse(text, n, &config, err) == 0)
		doc = config_to_json(&config);
	else if (kind == DOC_CONTROL && control_parse(text, n, &control, err) == 0)
		doc = control_to_json(&control);
	else if (kind == DOC_VM && vm_config_parse(text, n, &vm, err) == 0)
		doc = vm_config_to_json(&vm);
	else if (kind == DOC_VERDICT && verdict_parse(text, n, &verdict, err) == 0)
		doc = verdict_to_json(&verdict);
	job_done(&job);
	config_done(&config);
	control_done(&control);
	vm_config_done(&vm);
	verdict_done(&verdict);
	return doc;
}

static json_t *records_again(enum document kind, const char *text, size_t n,
			     unsigned *unknown, struct err *err)
{
	struct manifest manifest = {0};
	struct step_record step = {0};
	struct arrival arrival = {0};
	struct heartbeat hb = {0};
	struct claim claim = {0};
	json_t *doc = NULL;

	if (kind == DOC_WORKER && heartbeat_parse(text, n, &hb, unknown, err) == 0)
		doc = heartbeat_to_json(&hb);
	else if (kind == DOC_MANIFEST &&
		 manifest_parse(text, n, &manifest, unknown, err) == 0)
		doc = manifest_to_json(&manifest);
	else if (kind == DOC_STEP && step_record_parse(text, n, &step, unknown, err) == 0)
		doc = step_record_to_json(&step);
	else if (kind == DOC_CLAIM && claim_parse(text, n, &claim, unknown, err) == 0)
		doc = claim_to_json(&claim);
	else if (kind == DOC_ARRIVAL &&
		 arrival_parse(text, n, &arrival, unknown, err) == 0)
		doc = arrival_to_json(&arrival);
	manifest_done(&manifest);
	step_record_done(&step);
	claim_done(&claim);
	return doc;
}

/*
 * document_again() - parse @text and write it again into @ret. 0, or the parser's error;
 * -ENOTRECOVERABLE: it was parsed but could not be written.
 */
__attribute__((unused)) static int document_again(enum document kind, const char *text,
						  size_t n, struct str *ret,
						  unsigned *unknown, struct err *err)
{
	cleanup_json json_t *doc = kind <= DOC_VM || kind == DOC_VERDICT
					   ? orders_again(kind, text, n, err)
					   : records_again(kind, text, n, unknown, err);

	if (!doc)
		return err->code ? err->code : -ENOTRECOVERABLE;
	return json_dump(doc, ret, err) < 0 ? -ENOTRECOVERABLE : 0;
}

#endif
