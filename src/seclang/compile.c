/*
 * A unit's key is what it was made from, and the defaults that were there before it; if its files have changed the new
 * unit goes under the next key. Each source begins with the defaults that the one before it has left.
 */
#include "seclang/compile.h"

#include "seclang/directive.h"
#include "seclang/link.h"
#include "seclang/plan.h"

#include <errno.h>
#include <stdlib.h>

enum { UNITS_MAX = 64 };

static void unit_free(void *thing)
{
	struct seclang_unit *unit = thing;
	arena_destroy(&unit->arena);
	free(unit);
}

/* A unit is shared by what it was made from: where it stands, its text if it is no file, and the defaults that its
 * rules inherit. */
static int unit_key(const struct seclang_source *source, const struct phase_state *before, struct buffer *key)
{
	buffer_text(key, source->is_file ? source->text : source->name);
	buffer_printf(key, ":%u:%d", source->line, source->is_file);
	for (int phase = PHASE_FIRST; phase <= PHASE_LAST; phase++) {
		buffer_byte(key, '\0');
		buffer_add(key, before->phases[phase].text);
	}
	buffer_byte(key, '\0');
	if (!source->is_file)
		buffer_text(key, source->text);
	return key->error;
}

/* Rules outlive whoever named the text. */
static int unit_walk_text(struct walk *walk, const struct seclang_source *source)
{
	const char *name = arena_string(walk->compiler.arena, slice_from_string(source->name));
	return name == NULL ? -ENOMEM : walk_text(walk, slice_from_string(source->text), name, source->line);
}

static int unit_walk(struct walk *walk, const struct seclang_source *source)
{
	int r = source->is_file ? walk_file(walk, source->text, NULL) : unit_walk_text(walk, source);
	/* Without memory the walk stopped anywhere: a chain is then open by no fault of the rules. */
	int end = r == -ENOMEM ? 0 : walk_end(walk);
	return r != 0 ? r : end;
}

static int unit_compile(struct pool *pool, const struct seclang_source *source, const struct phase_state *before,
			struct diagnostics *diagnostics, struct seclang_unit **ret_unit)
{
	struct seclang_unit *unit = calloc(1, sizeof(*unit));
	struct walk *walk = calloc(1, sizeof(*walk));
	int r = unit == NULL || walk == NULL ? -ENOMEM : 0;
	if (r == 0) {
		arena_init_lasting(&unit->arena);
		unit->after = *before;
		*walk = (struct walk){.unit = unit, .phases = &unit->after};
		walk->compiler = (struct compiler){.pool = pool, .arena = &unit->arena, .diagnostics = diagnostics};
		r = unit_walk(walk, source);
		unit->files = walk->compiler.files;
		unit->dependencies = walk->compiler.dependencies;
	}
	if (r == 0)
		r = plan_scans(pool, unit, diagnostics);
	if (walk != NULL)
		id_table_free(&walk->ids);
	free(walk);
	if (r == 0)
		*ret_unit = unit;
	else if (unit != NULL)
		unit_free(unit);
	return r;
}

/*
 * From the pool, if what it was made from is as it was. A unit whose files have changed stays, for older rule sets use
 * it; the new one is kept under the next key.
 */
static int unit_get(struct pool *pool, const struct seclang_source *source, const struct phase_state *before,
		    struct diagnostics *diagnostics, struct seclang_unit **ret_unit)
{
	struct buffer key = buffer_make(NULL);
	int r = unit_key(source, before, &key);
	struct seclang_unit *unit = NULL;
	while (r == 0 && (unit = pool_find(pool, POOL_UNIT, buffer_slice(&key))) != NULL &&
	       !dependencies_unchanged(&unit->dependencies)) {
		buffer_byte(&key, '\0');
		r = key.error;
	}
	if (r == 0 && unit == NULL) {
		r = unit_compile(pool, source, before, diagnostics, &unit);
		if (r == 0)
			r = pool_add(pool, POOL_UNIT, buffer_slice(&key), unit, unit_free);
	}
	buffer_free(&key);
	if (r == 0)
		*ret_unit = unit;
	return r;
}

static int refuse_more(const struct seclang_source *first, struct diagnostics *diagnostics)
{
	const struct source_place place = {first->is_file ? first->text : first->name, first->line, 0, {0}};
	diagnostics_add(diagnostics, DIAGNOSTIC_ERROR, place, "put some into one file, which includes the others",
			"more than %d files and blocks of rules are given", UNITS_MAX);
	return -EINVAL;
}

int seclang_compile(struct pool *pool, const struct seclang_source *sources, size_t count,
		    struct diagnostics *diagnostics, struct arena *arena, struct ruleset *ret_ruleset,
		    struct seclang_counts *ret_counts)
{
	static const struct phase_state nothing;
	struct seclang_unit *units[UNITS_MAX];
	int result = 0;
	*ret_counts = (struct seclang_counts){0};
	if (count > UNITS_MAX)
		return refuse_more(&sources[UNITS_MAX], diagnostics);
	for (size_t i = 0; i < count && result != -ENOMEM; i++) {
		const struct phase_state *before = i == 0 || result != 0 ? &nothing : &units[i - 1]->after;
		int r = unit_get(pool, &sources[i], before, diagnostics, &units[i]);
		result = r != 0 ? r : result;
	}
	if (result == 0)
		result = link_units(pool, units, count, diagnostics, arena, ret_ruleset, ret_counts);
	return result;
}
