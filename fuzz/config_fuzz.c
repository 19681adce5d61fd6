/* Whatever the configuration's text is, what is rendered was checked before, and memory holds. */
#include "serve/config_whole.h"
#include "serve/config_yaml.h"
#include "serve/render.h"
#include "serve/valid.h"

#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;
	struct diagnostics diagnostics;
	struct serve_config config;
	struct buffer out = {0};
	struct render_places places = {"/run", "/run/w", "/run/e", "/run/b", "/m.so", "/r.conf", "", "", 1024, NULL};
	arena_init(&arena, 64 << 20, 0);
	diagnostics_init(&diagnostics);
	config_init(&config, &arena);
	int r = config_parse(slice_make(data, size), "f.yaml", &diagnostics, &config);
	if (r == 0 && config_finish(&config, false, &diagnostics) == 0 && render_nginx(&config, &places, &out) != 0)
		abort();
	for (size_t i = 0; i < config.site_count; i++)
		if (valid_host(config.sites[i].hosts.items[0]) != NULL)
			abort();
	buffer_free(&out);
	config_free(&config);
	diagnostics_destroy(&diagnostics);
	arena_destroy(&arena);
	return 0;
}
