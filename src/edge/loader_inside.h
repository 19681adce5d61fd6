/* Between the loader and the compiled program, which not every build has. */
#ifndef GUIA_EDGE_LOADER_INSIDE_H
#define GUIA_EDGE_LOADER_INSIDE_H

#include "edge/loader.h"

struct loaded {
	int program;
	int fds[EDGE_MAP_COUNT]; /* all are the caller's to close */
};

/* Gives the program to the kernel, with maps of these sizes and their control filled in. 0 or an outcome. */
int loader_load(const struct edge_options *options, struct buffer *told, struct loaded *ret_loaded);

/* The bytes of control for these options. `answers`: whether the kernel takes the cookies that the edge sends. */
void loader_control(const struct edge_options *options, const struct edge_geometry *geometry, bool answers,
		    struct edge_control *ret_control);

/* Whether the kernel takes cookies that it did not send itself: net.ipv4.tcp_syncookies is 2. */
bool loader_cookies_taken(void);

#endif
