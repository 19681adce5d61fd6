/*
 * Makes what a bundle is made of: a log with COUNT blocked requests of an incident, their messages if there is a
 * certificate, and the history. Usage: case-maker FOLDER COUNT [CERTIFICATE]
 */
#include "base/error.h"
#include "casebook/store.h"
#include "evidence/body_store.h"
#include "evidence/journal.h"
#include "evidence/log.h"
#include "evidence/pcapng.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ONSET_MS UINT64_C(1783713600000) /* 2026-07-10 20:00 */

struct making {
	struct log *log;
	struct body_store *bodies;
	unsigned long count;
};

static void must(int r, const char *what)
{
	if (r == 0)
		return;
	fprintf(stderr, "%s: %d\n", what, r);
	exit(3);
}

static void seal(struct log *log)
{
	int r;
	while ((r = log_seal(log, LOG_KEEPS_RESERVE)) == -ENOSPC) {
		must(log_sign(log), "sign");
		usleep(1000);
	}
	must(r, "seal");
}

static void block(struct making *m, unsigned long i, uint64_t at_ms)
{
	char uri[96], source[32], message[256];
	struct merkle_hash commitment;
	snprintf(uri, sizeof(uri), "/page/%lu?q=%%27%%20or%%201=1\r\n<b>", i);
	snprintf(source, sizeof(source), "198.51.%lu.%lu", i / 256 % 256, i % 256);
	int len = snprintf(message, sizeof(message),
			   "POST %lu HTTP/1.1\r\nHost: www.a.test\r\n\r\npassword=%lu\r\nWARC/1.1\r\n", i, i);
	bool kept = m->bodies != NULL &&
		    body_store_put(m->bodies, BODY_REQUEST, slice_make(message, (size_t)len), 0, at_ms, &commitment);
	struct leaf_value values[LEAF_FIELDS_MOST] = {{.number = 0}};
	const struct leaf_row *row = leaf_row(LEAF_BLOCK);
	for (size_t f = 0; f < row->field_count; f++) {
		const char *name = row->fields[f].name;
		if (strcmp(name, "site") == 0)
			values[f] = leaf_text(i % 10 == 9 ? SLICE("www.other.test") : SLICE("www.a.test"));
		else if (strcmp(name, "source") == 0)
			values[f] = leaf_text(slice_from_string(source));
		else if (strcmp(name, "uri") == 0)
			values[f] = leaf_text(slice_from_string(uri));
		else if (strcmp(name, "port") == 0)
			values[f] = leaf_number(40000 + i % 20000);
		else if (strcmp(name, "at") == 0)
			values[f] = leaf_number(at_ms);
		else if (strcmp(name, "body") == 0 && kept)
			values[f] = leaf_text(slice_make(commitment.bytes, sizeof(commitment.bytes)));
		else if (!row->fields[f].optional)
			values[f] = row->fields[f].form == LEAF_NUMBER ? leaf_number(1) : leaf_text(SLICE("block"));
	}
	must(log_add_values(m->log, LEAF_BLOCK, at_ms, values), "add");
	if (log_batch_full(m->log))
		seal(m->log);
}

/* Three seconds in which the edge sampled packets. */
static void packets(struct making *m)
{
	for (unsigned second = 0; m->bodies != NULL && second < 3; second++) {
		struct buffer file = buffer_make(NULL);
		struct merkle_hash commitment;
		pcapng_begin(128, &file);
		for (unsigned i = 0; i <= second; i++) {
			const struct pcapng_packet packet = {(ONSET_MS + second) * 1000 + i, 60 + i,
							     SLICE_INIT("an ethernet frame"), PCAPNG_DROPPED};
			pcapng_add(&packet, &file);
		}
		must(body_store_put(m->bodies, BODY_PACKETS, buffer_slice(&file), 0, ONSET_MS, &commitment) ? 0 : 1,
		     "put");
		const struct leaf_value values[LEAF_FIELDS_MOST] = {
			leaf_number(second + 1), leaf_text(slice_make(commitment.bytes, MERKLE_HASH_BYTES))};
		must(log_add_values(m->log, LEAF_PACKETS, ONSET_MS, values), "add");
		buffer_free(&file);
	}
}

/* A day before, a day after: what is not of the incident. */
static void other(struct making *m, uint64_t at_ms, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		const struct leaf_value values[LEAF_FIELDS_MOST] = {leaf_text(SLICE("www.a.test")), leaf_number(i),
								    leaf_text(SLICE("another day"))};
		must(log_add_values(m->log, LEAF_DECISION, at_ms + i, values), "add");
		if (log_batch_full(m->log))
			seal(m->log);
	}
	seal(m->log);
}

static void write_history(const char *folder, uint64_t over_ms)
{
	char path[256];
	struct case_store *store;
	struct case_record *record = calloc(1, sizeof(*record));
	snprintf(path, sizeof(path), "%s/history.db", folder);
	*record = (struct case_record){.id = 1,
				       .phase = CASE_OVER,
				       .onset_ms = ONSET_MS,
				       .opened_ms = ONSET_MS + 700,
				       .over_ms = over_ms,
				       .site_count = 1};
	snprintf(record->sites[0].name, sizeof(record->sites[0].name), "www.a.test");
	record->sites[0].onset_ms = ONSET_MS;
	record->sites[0].until_ms = over_ms;
	const struct case_news news = {.record = record};
	must(case_store_open(path, &store), "history");
	must(case_store_write(store, &news, 1), "history");
	case_store_close(store);
	free(record);
}

int main(int argc, char **argv)
{
	struct making m = {.count = argc < 3 ? 0 : strtoul(argv[2], NULL, 10)};
	char log[256], key[256], bodies[512];
	if (argc < 3 || argc > 4)
		return 2;
	snprintf(log, sizeof(log), "%s/log", argv[1]);
	snprintf(key, sizeof(key), "%s/key.pem", argv[1]);
	snprintf(bodies, sizeof(bodies), "%s/" BODY_FOLDER, log);
	const struct log_config config = {log,
					  "gate.test/log",
					  key,
					  &disk_kernel,
					  NULL,
					  0,
					  m.count > 200000 ? JOURNAL_HALF_BYTES : JOURNAL_HALF_BYTES / 8};
	must(log_open(&config, ONSET_MS - 86400000, &m.log), "log");
	if (argc == 4)
		must(body_store_create(&disk_kernel, bodies, argv[3], &m.bodies), "bodies");
	other(&m, ONSET_MS - 86400000, 600);
	packets(&m);
	for (unsigned long i = 0; i < m.count; i++)
		block(&m, i, ONSET_MS + i / 5);
	seal(m.log);
	other(&m, ONSET_MS + 86400000, 600);
	must(log_sign(m.log), "sign");
	body_store_end(m.bodies);
	log_close(m.log);
	write_history(argv[1], ONSET_MS + m.count / 5 + 1000);
	return 0;
}
