/*
 * One row of the store, and its list of rules. The table is apart from its heading, for the screen's page has it under
 * another.
 */
#include "report/actor_part.h"

#include "report/html.h"
#include "report/words.h"

static void add_number(const struct writer *w, enum phrase what, uint64_t number)
{
	char words[WORDS_BYTES];
	number_words(number, words);
	writer_fact(w, what, "%s", words);
}

static void add_kinds(const struct writer *w, uint32_t kinds)
{
	buffer_text(w->out, "<tr><th scope=\"row\">");
	html_add(w->out, writer_say(w, PHRASE_CAME_TO));
	buffer_text(w->out, "</th><td>");
	for (unsigned kind = 0; kind < CASE_KINDS; kind++)
		if (kinds >> kind & 1) {
			html_add(w->out, phrase_of_kind((enum case_kind)kind, w->language));
			buffer_text(w->out, "<br>");
		}
	buffer_text(w->out, "</td></tr>\n");
}

static void add_facts(const struct writer *w, const struct case_actor *actor)
{
	buffer_text(w->out, "<table><tbody>\n");
	add_number(w, PHRASE_ADDRESSES, actor->sources);
	add_number(w, PHRASE_OF_NOTE, actor->findings);
	add_number(w, PHRASE_NOT_THERE, actor->missing);
	add_number(w, PHRASE_PATHS, actor->paths);
	add_kinds(w, actor->kinds);
	buffer_text(w->out, "</tbody></table>\n");
}

int actor_facts_add(const struct writer *w)
{
	struct case_actor actor;
	int r = case_store_actor(w->store, w->record->id, &actor);
	writer_note(w, PHRASE_ACTOR_NOTE);
	if (r == 0)
		add_facts(w, &actor);
	else
		writer_element(w, "p", writer_say(w, PHRASE_NOT_YET_KNOWN));
	return r == CASE_STORE_NONE ? 0 : r;
}

int actor_part_add(const struct writer *w)
{
	writer_element(w, "h2", writer_say(w, PHRASE_ACTOR));
	int r = actor_facts_add(w);
	return r != 0 ? r : writer_list(w, PHRASE_RULES, "rule");
}
