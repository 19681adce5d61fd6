/* What bans.c and signatures.c have in common; news.c asks them both. */
#include "news_file.h"

#include "clock.h"

enum { TELL_NS_APART = 1000000000 };

void gate_news_path(char path[NGX_MAX_PATH], ngx_str_t folder, const char *name)
{
	*ngx_snprintf((u_char *)path, NGX_MAX_PATH - 1, "%V/%s", &folder, name) = '\0';
}

void gate_news_tell(const char *path, int error, enum image_fault fault, ngx_log_t *log)
{
	static uint64_t told_ns;
	uint64_t now_ns = gate_now_ns();

	if (now_ns - told_ns < TELL_NS_APART)
		return;
	told_ns = now_ns;
	ngx_log_error(NGX_LOG_WARN, log, (ngx_err_t)error,
		      "guia_bans: \"%s\" is not taken%s%s: what was there before holds", path, error != 0 ? "" : ": ",
		      error != 0 ? "" : image_fault_text(fault));
}
