/*
 * The memory of many sites in one process: the Core Rule Set once, and for each site its exclusions, thresholds and one
 * rule of its own. Prints the resident memory and heap a further site takes. Usage: sites RULES CACHE SITES
 */
#include "guia.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { TEXT_BYTES = 8192, EXCLUSIONS = 20 };

static double resident_bytes(void)
{
	long pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");
	if (file == NULL || fscanf(file, "%*s %ld", &pages) != 1)
		abort();
	fclose(file);
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

/* The same text that bench/sites.py gives nginx. */
static void write_rules(unsigned site, char text[static TEXT_BYTES])
{
	size_t len = 0;
	for (unsigned i = 0; i < EXCLUSIONS; i++)
		len += (size_t)snprintf(text + len, TEXT_BYTES - len, "SecRuleUpdateTargetById %u !ARGS:field%u_%u\n",
					942100 + i % 4 * 10, site, i);
	snprintf(text + len, TEXT_BYTES - len,
		 "SecAction \"id:1%04u0,phase:1,pass,nolog,t:none,setvar:tx.inbound_anomaly_score_threshold=%u,"
		 "setvar:tx.outbound_anomaly_score_threshold=%u\"\n"
		 "SecRule ARGS:doc \"@rx ^k%u-[a-z]{2,9}[0-9]+/%u$\" "
		 "\"id:1%04u1,phase:2,deny,status:403,log,t:none,t:lowercase\"\n",
		 site, 5 + site % 20, 4 + site % 9, site, site, site);
}

static int compile(struct guia_pool *pool, const char *rules_file, unsigned site, struct guia_rules **ret_rules)
{
	char text[TEXT_BYTES];
	write_rules(site, text);
	struct guia_source sources[] = {{.kind = GUIA_SOURCE_FILE, .text = rules_file},
					{.kind = GUIA_SOURCE_TEXT, .text = text, .name = "site", .line = 1}};
	return guia_rules_compile(pool, sources, 2, NULL, NULL, ret_rules, NULL);
}

int main(int argc, char **argv)
{
	struct guia_pool *pool;
	struct guia_worker *worker;
	struct guia_pool_options options = {.cache_dir = argc == 4 ? argv[2] : NULL};
	struct guia_worker_options worker_options = {0};
	unsigned sites = argc == 4 ? (unsigned)strtoul(argv[3], NULL, 10) : 0;
	struct guia_rules **rules = calloc(sites, sizeof(struct guia_rules *));
	double resident = 0;
	double heap = 0;
	if (sites < 2 || rules == NULL || guia_pool_new(&options, &pool) != 0 ||
	    guia_worker_new(&worker_options, &worker) != 0) {
		fprintf(stderr, "usage: sites RULES CACHE SITES\n");
		return 2;
	}
	for (unsigned i = 0; i < sites; i++) {
		if (compile(pool, argv[1], i, &rules[i]) != 0 || guia_worker_prepare(worker, rules[i]) != 0)
			return 1;
		if (i > 0)
			continue;
		malloc_trim(0);
		resident = resident_bytes();
		heap = (double)mallinfo2().uordblks + (double)mallinfo2().hblkhd;
	}
	malloc_trim(0);
	printf("{\"resident_bytes\":%.0f,\"heap_bytes\":%.0f,\"first_bytes\":%.0f}\n",
	       (resident_bytes() - resident) / (sites - 1),
	       ((double)mallinfo2().uordblks + (double)mallinfo2().hblkhd - heap) / (sites - 1), resident);
	guia_worker_free(worker);
	for (unsigned i = 0; i < sites; i++)
		guia_rules_unref(rules[i]);
	guia_pool_free(pool);
	free(rules);
	return 0;
}
