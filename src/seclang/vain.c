/* Plain searches, ahead of exclusions, which could take away the rules that they are looked for in. */
#include "seclang/vain.h"

#include "seclang/link.h"

#include <stdio.h>
#include <string.h>

static void warn(const struct vain *vain, const char *file, unsigned line, const char *hint, const char *what,
		 struct slice name)
{
	struct source_place place = {file, line, 1, {0}};
	diagnostics_add(vain->diagnostics, DIAGNOSTIC_WARNING, place, hint, "%s%.*s", what, SLICE_ARG(name));
}

static bool names_engine(const struct vain *vain)
{
	const struct setting_row *engine = setting_find(SLICE("SecRuleEngine"));
	for (size_t i = 0; i < vain->unit_count; i++)
		for (size_t j = 0; j < vain->units[i]->setting_count; j++)
			if (vain->units[i]->settings[j].row == engine)
				return true;
	return false;
}

/* Who writes Off means it. */
static void tell_engine(const struct vain *vain)
{
	const struct rule *first = NULL;
	for (size_t i = 0; i < vain->rule_count && first == NULL; i++)
		first = vain->rules[i]->kind == RULE_MARKER ? NULL : vain->rules[i];
	if (first != NULL && !names_engine(vain))
		warn(vain, first->file, first->line, "SecRuleEngine On, or DetectionOnly, ahead of the rules",
		     "nothing is inspected: these rules do not say SecRuleEngine", SLICE(""));
}

static bool means_some(const struct vain *vain, const struct exclusion *exclusion)
{
	for (size_t i = 0; i < vain->rule_count; i++)
		for (const struct rule *rule = vain->rules[i]; rule != NULL; rule = rule->next_link)
			if (exclusion_means(exclusion, rule))
				return true;
	return false;
}

static void tell_exclusion(const struct vain *vain, const struct exclusion *exclusion)
{
	static const char hint[] = "is the number right, and are the rules it is meant for here?";
	char ids[48];
	if (means_some(vain, exclusion))
		return;
	switch (exclusion->by) {
	case BY_ID:
		snprintf(ids, sizeof(ids), "%lld-%lld", (long long)exclusion->ids.first,
			 (long long)exclusion->ids.last);
		if (exclusion->ids.first == exclusion->ids.last)
			*strchr(ids, '-') = '\0';
		warn(vain, exclusion->file, exclusion->line, hint, "no rule has the id ", slice_from_string(ids));
		return;
	case BY_TAG:
		warn(vain, exclusion->file, exclusion->line, "tags are compared whole", "no rule has the tag ",
		     exclusion->text);
		return;
	case BY_MESSAGE:
		warn(vain, exclusion->file, exclusion->line, "messages are compared whole", "no rule has the message ",
		     exclusion->text);
		return;
	}
}

static bool marker_follows(const struct vain *vain, size_t from, struct slice name)
{
	for (size_t i = from; i < vain->rule_count; i++)
		if (vain->rules[i]->kind == RULE_MARKER && slice_equal(vain->rules[i]->marker, name))
			return true;
	return false;
}

static void tell_skip(const struct vain *vain, size_t place)
{
	for (const struct rule *rule = vain->rules[place]; rule != NULL; rule = rule->next_link)
		if (rule->skip_after.len > 0 && !marker_follows(vain, place + 1, rule->skip_after))
			warn(vain, rule->file, rule->line, "all that is left of the phase would be skipped",
			     "no SecMarker follows with the name ", rule->skip_after);
}

void vain_tell(const struct vain *vain)
{
	tell_engine(vain);
	for (size_t i = 0; i < vain->unit_count; i++)
		for (size_t j = 0; j < vain->units[i]->exclusion_count; j++)
			tell_exclusion(vain, &vain->units[i]->exclusions[j]);
	for (size_t i = 0; i < vain->rule_count; i++)
		tell_skip(vain, i);
}
