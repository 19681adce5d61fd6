/* Values are what the context has when nginx asks, so they are not cacheable; the id alone never changes. */
#include "variables.h"

#include "context.h"

/* nginx has 28 bits for the length of a variable's value. */
enum { LENGTH_BITS = (1 << 28) - 1 };

static void value_set(ngx_http_variable_value_t *value, const void *data, size_t len)
{
	value->valid = 1;
	value->no_cacheable = 0;
	value->not_found = 0;
	value->len = (unsigned)len & LENGTH_BITS;
	value->data = (u_char *)data;
}

static void word_set(ngx_http_variable_value_t *value, const char *word)
{
	value_set(value, word, strlen(word));
}

/* Known before the transaction begins, so that it can go into a header for the origin or a redirect. */
static ngx_int_t id_get(ngx_http_request_t *r, ngx_http_variable_value_t *value, uintptr_t data)
{
	struct gate_context *context = gate_context_get(r);

	(void)data;
	if (context == NULL)
		return NGX_ERROR;
	value_set(value, gate_context_id(context), sizeof(context->id));
	return NGX_OK;
}

/* What nginx answers before phase 1 has a transaction for the logs, but no verdict. */
static bool is_inspected(const struct gate_context *context)
{
	return context != NULL && context->transaction != NULL && context->request_state != GATE_NEW;
}

static ngx_int_t verdict_get(ngx_http_request_t *r, ngx_http_variable_value_t *value, uintptr_t data)
{
	struct gate_context *context = gate_context_find(r);

	(void)data;
	value->not_found = 1;
	if (!is_inspected(context))
		return NGX_OK;
	if (context->blocked)
		word_set(value, "block");
	else if (context->verdict.would_block)
		word_set(value, "would-block");
	else
		word_set(value, "pass");
	return NGX_OK;
}

static ngx_int_t score_get(ngx_http_request_t *r, ngx_http_variable_value_t *value, uintptr_t data)
{
	struct gate_context *context = gate_context_find(r);
	struct guia_summary summary;

	(void)data;
	value->not_found = 1;
	if (!is_inspected(context))
		return NGX_OK;
	u_char *text = ngx_pnalloc(r->pool, NGX_INT64_LEN);
	if (text == NULL)
		return NGX_ERROR;
	guia_transaction_summary(context->transaction, &summary);
	value_set(value, text, (size_t)(ngx_sprintf(text, "%L", summary.inbound_score) - text));
	return NGX_OK;
}

/* Unset where there is no transaction, for then nobody knows what is secret. */
static ngx_int_t uri_get(ngx_http_request_t *r, ngx_http_variable_value_t *value, uintptr_t data)
{
	struct gate_context *context = gate_context_find(r);
	struct guia_slice uri = {NULL, 0};

	(void)data;
	if (context != NULL && context->transaction != NULL)
		uri = guia_transaction_redacted_uri(context->transaction);
	if (uri.len == 0)
		value->not_found = 1;
	else
		value_set(value, uri.ptr, uri.len);
	return NGX_OK;
}

/* Unset where no slot of an origin was asked for, or there was one at once. */
static ngx_int_t admission_get(ngx_http_request_t *r, ngx_http_variable_value_t *value, uintptr_t data)
{
	struct gate_context *context = gate_context_find(r);

	(void)data;
	if (context != NULL && context->kept_out_by != 0)
		word_set(value, "mode");
	else if (context != NULL && context->crowded_out)
		word_set(value, "refused");
	else if (context != NULL && context->waited)
		word_set(value, "waited");
	else
		value->not_found = 1;
	return NGX_OK;
}

ngx_int_t gate_variables_add(ngx_conf_t *cf)
{
	static ngx_http_variable_t variables[] = {
		{ngx_string("guia_id"), NULL, id_get, 0, 0, 0},
		{ngx_string("guia_verdict"), NULL, verdict_get, 0, NGX_HTTP_VAR_NOCACHEABLE, 0},
		{ngx_string("guia_score"), NULL, score_get, 0, NGX_HTTP_VAR_NOCACHEABLE, 0},
		{ngx_string("guia_admission"), NULL, admission_get, 0, NGX_HTTP_VAR_NOCACHEABLE, 0},
		{ngx_string("guia_uri"), NULL, uri_get, 0, NGX_HTTP_VAR_NOCACHEABLE, 0},
	};

	for (ngx_uint_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		ngx_http_variable_t *variable = ngx_http_add_variable(cf, &variables[i].name, variables[i].flags);
		if (variable == NULL)
			return NGX_ERROR;
		variable->get_handler = variables[i].get_handler;
	}
	return NGX_OK;
}
