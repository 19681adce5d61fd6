#include "drill/router.h"

#include "base/error.h"
#include "base/test.h"

#include <fcntl.h>
#include <sys/stat.h>

static char folder[] = "/tmp/guia-router-XXXXXX";

/* The programs that are asked: gobgp has one rule in its table, and tc fails until the file `mended` is there. */
static const char gobgp[] = "#!/bin/sh\necho '{\"[destination: 192.0.2.11/32][protocol: ==udp]\":"
			    "[{\"attrs\":[{\"type\":1,\"value\":0},{\"type\":16,\"value\":"
			    "[{\"type\":128,\"subtype\":6,\"rate\":0}]}]}]}'\n";
static const char tc[] = "#!/bin/sh\ncd \"${0%/*}\" && echo >> asked && test -e mended\n";

static void put(const char *name, const char *text)
{
	char path[64];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* How often tc was. */
static long asked(void)
{
	char path[64];
	struct stat st;
	snprintf(path, sizeof(path), "%s/asked", folder);
	return stat(path, &st) == 0 ? st.st_size : 0;
}

static void a_filter_that_is_not_put_is_not_in_force(void **state)
{
	(void)state;
	char path[128], remove[64];
	int rules = -1, network = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (stage_go(network) != 0)
		skip(); /* who may enter no namespace asks no router */
	assert_non_null(mkdtemp(folder));
	put("gobgp", gobgp);
	put("tc", tc);
	snprintf(path, sizeof(path), "%s:/usr/bin:/bin", folder);
	assert_int_equal(setenv("PATH", path, 1), 0);
	const struct stage stage = {.router = network};
	struct router router = {.stage = &stage, .filter = buffer_make(NULL)};
	assert_int_equal(router_look(&router, &rules), -EIO);
	assert_int_equal(rules, 0);
	put("mended", "");
	assert_int_equal(router_look(&router, &rules), 0);
	assert_int_equal(rules, 1);
	assert_int_equal(asked(), 2);
	assert_int_equal(router_look(&router, &rules), 0);
	assert_int_equal(rules, 1);
	assert_int_equal(asked(), 2);
	buffer_free(&router.filter);
	close(network);
	snprintf(remove, sizeof(remove), "rm -r %s", folder);
	assert_int_equal(system(remove), 0);
}

TEST_MAIN(cmocka_unit_test(a_filter_that_is_not_put_is_not_in_force))
