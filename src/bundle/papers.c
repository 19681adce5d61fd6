/*
 * Each paper is made in memory and placed whole: reports by report/report.h, as of the time of the plan, custody.json
 * by Jansson, tags as text. VERIFY.md is instructions.c's.
 */
#include "bundle/papers.h"

#include "base/error.h"
#include "bundle/bag.h"
#include "bundle/warc.h"
#include "report/report.h"

#include <inttypes.h>
#include <jansson.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>

static int place(const struct papers *papers, const char *path, const struct buffer *content)
{
	return content->error != 0 ? content->error
				   : disk_place(&disk_kernel, papers->bag, path, buffer_slice(content));
}

int papers_reports(const struct papers *papers)
{
	struct slice rest = slice_from_string(papers->plan->languages), tag;
	int r = disk_place(&disk_kernel, papers->bag, "data/incident.json", papers->incident);
	while (r == 0 && rest.len > 0) {
		struct buffer out = buffer_make(NULL);
		char name[32], path[64];
		rest = slice_cut(rest, ' ', &tag);
		snprintf(name, sizeof(name), "%.*s", SLICE_ARG(tag));
		snprintf(path, sizeof(path), "data/report-%s.html", name);
		r = report_add(papers->store, papers->record, language_find(name), papers->plan->at_ms, &out);
		r = r != 0 ? r : place(papers, path, &out);
		buffer_free(&out);
	}
	return r;
}

/* ---- custody ---- */

static json_t *number(uint64_t value)
{
	return json_integer((json_int_t)value);
}

static json_t *performer(const struct export_plan *plan)
{
	const struct passwd *user = getpwuid((uid_t)plan->user);
	json_t *who = json_pack("{s:I}", "user", (json_int_t)plan->user);
	if (user != NULL)
		json_object_set_new(who, "name", json_string(user->pw_name));
	return who;
}

static json_t *logs_of(const struct export_plan *plan)
{
	json_t *list = json_array();
	for (size_t i = 0; i < plan->epoch_count; i++) {
		struct checkpoint checkpoint;
		if (checkpoint_read_note(buffer_slice(&plan->epochs[i].note), &checkpoint) == 0)
			json_array_append_new(list, json_pack("{s:i,s:s%,s:I}", "epoch", (int)plan->epochs[i].number,
							      "log", checkpoint.origin.ptr, checkpoint.origin.len,
							      "signed_records", (json_int_t)checkpoint.size));
	}
	return list;
}

static json_t *content_of(const struct papers *papers)
{
	static const char *const kept[] = {[PLAN_NONE] = "none", [PLAN_SEALED] = "sealed", [PLAN_CLEAR] = "clear"};
	json_t *content = json_object();
	json_object_set_new(content, "records", number(papers->sums.records));
	json_object_set_new(content, "records_of_other_sites_left_out", number(papers->sums.other_sites));
	json_object_set_new(content, "records_of_other_incidents_left_out", number(papers->sums.other_incidents));
	json_object_set_new(content, "messages", json_string(kept[papers->plan->messages]));
	json_object_set_new(content, "messages_in_clear", number(papers->sums.messages));
	json_object_set_new(content, "messages_not_found", number(papers->sums.unfound));
	json_object_set_new(content, "sealed_parcels", number(papers->sealed_parcels));
	json_object_set_new(content, "parcels_not_opened", number(papers->unopened_parcels));
	return content;
}

int papers_custody(const struct papers *papers)
{
	const struct export_plan *plan = papers->plan;
	struct buffer out = buffer_make(NULL);
	char at[WARC_DATE_BYTES], from[WARC_DATE_BYTES], to[WARC_DATE_BYTES];
	struct utsname host;
	json_t *root = json_object(), *sites = json_array();
	warc_date_text(plan->at_ms, at);
	warc_date_text(plan->from_ms, from);
	warc_date_text(plan->to_ms, to);
	for (size_t i = 0; i < plan->site_count; i++)
		json_array_append_new(sites, json_string(plan->sites[i]));
	json_object_set_new(root, "action", json_string("export"));
	json_object_set_new(root, "export", json_string(plan->id));
	json_object_set_new(root, "incident", number(plan->incident));
	json_object_set_new(root, "performer", performer(plan));
	json_object_set_new(root, "at", json_string(at));
	json_object_set_new(root, "clock", json_string(plan->clock.synchronised ? "synchronised" : "unsynchronised"));
	json_object_set_new(root, "clock_error_us", number(plan->clock.error_us));
	json_object_set_new(root, "why", json_string(plan->why));
	json_object_set_new(root, "host", json_string(uname(&host) == 0 ? host.nodename : ""));
	json_object_set_new(root, "software", json_string("guia " GUIA_VERSION));
	json_object_set_new(root, "records_from", json_string(from));
	json_object_set_new(root, "records_to", json_string(to));
	json_object_set_new(root, "sites", sites);
	json_object_set_new(root, "logs", logs_of(plan));
	json_object_set_new(root, "content", content_of(papers));
	char *text = json_dumps(root, JSON_INDENT(2));
	buffer_text(&out, text != NULL ? text : "");
	buffer_byte(&out, '\n');
	int r = text == NULL ? -ENOMEM : place(papers, "data/custody.json", &out);
	free(text);
	json_decref(root);
	buffer_free(&out);
	return r;
}

/* ---- tags ---- */

int papers_tags(const struct papers *papers, uint64_t files, uint64_t bytes)
{
	const struct export_plan *plan = papers->plan;
	struct buffer out = buffer_make(NULL);
	char at[WARC_DATE_BYTES];
	warc_date_text(plan->at_ms, at);
	int r = disk_place(&disk_kernel, papers->bag, "bagit.txt", SLICE(BAG_DECLARATION));
	buffer_printf(&out,
		      "Bag-Software-Agent: guia %s\nBagging-Date: %.10s\nExternal-Identifier: %s\n"
		      "External-Description: incident %" PRIu64 "\nPayload-Oxum: %" PRIu64 ".%" PRIu64 "\n",
		      GUIA_VERSION, at, plan->id, plan->incident, bytes, files);
	r = r != 0 ? r : place(papers, "bag-info.txt", &out);
	buffer_clear(&out);
	papers_instructions(plan, &out);
	r = r != 0 ? r : place(papers, "VERIFY.md", &out);
	buffer_free(&out);
	return r;
}
