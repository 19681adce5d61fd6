/*
 * Opening and writing; store_read.c reads. A schema is what its version adds to the one before, and those that a file
 * has not yet are run in one transaction. Rows are written over by their keys, entries are appended, and tallies alone
 * add up.
 */
#include "base/error.h"
#include "casebook/statement.h"
#include "casebook/store_inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	APPLICATION = 0x47756961, /* "Guia": what file(1) reads */
	BUSY_MS = 2000,
	NAMES_TRIED = 1000,
};

_Static_assert((int)STATEMENT_DAMAGED == (int)CASE_STORE_DAMAGED, "one number");

/* Everything in milliseconds since 1970; NULL is never used, 0 is what is not known yet. */
static const char schema_1[] =
	"CREATE TABLE incident (id INTEGER PRIMARY KEY, phase TEXT, onset_ms INT, opened_ms INT, held_ms INT,"
	" restored_ms INT, over_ms INT, reopened INT, peak REAL, below_since_ms INT, places TEXT);"
	"CREATE TABLE site (incident INT, number INT, name TEXT, attacked INT, onset_ms INT, until_ms INT, held_ms INT,"
	" restored_ms INT, nature INT, harm INT, passed INT, copies INT, blocked INT, limited INT, signature INT,"
	" crowded_out INT, other INT, asked INT, answered INT, peak REAL, worst_percent INT,"
	" PRIMARY KEY (incident, number)) WITHOUT ROWID;"
	"CREATE TABLE mitigation (incident INT, id INT, site INT, since_ms INT, until_ms INT, hits INT, kind TEXT,"
	" what TEXT, PRIMARY KEY (incident, id)) WITHOUT ROWID;"
	"CREATE TABLE entry (id INTEGER PRIMARY KEY, incident INT, at_ms INT, kind INT, text TEXT);"
	"CREATE INDEX entry_of ON entry (incident, at_ms);"
	"CREATE TABLE point (incident INT, at_ms INT, site INT, passed INT, copies INT, blocked INT, limited INT,"
	" signature INT, crowded_out INT, other INT, asked INT, answered INT,"
	" PRIMARY KEY (incident, at_ms, site)) WITHOUT ROWID;"
	"CREATE TABLE tally (incident INT, dimension TEXT, key TEXT, requests REAL,"
	" PRIMARY KEY (incident, dimension, key)) WITHOUT ROWID;";

/* Intrusions beside floods. Hashes are hexadecimal: SQLite's numbers are signed. */
static const char schema_2[] = "ALTER TABLE incident ADD COLUMN kind TEXT DEFAULT 'flood';"
			       "CREATE TABLE actor (incident INTEGER PRIMARY KEY, sources INT, paths INT, findings "
			       "INT, missing INT, kinds INT,"
			       " classes INT, agent TEXT, shape TEXT, asked TEXT);";

/* Floods of packets beside those of requests. */
static const char schema_3[] =
	"CREATE TABLE packets (incident INT, kind TEXT, is_on INT, held INT, onset_ms INT, until_ms INT, held_ms INT,"
	" packets INT, earlier INT, peak REAL, sampled INT, network_count INT, destinations TEXT, ports TEXT,"
	" from_ports TEXT, networks TEXT, PRIMARY KEY (incident, kind)) WITHOUT ROWID;";

/* What makes each version of the one before. */
static const char *const schemas[CASE_STORE_VERSION] = {schema_1, schema_2, schema_3};

static int execute(sqlite3 *db, const char *sql)
{
	return statement_error(sqlite3_exec(db, sql, NULL, NULL, NULL));
}

static int pragma_number(sqlite3 *db, const char *sql, uint64_t *ret_number)
{
	struct statement s = statement_prepare(db, sql);
	if (statement_step(&s) == STATEMENT_ROW && s.error == 0)
		*ret_number = statement_take(&s);
	return statement_end(&s);
}

/* ---- opening ---- */

static int raise_schema(sqlite3 *db, uint64_t version)
{
	char numbers[128];
	snprintf(numbers, sizeof(numbers), "PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT;", APPLICATION,
		 CASE_STORE_VERSION);
	int r = execute(db, "BEGIN IMMEDIATE;");
	for (uint64_t i = version; i < CASE_STORE_VERSION && r == 0; i++)
		r = execute(db, schemas[i]);
	r = r != 0 ? r : execute(db, numbers);
	if (r != 0)
		(void)execute(db, "ROLLBACK;");
	return r;
}

/* What is ours says so; what is empty, of version 0, may become ours; anything else is somebody's. */
static int check(sqlite3 *db, uint64_t *ret_version)
{
	uint64_t application = 0, version = 0, tables = 0;
	int r = pragma_number(db, "PRAGMA application_id", &application);
	r = r != 0 ? r : pragma_number(db, "PRAGMA user_version", &version);
	r = r != 0 ? r : pragma_number(db, "SELECT count(*) FROM sqlite_master", &tables);
	if (r != 0)
		return r;
	*ret_version = tables == 0 ? 0 : version;
	if (tables == 0)
		return 0;
	if (application != APPLICATION || version == 0)
		return CASE_STORE_DAMAGED;
	return version > CASE_STORE_VERSION ? CASE_STORE_NEWER : 0;
}

static int open_file(const char *path, int flags, struct case_store **ret_store)
{
	struct stat about;
	/* SQLite would wait for a pipe's other end. */
	if (stat(path, &about) == 0 && !S_ISREG(about.st_mode))
		return CASE_STORE_DAMAGED;
	struct case_store *store = calloc(1, sizeof(*store));
	if (store == NULL)
		return -ENOMEM;
	int r = statement_error(sqlite3_open_v2(path, &store->db, flags | SQLITE_OPEN_NOMUTEX, NULL));
	if (r == 0)
		r = statement_error(sqlite3_busy_timeout(store->db, BUSY_MS));
	if (r != 0)
		case_store_close(store);
	else
		*ret_store = store;
	return r;
}

/* A full or failing disk shows at the first write: a database that nobody can write to is told of now. */
static int prepare(struct case_store *store)
{
	int r = check(store->db, &store->version);
	r = r != 0 ? r : execute(store->db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;");
	if (r == 0 && store->version < CASE_STORE_VERSION)
		r = raise_schema(store->db, store->version);
	store->version = CASE_STORE_VERSION;
	return r;
}

int case_store_open(const char *path, struct case_store **ret_store)
{
	struct case_store *store;
	int r = open_file(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &store);
	if (r != 0)
		return r;
	r = prepare(store);
	if (r != 0)
		case_store_close(store);
	else
		*ret_store = store;
	return r;
}

int case_store_look(const char *path, struct case_store **ret_store)
{
	struct case_store *store;
	if (access(path, F_OK) != 0)
		return errno == ENOENT ? CASE_STORE_NONE : -errno;
	int r = open_file(path, SQLITE_OPEN_READONLY, &store);
	if (r != 0)
		return r;
	r = check(store->db, &store->version);
	if (r == 0 && store->version == 0)
		r = CASE_STORE_NONE;
	if (r != 0)
		case_store_close(store);
	else
		*ret_store = store;
	return r;
}

void case_store_close(struct case_store *store)
{
	if (store == NULL)
		return;
	sqlite3_close(store->db);
	free(store);
}

int case_store_put_aside(const char *path, struct buffer *ret_name)
{
	static const char *const parts[] = {"-wal", "-shm", ""};
	char name[4096], from[4200], to[4200];
	for (unsigned i = 0; i < NAMES_TRIED; i++) {
		int length = i == 0 ? snprintf(name, sizeof(name), "%s.damaged", path)
				    : snprintf(name, sizeof(name), "%s.damaged.%u", path, i);
		if (length >= (int)sizeof(name))
			return -ENAMETOOLONG;
		if (access(name, F_OK) == 0)
			continue;
		for (size_t p = 0; p < sizeof(parts) / sizeof(parts[0]); p++) {
			snprintf(from, sizeof(from), "%s%s", path, parts[p]);
			snprintf(to, sizeof(to), "%s%s", name, parts[p]);
			if (rename(from, to) != 0 && errno != ENOENT)
				return -errno;
		}
		buffer_text(ret_name, name);
		return ret_name->error;
	}
	return -EEXIST;
}

/* ---- writing ---- */

static void bind_requests(struct statement *s, const struct case_requests *requests)
{
	statement_number(s, requests->passed);
	statement_number(s, requests->copies);
	statement_number(s, requests->blocked);
	statement_number(s, requests->limited);
	statement_number(s, requests->signature);
	statement_number(s, requests->crowded_out);
	statement_number(s, requests->other);
}

static void bind_visitors(struct statement *s, const struct case_visitors *visitors)
{
	statement_number(s, visitors->asked);
	statement_number(s, visitors->answered);
}

static int write_record(sqlite3 *db, const struct case_record *record)
{
	struct statement s = statement_prepare(db, "INSERT OR REPLACE INTO incident VALUES (?,?,?,?,?,?,?,?,?,?,?,?)");
	statement_number(&s, record->id);
	statement_text(&s, case_phase_name(record->phase));
	statement_number(&s, record->onset_ms);
	statement_number(&s, record->opened_ms);
	statement_number(&s, record->held_ms);
	statement_number(&s, record->restored_ms);
	statement_number(&s, record->over_ms);
	statement_number(&s, record->reopened);
	statement_real(&s, record->peak);
	statement_number(&s, record->below_since_ms);
	statement_text(&s, record->places);
	statement_text(&s, case_kind_name(record->kind));
	(void)statement_run(&s);
	return statement_end(&s);
}

static int write_actor(sqlite3 *db, uint64_t id, const struct case_actor *actor)
{
	struct statement s = statement_prepare(db, "INSERT OR REPLACE INTO actor VALUES (?,?,?,?,?,?,?,?,?,?)");
	const uint64_t hashes[] = {actor->agent, actor->shape, actor->asked};
	char texts[3][17];
	statement_number(&s, id);
	statement_number(&s, actor->sources);
	statement_number(&s, actor->paths);
	statement_number(&s, actor->findings);
	statement_number(&s, actor->missing);
	statement_number(&s, actor->kinds);
	statement_number(&s, actor->classes);
	for (size_t i = 0; i < 3; i++) {
		snprintf(texts[i], sizeof(texts[i]), "%016" PRIx64, hashes[i]);
		statement_text(&s, texts[i]);
	}
	(void)statement_run(&s);
	return statement_end(&s);
}

static int write_sites(sqlite3 *db, const struct case_record *record)
{
	struct statement s =
		statement_prepare(db, "INSERT OR REPLACE INTO site VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
	for (size_t i = 0; i < record->site_count && s.error == 0; i++) {
		const struct case_site *site = &record->sites[i];
		s.at = 0;
		statement_number(&s, record->id);
		statement_number(&s, i);
		statement_text(&s, site->name);
		statement_number(&s, site->attacked);
		statement_number(&s, site->onset_ms);
		statement_number(&s, site->until_ms);
		statement_number(&s, site->held_ms);
		statement_number(&s, site->restored_ms);
		statement_number(&s, site->nature);
		statement_number(&s, site->harm);
		bind_requests(&s, &site->sums);
		bind_visitors(&s, &site->visitors);
		statement_real(&s, site->peak);
		statement_number(&s, site->worst_percent);
		(void)statement_run(&s);
	}
	return statement_end(&s);
}

static int write_mitigations(sqlite3 *db, const struct case_record *record)
{
	struct statement s = statement_prepare(db, "INSERT OR REPLACE INTO mitigation VALUES (?,?,?,?,?,?,?,?)");
	for (size_t i = 0; i < record->mitigation_count && s.error == 0; i++) {
		const struct case_mitigation *mitigation = &record->mitigations[i];
		s.at = 0;
		statement_number(&s, record->id);
		statement_number(&s, mitigation->id);
		statement_number(&s, mitigation->site);
		statement_number(&s, mitigation->since_ms);
		statement_number(&s, mitigation->until_ms);
		statement_number(&s, mitigation->hits);
		statement_text(&s, mitigation->kind);
		statement_text(&s, mitigation->what);
		(void)statement_run(&s);
	}
	return statement_end(&s);
}

static int write_packets(sqlite3 *db, const struct case_record *record)
{
	struct statement s =
		statement_prepare(db, "INSERT OR REPLACE INTO packets VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
	for (enum packet_flood_kind kind = 0; kind < PACKET_FLOODS && s.error == 0; kind++) {
		const struct case_packets *packets = &record->packets[kind];
		if (packets->onset_ms == 0)
			continue;
		s.at = 0;
		statement_number(&s, record->id);
		statement_text(&s, packet_flood_name(kind));
		statement_number(&s, packets->on);
		statement_number(&s, packets->held);
		statement_number(&s, packets->onset_ms);
		statement_number(&s, packets->until_ms);
		statement_number(&s, packets->held_ms);
		statement_number(&s, packets->packets);
		statement_number(&s, packets->earlier);
		statement_real(&s, packets->peak);
		statement_number(&s, packets->traits.sampled);
		statement_number(&s, packets->traits.network_count);
		statement_text(&s, packets->traits.destinations);
		statement_text(&s, packets->traits.ports);
		statement_text(&s, packets->traits.from_ports);
		statement_text(&s, packets->traits.networks);
		(void)statement_run(&s);
	}
	return statement_end(&s);
}

static int write_entries(sqlite3 *db, const struct case_entry *entries, size_t count)
{
	struct statement s = statement_prepare(db, "INSERT INTO entry (incident, at_ms, kind, text) VALUES (?,?,?,?)");
	for (size_t i = 0; i < count && s.error == 0; i++) {
		s.at = 0;
		statement_number(&s, entries[i].incident);
		statement_number(&s, entries[i].at_ms);
		statement_number(&s, entries[i].kind);
		statement_text(&s, entries[i].text);
		(void)statement_run(&s);
	}
	return statement_end(&s);
}

static int write_points(sqlite3 *db, const struct case_point *points, size_t count)
{
	struct statement s = statement_prepare(db, "INSERT OR REPLACE INTO point VALUES (?,?,?,?,?,?,?,?,?,?,?,?)");
	for (size_t i = 0; i < count && s.error == 0; i++) {
		s.at = 0;
		statement_number(&s, points[i].incident);
		statement_number(&s, points[i].at_ms);
		statement_number(&s, points[i].site);
		bind_requests(&s, &points[i].requests);
		bind_visitors(&s, &points[i].visitors);
		(void)statement_run(&s);
	}
	return statement_end(&s);
}

/* Sources may come without number: of each dimension the most frequent are kept. */
static int prune_tallies(sqlite3 *db, uint64_t id)
{
	struct statement s = statement_prepare(
		db, "DELETE FROM tally WHERE incident = ?1 AND (dimension, key) IN (SELECT dimension, key FROM (SELECT"
		    " dimension, key, row_number() OVER (PARTITION BY dimension ORDER BY requests DESC, key) AS place"
		    " FROM tally WHERE incident = ?1) WHERE place > ?2)");
	statement_number(&s, id);
	statement_number(&s, CASE_TALLIES_KEPT);
	(void)statement_run(&s);
	return statement_end(&s);
}

static int write_tallies(sqlite3 *db, uint64_t id, const struct case_tally *tallies, size_t count)
{
	struct statement s = statement_prepare(db, "INSERT INTO tally VALUES (?,?,?,?) ON CONFLICT DO UPDATE SET"
						   " requests = requests + excluded.requests");
	for (size_t i = 0; i < count && s.error == 0; i++) {
		s.at = 0;
		statement_number(&s, id);
		statement_text(&s, tallies[i].dimension);
		statement_text(&s, tallies[i].key);
		statement_real(&s, tallies[i].requests);
		(void)statement_run(&s);
	}
	int r = statement_end(&s);
	return r != 0 || count == 0 ? r : prune_tallies(db, id);
}

static int write_news(sqlite3 *db, const struct case_news *news)
{
	int r = 0;
	if (news->record->id != 0) {
		r = write_record(db, news->record);
		r = r != 0 ? r : write_sites(db, news->record);
		r = r != 0 ? r : write_mitigations(db, news->record);
		r = r != 0 ? r : write_packets(db, news->record);
	}
	if (news->actor != NULL)
		r = r != 0 ? r : write_actor(db, news->record->id, news->actor);
	r = r != 0 ? r : write_entries(db, news->entries, news->entry_count);
	r = r != 0 ? r : write_points(db, news->points, news->point_count);
	return r != 0 ? r : write_tallies(db, news->record->id, news->tallies, news->tally_count);
}

int case_store_write(struct case_store *store, const struct case_news *news, size_t count)
{
	int r = execute(store->db, "BEGIN IMMEDIATE;");
	if (r != 0)
		return r;
	for (size_t i = 0; i < count && r == 0; i++)
		r = write_news(store->db, &news[i]);
	r = r != 0 ? r : execute(store->db, "COMMIT;");
	if (r != 0)
		(void)execute(store->db, "ROLLBACK;");
	return r;
}
