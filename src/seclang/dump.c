/* One function for each struct of the rule set. A field that is added there has to be added here by hand. */
#include "seclang/dump.h"

static void add_macro(struct buffer *out, const char *name, const struct macro *macro)
{
	if (macro->text.len == 0)
		return;
	buffer_printf(out, "    %s [%.*s]", name, SLICE_ARG(macro->text));
	for (size_t i = 0; i < macro->part_count; i++) {
		const struct macro_part *part = &macro->parts[i];
		if (part->is_variable)
			buffer_printf(out, " {%s %.*s}", variable_infos[part->variable].name,
				      SLICE_ARG(part->selector));
		else if (macro->part_count > 1)
			buffer_printf(out, " [%.*s]", SLICE_ARG(part->literal));
	}
	buffer_byte(out, '\n');
}

static void add_target(struct buffer *out, const struct target *target)
{
	static const char *const selectors[] = {
		[SELECTOR_NONE] = "",
		[SELECTOR_NAME] = "name",
		[SELECTOR_REGEX] = "regex",
		[SELECTOR_XPATH] = "xpath",
	};
	buffer_printf(out, " %s%s%s", target->excluded ? "!" : "", target->counted ? "&" : "",
		      variable_infos[target->variable].name);
	if (target->selector_kind != SELECTOR_NONE)
		buffer_printf(out, ":%s(%.*s)", selectors[target->selector_kind], SLICE_ARG(target->selector));
	if (target->scan_group != SCAN_GROUP_NONE)
		buffer_text(out, "*");
}

static void add_ctl(struct buffer *out, const struct ctl *ctl)
{
	buffer_printf(out, "    ctl %d mode %d processor %d number %lld ids %lld-%lld", (int)ctl->kind, (int)ctl->mode,
		      (int)ctl->processor, (long long)ctl->number, (long long)ctl->ids.first, (long long)ctl->ids.last);
	bool has_target = ctl->kind == CTL_RULE_REMOVE_TARGET_BY_ID || ctl->kind == CTL_RULE_REMOVE_TARGET_BY_MSG ||
			  ctl->kind == CTL_RULE_REMOVE_TARGET_BY_TAG;
	if (has_target)
		add_target(out, &ctl->target);
	buffer_byte(out, '\n');
	add_macro(out, "  text", &ctl->text);
}

static void add_setvar(struct buffer *out, const struct setvar *setvar)
{
	static const char *const kinds[] = {"set", "add", "subtract", "unset"};
	buffer_printf(out, "    %s %s%s\n", kinds[setvar->kind], variable_infos[setvar->collection].name,
		      setvar->tx_slot == SLOT_NONE ? "" : " by slot");
	add_macro(out, "  name", &setvar->name);
	add_macro(out, "  value", &setvar->value);
}

static void add_action(struct buffer *out, const struct action *action)
{
	static const char *const names[] = {
		[ACTION_SETVAR] = "setvar",
		[ACTION_CTL] = "ctl",
		[ACTION_INITCOL] = "initcol",
		[ACTION_EXPIREVAR] = "expirevar",
		[ACTION_DEPRECATEVAR] = "deprecatevar",
		[ACTION_SETENV] = "setenv",
		[ACTION_SETUID] = "setuid",
		[ACTION_SETSID] = "setsid",
		[ACTION_SETRSC] = "setrsc",
		[ACTION_SANITISE_ARG] = "sanitiseArg",
		[ACTION_SANITISE_MATCHED] = "sanitiseMatched",
		[ACTION_SANITISE_MATCHED_BYTES] = "sanitiseMatchedBytes",
		[ACTION_SANITISE_REQUEST_HEADER] = "sanitiseRequestHeader",
		[ACTION_SANITISE_RESPONSE_HEADER] = "sanitiseResponseHeader",
	};
	if (action->kind == ACTION_CTL) {
		add_ctl(out, &action->ctl);
		return;
	}
	buffer_printf(out, "    %s\n", names[action->kind]);
	bool has_variable = action->kind == ACTION_SETVAR || action->kind == ACTION_INITCOL ||
			    action->kind == ACTION_EXPIREVAR || action->kind == ACTION_DEPRECATEVAR ||
			    action->kind == ACTION_SETENV;
	if (has_variable)
		add_setvar(out, &action->setvar);
	add_macro(out, "text", &action->text);
}

static void add_operator(struct buffer *out, const struct rule_operator *operation)
{
	buffer_printf(out, "    %s@%s%s%s%s%s\n", operation->negated ? "!" : "", operator_infos[operation->kind].name,
		      operation->regex != NULL ? " regex" : "", operation->phrases != NULL ? " phrases" : "",
		      operation->networks != NULL ? " networks" : "", operation->scan_exact ? " exact" : "");
	add_macro(out, "argument", &operation->argument);
}

static void add_numbers(struct buffer *out, const struct rule *rule)
{
	static const char *const disruptives[] = {"none",     "pass",  "block",       "deny",         "drop",
						  "redirect", "allow", "allow:phase", "allow:request"};
	buffer_printf(out, "    %s (block is %s) status %u%s%s%s%s\n", disruptives[rule->disruptive],
		      disruptives[rule->block_action], rule->status, rule->capture ? " capture" : "",
		      rule->multi_match ? " multiMatch" : "", rule->log ? " log" : "",
		      rule->audit_log ? " auditlog" : "");
	if (rule->severity != SEVERITY_UNSET || rule->maturity != 0 || rule->accuracy != 0 || rule->paranoia_level != 0)
		buffer_printf(out, "    severity %u maturity %u accuracy %u paranoia %u\n", rule->severity,
			      rule->maturity, rule->accuracy, rule->paranoia_level);
	if (rule->skip != 0 || rule->skip_after.len > 0)
		buffer_printf(out, "    skip %u after [%.*s]\n", rule->skip, SLICE_ARG(rule->skip_after));
	if (rule->revision.len > 0 || rule->version.len > 0)
		buffer_printf(out, "    rev [%.*s] ver [%.*s]\n", SLICE_ARG(rule->revision), SLICE_ARG(rule->version));
}

static void add_texts(struct buffer *out, const struct rule *rule)
{
	add_macro(out, "redirect", &rule->redirect_url);
	add_macro(out, "msg", &rule->message);
	add_macro(out, "logdata", &rule->log_data);
	for (size_t i = 0; i < rule->tag_count; i++)
		add_macro(out, "tag", &rule->tags[i]);
	for (size_t i = 0; i < rule->namespace_count; i++)
		buffer_printf(out, "    xmlns %.*s=%.*s\n", SLICE_ARG(rule->namespaces[i].prefix),
			      SLICE_ARG(rule->namespaces[i].uri));
}

static void add_rule(struct buffer *out, const struct rule *rule)
{
	static const char *const kinds[] = {"rule", "action", "marker"};
	buffer_printf(out, "%s%s %lld phase %u line %u", rule->chain_depth > 0 ? "  link " : "", kinds[rule->kind],
		      (long long)rule->id, rule->phase, rule->line);
	if (rule->kind == RULE_MARKER) {
		buffer_printf(out, " [%.*s]\n", SLICE_ARG(rule->marker));
		return;
	}
	for (size_t i = 0; i < rule->target_count; i++)
		add_target(out, &rule->targets[i]);
	buffer_byte(out, '\n');
	if (rule->kind == RULE_OPERATOR)
		add_operator(out, &rule->operation);
	for (size_t i = 0; i < rule->transform_count; i++)
		buffer_printf(out, "%s%s%s", i == 0 ? "    t:" : ",", transform_name(rule->transforms[i]),
			      i + 1 == rule->transform_count ? "\n" : "");
	add_numbers(out, rule);
	add_texts(out, rule);
	for (size_t i = 0; i < rule->action_count; i++)
		add_action(out, &rule->actions[i]);
}

static void add_text(struct buffer *out, const char *name, struct slice text)
{
	if (text.len > 0)
		buffer_printf(out, "%s [%.*s]\n", name, SLICE_ARG(text));
}

static void add_limits(struct buffer *out, const struct settings *s)
{
	buffer_printf(out, "arguments %u '%c' cookies %u xml args %u entities %d depth %u\n", s->arguments_limit,
		      s->argument_separator, s->cookie_format, s->parse_xml_into_args, s->xml_external_entity,
		      s->request_body_json_depth_limit);
	buffer_printf(out, "no files %llu in memory %llu pcre %u %u collections %u s\n",
		      (unsigned long long)s->request_body_no_files_limit,
		      (unsigned long long)s->request_body_in_memory_limit, s->pcre_match_limit,
		      s->pcre_match_limit_recursion, s->collection_timeout_seconds);
	if (s->body_by_sight)
		buffer_text(out, "bodies by sight\n");
	buffer_printf(out, "uploads %u mode %o keep %d save %d debug %u\n", s->upload_file_limit, s->upload_file_mode,
		      s->upload_keep_files, s->tmp_save_uploaded_files, s->debug_log_level);
	buffer_printf(out, "audit json %d type %u modes %o %o status %d\n", s->audit_json, s->audit_type,
		      s->audit_dir_mode, s->audit_file_mode, s->audit_relevant_status != NULL);
	add_text(out, "audit log", s->audit_log);
	add_text(out, "audit log 2", s->audit_log2);
	add_text(out, "audit folder", s->audit_storage_dir);
	add_text(out, "debug log", s->debug_log);
	add_text(out, "uploads in", s->upload_dir);
	add_text(out, "web app", s->web_app_id);
	add_text(out, "sensor", s->sensor_id);
	add_text(out, "server", s->server_signature);
	add_text(out, "components", s->component_signatures);
	add_text(out, "http bl", s->http_bl_key);
}

void ruleset_dump(const struct ruleset *ruleset, struct buffer *out)
{
	const struct settings *s = &ruleset->settings;
	buffer_printf(out, "engine %d request body %d limit %llu rejects %d response body %d limit %llu rejects %d\n",
		      (int)s->rule_engine, s->request_body_access, (unsigned long long)s->request_body_limit,
		      s->request_body_limit_rejects, s->response_body_access,
		      (unsigned long long)s->response_body_limit, s->response_body_limit_rejects);
	buffer_printf(out, "audit engine %d parts %x memory %llu stored collections %d\n", (int)s->audit_engine,
		      s->audit_parts, (unsigned long long)s->transaction_memory_limit,
		      ruleset->uses_stored_collections);
	add_limits(out, s);
	for (size_t i = 0; i < s->response_mime_type_count; i++)
		buffer_printf(out, "mime type %.*s\n", SLICE_ARG(s->response_mime_types[i]));
	for (size_t i = 0; i < s->redacted_name_count; i++)
		buffer_printf(out, "redact %.*s\n", SLICE_ARG(s->redacted_names[i]));
	for (int phase = PHASE_FIRST; phase <= PHASE_LAST; phase++)
		buffer_printf(out, "phase %d: %zu%s\n", phase, ruleset->phases[phase].count,
			      ruleset->phase_can_disrupt[phase] ? " can disrupt" : "");
	for (size_t i = 0; i < ruleset->rule_count; i++)
		for (const struct rule *rule = ruleset->rules[i]; rule != NULL; rule = rule->next_link)
			add_rule(out, rule);
}
