/*
 * What nginx looks for in a dynamic module. The order says where the module's filters stand: after the postpone filter,
 * so that subrequests' output comes in its place in the page, and before gzip, so that it is plain.
 */
#include <ngx_config.h>
#include <ngx_core.h>

extern ngx_module_t ngx_http_guia_module;

extern ngx_module_t *ngx_modules[];
extern char *ngx_module_names[];
extern char *ngx_module_order[];

__attribute__((visibility("default"))) ngx_module_t *ngx_modules[] = {&ngx_http_guia_module, NULL};

static char module_name[] = "ngx_http_guia_module";
static char filter_before[] = "ngx_http_gzip_filter_module";
static char filter_after[] = "ngx_http_postpone_filter_module";

__attribute__((visibility("default"))) char *ngx_module_names[] = {module_name, NULL};
__attribute__((visibility("default"))) char *ngx_module_order[] = {filter_before, module_name, filter_after, NULL};
