#include "serve/port_holder.h"

#include "base/error.h"
#include "base/file.h"
#include "serve/endpoint.h"
#include "serve/port.h"

#include <dirent.h>
#include <glob.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	SOCKETS_MOST = 16, /* that one address may be taken by */
	TEXT_BYTES = 64,
};

/* ---- sockets ---- */

/* Listening sockets by which an address is taken. */
struct socket_list {
	struct listener {
		struct endpoint at;
		unsigned long inode;
	} items[SOCKETS_MOST];
	size_t count;
};

/* As the kernel writes it: words in hexadecimal, each with its bytes as they lie in memory. */
static struct address address_of_words(const char *digits)
{
	uint8_t bytes[ADDRESS_BYTES] = {0};
	char word[9] = "";
	size_t words = strlen(digits) / 8;
	for (size_t i = 0; i < words; i++) {
		memcpy(word, digits + i * 8, 8);
		uint32_t number = (uint32_t)strtoul(word, NULL, 16);
		memcpy(bytes + i * 4, &number, sizeof(number));
	}
	return words == 1 ? address_from_v4(bytes) : address_from_v6(bytes);
}

/* Whether a line is of a socket that listens, and where. */
static bool line_read(const char *line, struct listener *ret_listener)
{
	char digits[33];
	unsigned port, state;
	if (sscanf(line, " %*u: %32[0-9A-F]:%x %*[0-9A-F]:%*x %x %*x:%*x %*x:%*x %*x %*u %*d %lu", digits, &port,
		   &state, &ret_listener->inode) != 4 ||
	    state != TCP_LISTEN || (strlen(digits) != 8 && strlen(digits) != 32))
		return false;
	ret_listener->at = (struct endpoint){address_of_words(digits), (uint16_t)port};
	return true;
}

/* One of :: may have all of IPv4 too: nothing tells, so it is taken for that where `of_both`. */
static bool is_taken_by(const struct endpoint *wanted, const struct endpoint *at, bool of_both)
{
	bool other_kind = address_is_v4(&wanted->address) != address_is_v4(&at->address);
	if (wanted->port != at->port || other_kind != of_both)
		return false;
	return of_both ? !address_is_v4(&at->address) && address_is_any(&at->address)
		       : address_is_any(&at->address) || address_is_any(&wanted->address) ||
				 address_equal(&at->address, &wanted->address);
}

static void sockets_read(const char *table, const struct endpoint *wanted, bool of_both, struct socket_list *list)
{
	char line[512];
	struct listener listener;
	FILE *file = fopen(table, "re");
	while (file != NULL && list->count < SOCKETS_MOST && fgets(line, sizeof(line), file) != NULL)
		if (line_read(line, &listener) && is_taken_by(wanted, &listener.at, of_both))
			list->items[list->count++] = listener;
	if (file != NULL)
		fclose(file);
}

static void sockets_find(const struct endpoint *wanted, struct socket_list *ret_list)
{
	bool v4 = address_is_v4(&wanted->address);
	*ret_list = (struct socket_list){.count = 0};
	sockets_read(v4 ? "/proc/net/tcp" : "/proc/net/tcp6", wanted, false, ret_list);
	if (v4 && ret_list->count == 0)
		sockets_read("/proc/net/tcp6", wanted, true, ret_list);
}

/* ---- processes ---- */

static bool holds(const char *pid, unsigned long inode)
{
	char path[TEXT_BYTES + NAME_MAX], wanted[TEXT_BYTES], is[TEXT_BYTES];
	bool found = false;
	snprintf(wanted, sizeof(wanted), "socket:[%lu]", inode);
	snprintf(path, sizeof(path), "/proc/%.32s/fd", pid);
	DIR *folder = opendir(path);
	for (const struct dirent *entry; folder != NULL && !found && (entry = readdir(folder)) != NULL;) {
		ssize_t len = readlinkat(dirfd(folder), entry->d_name, is, sizeof(is));
		found = len == (ssize_t)strlen(wanted) && memcmp(is, wanted, (size_t)len) == 0;
	}
	if (folder != NULL)
		closedir(folder);
	return found;
}

static void name_read(const char *pid, char name[TEXT_BYTES])
{
	char path[TEXT_BYTES];
	snprintf(path, sizeof(path), "/proc/%.32s/comm", pid);
	FILE *file = fopen(path, "re");
	if (file == NULL || fgets(name, TEXT_BYTES, file) == NULL)
		name[0] = '\0';
	name[strcspn(name, "\n")] = '\0';
	if (file != NULL)
		fclose(file);
}

/* The first that has it: of a master and its workers the master, as a rule. */
static void process_find(unsigned long inode, struct port_holder *holder)
{
	DIR *folder = opendir("/proc");
	holder->pid = 0;
	for (const struct dirent *entry; folder != NULL && holder->pid == 0 && (entry = readdir(folder)) != NULL;)
		if (byte_is_digit((uint8_t)entry->d_name[0]) && holds(entry->d_name, inode)) {
			holder->pid = (pid_t)strtol(entry->d_name, NULL, 10);
			name_read(entry->d_name, holder->name);
		}
	if (folder != NULL)
		closedir(folder);
}

/* ---- gates ---- */

/* As a run directory is: in a folder for all, such as /tmp, anybody could make one of that name. */
static bool is_private(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() && (st.st_mode & 077) == 0;
}

/* Whether it is the gate that serves from the folder; the file of one that was killed may name anybody. */
static bool is_gate_of(const char *run_dir, unsigned long inode)
{
	char path[PATH_MAX], pid[TEXT_BYTES], name[TEXT_BYTES] = "";
	if (!is_private(run_dir))
		return false;
	struct buffer text = buffer_make(NULL);
	bool found = snprintf(path, sizeof(path), "%s/nginx.pid", run_dir) < (int)sizeof(path) &&
		     file_read(path, sizeof(pid) - 1, &text) == 0;
	snprintf(pid, sizeof(pid), "%.*s", SLICE_ARG(slice_trim(buffer_slice(&text))));
	buffer_free(&text);
	if (!found || !byte_is_digit((uint8_t)pid[0]))
		return false;
	name_read(pid, name);
	return strcmp(name, "nginx") == 0 && holds(pid, inode);
}

/* From one of the folders that are made where none is named. */
static bool gate_find(unsigned long inode, char run_dir[PATH_MAX])
{
	char pattern[PATH_MAX];
	glob_t found = {0};
	bool is = false;
	run_dir_fresh(pattern, "??????");
	if (glob(pattern, GLOB_NOSORT, NULL, &found) != 0)
		return false;
	for (size_t i = 0; i < found.gl_pathc && !is; i++) {
		is = is_gate_of(found.gl_pathv[i], inode);
		if (is)
			snprintf(run_dir, PATH_MAX, "%s", found.gl_pathv[i]);
	}
	globfree(&found);
	return is;
}

static bool is_own(const char *run_dir, unsigned long inode, struct port_holder *holder)
{
	if (run_dir[0] == '\0')
		return gate_find(inode, holder->run_dir);
	if (!is_gate_of(run_dir, inode))
		return false;
	snprintf(holder->run_dir, sizeof(holder->run_dir), "%s", run_dir);
	return true;
}

/* Of several who share an address it is one who is no gate of ours. */
static void holder_find(const char *run_dir, struct port_holder *holder)
{
	struct socket_list sockets;
	const struct endpoint wanted = endpoint_of_listen(holder->listen);
	sockets_find(&wanted, &sockets);
	for (size_t i = 0; i < sockets.count; i++) {
		const struct listener *listener = &sockets.items[i];
		process_find(listener->inode, holder);
		if (!is_own(run_dir, listener->inode, holder)) {
			holder->run_dir[0] = '\0';
			return;
		}
		holder->elsewhere = holder->elsewhere || !address_equal(&listener->at.address, &wanted.address);
	}
}

int port_holders_find(const struct serve_options *options, const struct serve_config *config,
		      struct port_holder **ret_list, size_t *ret_count)
{
	char run_dir[PATH_MAX];
	const struct text_list *lists[] = {&config->listen, &config->listen_tls};
	struct port_holder *list =
		arena_zalloc(config->arena, config->listen.count + config->listen_tls.count + 1, sizeof(*list));
	size_t count = 0;
	if (list == NULL)
		return -ENOMEM;
	snprintf(run_dir, sizeof(run_dir), "%.*s",
		 SLICE_ARG(options->run_dir != NULL ? slice_from_string(options->run_dir) : config->run_dir));
	for (size_t i = 0; i < 2; i++)
		for (size_t j = 0; j < lists[i]->count; j++)
			if (port_try(lists[i]->items[j]) == -EADDRINUSE) {
				list[count].listen = lists[i]->items[j];
				holder_find(run_dir, &list[count++]);
			}
	*ret_list = list;
	*ret_count = count;
	return 0;
}
