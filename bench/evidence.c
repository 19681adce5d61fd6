/*
 * How records of 300 bytes are sealed, each hashed into the tree and on the disk (fdatasync), by the log's one thread:
 * how long the longest was not sealed and not signed while 200,000 a second are offered, whatever becomes of them; and
 * how many a second go when as many are offered as are sealed. Each with a log of its own, made in DIR, or in a folder
 * under the current one, and removed. What the disk does is part of what is measured.
 *
 *     evidence [--json] [--quick] [--dir DIR] [--seconds N] [--rate N] [--keep]
 *
 * --rate: N records a second; 0: as many as go. --keep: the logs stay, for another run soon after.
 */
#include "base/clock.h"
#include "evidence/journal.h"
#include "evidence/writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { RATE = 200000, AHEAD = 20000 };
#define PATIENCE_NS (60 * UINT64_C(1000000000))

/* Pads the record to what is aimed at. */
static void put(struct writer *writer, uint64_t number)
{
	char uri[160], source[32];
	memset(uri, 'u', sizeof(uri));
	int source_len = snprintf(source, sizeof(source), "192.0.2.%03u", (unsigned)(number % 250));
	const struct leaf_value values[LEAF_FIELDS_MOST] = {leaf_text(SLICE("www.example.gov.mo")),
							    leaf_text(slice_make(source, (size_t)source_len)),
							    leaf_number(50000 + number % 10000),
							    leaf_number(UINT64_C(1764200000000) + number % 1000),
							    leaf_text(SLICE("blocked")),
							    {.number = 0},
							    leaf_text(SLICE("GET")),
							    leaf_text(slice_make(uri, 64)),
							    {.number = 0},
							    leaf_number(403),
							    {.number = 0},
							    leaf_number(15)};
	(void)writer_put(writer, LEAF_BLOCK, values);
}

static double cpu_s(void)
{
	struct timespec cpu;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
	return (double)cpu.tv_sec + (double)cpu.tv_nsec / 1e9;
}

/* At a pace, in steps of a millisecond. What has no room is lost, and counted. */
static uint64_t offer(struct writer *writer, unsigned rate, double seconds)
{
	uint64_t from = clock_monotonic_ns(), count = 0, passed;
	while ((passed = clock_monotonic_ns() - from) < (uint64_t)(seconds * 1e9)) {
		for (uint64_t due = passed / 1000000 * rate / 1000; count < due;)
			put(writer, count++);
		usleep(1000 - (useconds_t)(passed / 1000 % 1000));
	}
	return count;
}

/*
 * Until no more than `ahead` are neither sealed nor lost; of the log's own records, its gaps, there may be some among
 * them. False, said why: for a minute nothing came of any.
 */
static bool await(struct writer *writer, uint64_t count, uint64_t before, uint64_t ahead)
{
	uint64_t done = 0, changed_ns = clock_monotonic_ns();
	for (;;) {
		struct writer_state state = writer_state(writer);
		uint64_t now_done = state.sizes.sealed - before + state.lost, now_ns = clock_monotonic_ns();
		if (state.open && now_done + ahead >= count)
			return true;
		changed_ns = now_done != done ? now_ns : changed_ns;
		done = now_done;
		if (now_ns - changed_ns > PATIENCE_NS) {
			if (!state.open)
				fprintf(stderr, "for a minute the log cannot be opened: %s\n",
					log_fault_text(state.fault));
			else
				fprintf(stderr,
					"%lu of %lu records sealed or lost, and for a minute none is: error %d\n",
					(unsigned long)done, (unsigned long)count, state.error);
			return false;
		}
		usleep(200);
	}
}

static bool offer_all(struct writer *writer, double seconds, uint64_t *ret_count)
{
	uint64_t from = clock_monotonic_ns(), count = 0, before = writer_state(writer).sizes.sealed;
	bool going = true;
	while (going && (double)(clock_monotonic_ns() - from) < seconds * 1e9) {
		for (int i = 0; i < 500; i++)
			put(writer, count++);
		going = await(writer, count, before, AHEAD);
	}
	*ret_count = count;
	return going;
}

static void tell(const struct writer_state *state, unsigned rate, double per_s, double cpu_s_per_million, bool json)
{
	char row[48] = "300 bytes, as many as go";
	if (rate > 0)
		snprintf(row, sizeof(row), "300 bytes, %u a second", rate);
	printf(json ? "{\"figure\": \"evidence%s\", \"row\": \"%s\", \"per_s\": %.0f, \"unsealed_ms\": %.1f, "
		      "\"unsigned_ms\": %.1f, \"lost\": %lu, \"cpu_s_per_million\": %.2f}\n"
		    : "%s%s: %.0f records/s sealed; longest unsealed %.1f ms, unsigned %.1f ms; %lu lost; %.2f s of "
		      "CPU "
		      "a million\n",
	       json && rate == 0 ? "-most" : "", row, per_s, (double)state->longest_unsealed_us / 1e3,
	       (double)state->longest_unsigned_us / 1e3, (unsigned long)state->lost, cpu_s_per_million);
	fflush(stdout);
}

static int run(const char *path, const char *key, unsigned rate, double seconds, bool json)
{
	const struct log_config config = {path, "bench", key, &disk_kernel, NULL, 0, JOURNAL_HALF_BYTES};
	struct writer *writer;
	int r = writer_create(&config, WRITER_QUEUE_BYTES, &writer);
	if (r != 0) {
		fprintf(stderr, "cannot make a log in %s: %d\n", path, r);
		return 3;
	}
	if (!await(writer, 0, 0, 0)) {
		writer_end(writer);
		return 3;
	}
	double cpu_before = cpu_s();
	uint64_t from = clock_monotonic_ns(), before = writer_state(writer).sizes.sealed, count;
	bool going = true;
	if (rate > 0)
		count = offer(writer, rate, seconds);
	else
		going = offer_all(writer, seconds, &count);
	going = going && await(writer, count, before, 0);
	struct writer_state state = writer_state(writer);
	double took = (double)(clock_monotonic_ns() - from) / 1e9;
	double cpu = cpu_s() - cpu_before;
	writer_end(writer);
	if (!going)
		return 3;
	tell(&state, rate, (double)(state.sizes.sealed - before) / took, cpu * 1e6 / (double)count, json);
	return 0;
}

static int run_in(const char *folder, unsigned rate, double seconds, bool json)
{
	char path[4200], key[4200];
	snprintf(path, sizeof(path), "%s/log-%u", folder, rate);
	snprintf(key, sizeof(key), "%s/key-%u.pem", folder, rate);
	return run(path, key, rate, seconds, json);
}

int main(int argc, char **argv)
{
	char folder[4096], line[4300];
	const char *parent = ".";
	double seconds = 10;
	bool json = false, keep = false;
	int rate = -1;
	for (int i = 1; i < argc; i++) {
		json |= strcmp(argv[i], "--json") == 0;
		keep |= strcmp(argv[i], "--keep") == 0;
		if (strcmp(argv[i], "--quick") == 0)
			seconds = 0.2;
		if (strcmp(argv[i], "--dir") == 0 && i + 1 < argc)
			parent = argv[++i];
		else if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc)
			seconds = atof(argv[++i]);
		else if (strcmp(argv[i], "--rate") == 0 && i + 1 < argc)
			rate = atoi(argv[++i]);
	}
	if ((size_t)snprintf(folder, sizeof(folder), "%s/evidence-XXXXXX", parent) >= sizeof(folder) ||
	    mkdtemp(folder) == NULL) {
		perror(parent);
		return 3;
	}
	int code = run_in(folder, rate >= 0 ? (unsigned)rate : RATE, seconds, json);
	if (code == 0 && rate < 0)
		code = run_in(folder, 0, seconds, json);
	/* All at the end: ext4 seeks the inodes of new files past those that were deleted in the last minutes. */
	snprintf(line, sizeof(line), "rm -rf '%s'", folder);
	return !keep && system(line) != 0 ? 3 : code;
}
