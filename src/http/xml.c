/*
 * The tree is libxml2's, built by its push parser as libmodsecurity does, through a SAX handler of ours that declares
 * no entities, resolves none, and counts nodes. What the tree holds is then walked without recursion.
 */
#include "http/xml.h"

#include "base/buffer.h"
#include "http/xml_bound.h"
#include "http/xml_entity.h"

#include <errno.h>
#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/tree.h>
#include <libxml/valid.h>
#include <libxml/xmlschemas.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>
#include <limits.h>
#include <stdlib.h>

enum {
	NODE_LIMIT = 200000,
	NODE_BYTES = 64, /* a text this long counts as one node more */
};

struct xml_document {
	xmlDocPtr tree;
	bool well_formed;
};

struct xml_schema {
	xmlSchemaPtr schema;
};

struct xml_dtd {
	xmlDtdPtr dtd;
};

void xml_library_start(void)
{
	xmlInitParser();
}

static void ignore_error(void *context, const char *format, ...)
{
	(void)context;
	(void)format;
}

/* libxml2 2.12 makes the error const. */
#if LIBXML_VERSION >= 21200
static void ignore_structured_error(void *context, const xmlError *error)
#else
static void ignore_structured_error(void *context, xmlErrorPtr error)
#endif
{
	(void)context;
	(void)error;
}

static bool stop(xmlParserCtxtPtr parser)
{
	struct xml_budget *budget = parser->_private;
	budget->exceeded = true;
	budget->nodes_left = 0;
	xmlStopParser(parser);
	return false;
}

static bool spend(xmlParserCtxtPtr parser, size_t nodes, size_t bytes)
{
	struct xml_budget *budget = parser->_private;
	nodes += bytes / NODE_BYTES;
	if (nodes > budget->nodes_left)
		return stop(parser);
	budget->nodes_left -= nodes;
	return true;
}

static void start_element(void *context, const xmlChar *local_name, const xmlChar *prefix, const xmlChar *uri,
			  int namespace_count, const xmlChar **namespaces, int attribute_count, int defaulted_count,
			  const xmlChar **attributes)
{
	/* Five pointers an attribute: local name, prefix, URI, value, end of value. */
	size_t bytes = 0;
	for (int i = 0; i < attribute_count; i++)
		bytes += (size_t)(attributes[5 * i + 4] - attributes[5 * i + 3]);
	/* Those that the document's own declarations add count as written: every reader sees them. */
	(void)defaulted_count;
	if (spend(context, 1 + (size_t)attribute_count + (size_t)namespace_count, bytes))
		xmlSAX2StartElementNs(context, local_name, prefix, uri, namespace_count, namespaces, attribute_count, 0,
				      attributes);
}

/* Each element of a type gets all that are declared for it. */
static void declare_attribute(void *context, const xmlChar *element, const xmlChar *name, int type, int kind,
			      const xmlChar *value, xmlEnumerationPtr values)
{
	struct xml_budget *budget = ((xmlParserCtxtPtr)context)->_private;
	if (++budget->declared <= XML_ATTRIBUTES_MAX) {
		xmlSAX2AttributeDecl(context, element, name, type, kind, value, values);
		return;
	}
	xmlFreeEnumeration(values);
	stop(context);
}

static void add_text(void *context, const xmlChar *text, int length)
{
	if (spend(context, 1, (size_t)length))
		xmlSAX2Characters(context, text, length);
}

static void add_cdata(void *context, const xmlChar *text, int length)
{
	if (spend(context, 1, (size_t)length))
		xmlSAX2CDataBlock(context, text, length);
}

static void add_comment(void *context, const xmlChar *text)
{
	if (spend(context, 1, 0))
		xmlSAX2Comment(context, text);
}

static void add_instruction(void *context, const xmlChar *target, const xmlChar *data)
{
	if (spend(context, 1, 0))
		xmlSAX2ProcessingInstruction(context, target, data);
}

static xmlParserInputPtr resolve_nothing(void *context, const xmlChar *public_id, const xmlChar *system_id)
{
	(void)context;
	(void)public_id;
	(void)system_id;
	return NULL;
}

static void ignore_subset(void *context, const xmlChar *name, const xmlChar *external_id, const xmlChar *system_id)
{
	(void)context;
	(void)name;
	(void)external_id;
	(void)system_id;
}

static xmlSAXHandler safe_handler(void)
{
	xmlSAXHandler sax = {0};
	xmlSAXVersion(&sax, 2);
	sax.startElementNs = start_element;
	sax.attributeDecl = declare_attribute;
	sax.characters = add_text;
	sax.ignorableWhitespace = add_text;
	sax.cdataBlock = add_cdata;
	sax.comment = add_comment;
	sax.processingInstruction = add_instruction;
	xml_refuse_entities(&sax);
	sax.resolveEntity = resolve_nothing;
	sax.externalSubset = ignore_subset;
	sax.warning = ignore_error;
	sax.error = ignore_error;
	sax.fatalError = ignore_error;
	return sax;
}

static int fail(const char *error, struct slice *ret_error)
{
	*ret_error = slice_from_string(error);
	return BODY_MALFORMED;
}

/* Feeds the whole body and takes over the tree, which may be NULL. */
static void parse_all(xmlParserCtxtPtr parser, struct slice body, struct xml_document *document)
{
	xmlCtxtUseOptions(parser, XML_PARSE_NONET);
	xmlParseChunk(parser, (const char *)body.ptr, (int)body.len, 0);
	xmlParseChunk(parser, NULL, 0, 1);
	document->well_formed = parser->wellFormed == 1;
	document->tree = parser->myDoc;
	parser->myDoc = NULL;
}

int xml_parse(struct slice body, const struct xml_options *options, struct xml_document **ret_document,
	      struct slice *ret_error)
{
	struct xml_budget budget = {.nodes_left = options->node_limit == 0 ? NODE_LIMIT : options->node_limit};
	xmlSAXHandler sax = safe_handler();
	const char *fault = xml_bound_fault(body);
	struct xml_document *document = calloc(1, sizeof(*document));
	xmlParserCtxtPtr parser = document == NULL ? NULL : xmlCreatePushParserCtxt(&sax, NULL, NULL, 0, "body.xml");
	if (parser == NULL) {
		free(document);
		return -ENOMEM;
	}
	parser->_private = &budget;
	if (body.len <= INT_MAX && fault == NULL)
		parse_all(parser, body, document);
	xmlFreeParserCtxt(parser);
	*ret_document = document;
	if (fault != NULL)
		return fail(fault, ret_error);
	if (budget.exceeded)
		return fail("XML: Too many nodes.", ret_error);
	if (budget.entities) {
		document->well_formed = false;
		return fail("XML: Entities are not read.", ret_error);
	}
	return document->well_formed ? 0 : fail(XML_NOT_WELL_FORMED, ret_error);
}

void xml_destroy(struct xml_document *document)
{
	if (document == NULL)
		return;
	xmlFreeDoc(document->tree);
	free(document);
}

bool xml_well_formed(const struct xml_document *document)
{
	return document->well_formed;
}

static int add_node(xmlNodePtr node, struct slice name, struct field_list *list)
{
	xmlChar *content = xmlNodeGetContent(node);
	if (content == NULL)
		return 0;
	struct field field = {.name = name};
	int error = arena_copy(list->arena, slice_from_string((const char *)content), &field.value);
	xmlFree(content);
	return error != 0 ? error : field_list_add(list, field);
}

static xmlNodePtr first_element(xmlNodePtr node)
{
	while (node != NULL && node->type != XML_ELEMENT_NODE)
		node = node->next;
	return node;
}

/* The next element in document order below `root`, or NULL. *left counts the elements that ended in between. */
static xmlNodePtr next_element(xmlNodePtr root, xmlNodePtr node, size_t *left)
{
	*left = 0;
	xmlNodePtr next = first_element(node->children);
	while (next == NULL) {
		++*left;
		if (node == root)
			return NULL;
		next = first_element(node->next);
		node = node->parent;
	}
	return next;
}

static int query_attributes(xmlNodePtr root, struct slice name, struct field_list *list)
{
	size_t left;
	for (xmlNodePtr node = root; node != NULL; node = next_element(root, node, &left)) {
		for (xmlAttrPtr attribute = node->properties; attribute != NULL; attribute = attribute->next) {
			int error = add_node((xmlNodePtr)attribute, name, list);
			if (error != 0)
				return error;
		}
	}
	return 0;
}

static int query_nodes(xmlXPathContextPtr context, const char *xpath, const struct xml_namespace *namespaces,
		       size_t namespace_count, struct slice name, struct field_list *list)
{
	context->error = ignore_structured_error;
	for (size_t i = 0; i < namespace_count; i++)
		if (xmlXPathRegisterNs(context, (const xmlChar *)namespaces[i].prefix,
				       (const xmlChar *)namespaces[i].href) != 0)
			return 0;
	xmlXPathObjectPtr found = xmlXPathEvalExpression((const xmlChar *)xpath, context);
	if (found == NULL)
		return 0;
	int error = 0;
	xmlNodeSetPtr nodes = found->nodesetval;
	for (int i = 0; error == 0 && nodes != NULL && i < nodes->nodeNr; i++)
		error = add_node(nodes->nodeTab[i], name, list);
	xmlXPathFreeObject(found);
	return error;
}

int xml_query(struct xml_document *document, const char *xpath, const struct xml_namespace *namespaces,
	      size_t namespace_count, struct slice name, struct field_list *list)
{
	if (document->tree == NULL)
		return 0;
	xmlNodePtr root = xmlDocGetRootElement(document->tree);
	if (strcmp(xpath, "/*") == 0)
		return root == NULL ? 0 : add_node(root, name, list);
	if (strcmp(xpath, "//@*") == 0)
		return root == NULL ? 0 : query_attributes(root, name, list);
	xmlXPathContextPtr context = xmlXPathNewContext(document->tree);
	if (context == NULL)
		return -ENOMEM;
	int error = query_nodes(context, xpath, namespaces, namespace_count, name, list);
	xmlXPathFreeContext(context);
	return error;
}

static void path_enter(struct buffer *path, xmlNodePtr node)
{
	buffer_text(path, ".");
	if (node->ns != NULL && node->ns->prefix != NULL) {
		buffer_text(path, (const char *)node->ns->prefix);
		buffer_text(path, ":");
	}
	buffer_text(path, (const char *)node->name);
}

/* A name may hold dots itself. */
static void path_leave(struct buffer *path, xmlNodePtr node)
{
	path->len -= strlen(".") + strlen((const char *)node->name);
	if (node->ns != NULL && node->ns->prefix != NULL)
		path->len -= strlen((const char *)node->ns->prefix) + strlen(":");
}

int xml_arguments(struct xml_document *document, size_t arguments_limit, struct field_list *list)
{
	xmlNodePtr root = document->tree == NULL ? NULL : xmlDocGetRootElement(document->tree);
	struct buffer path = buffer_make(list->arena);
	buffer_text(&path, "xml");
	size_t added = 0;
	for (xmlNodePtr node = root; node != NULL && added < arguments_limit;) {
		path_enter(&path, node);
		struct slice name;
		if (path.error != 0)
			return path.error;
		if (first_element(node->children) == NULL) {
			if (arena_copy(list->arena, buffer_slice(&path), &name) != 0 || add_node(node, name, list) != 0)
				return -ENOMEM;
			added++;
		}
		size_t left;
		xmlNodePtr ended = node;
		for (node = next_element(root, node, &left); left > 0; left--, ended = ended->parent)
			path_leave(&path, ended);
	}
	return 0;
}

/* While a file of the configuration is read: no network, and nothing is printed. */
struct quiet {
	xmlExternalEntityLoader loader;
	xmlStructuredErrorFunc error;
	void *error_context;
};

static struct quiet quiet_begin(void)
{
	struct quiet quiet = {xmlGetExternalEntityLoader(), xmlStructuredError, xmlStructuredErrorContext};
	xmlSetExternalEntityLoader(xmlNoNetExternalEntityLoader);
	xmlSetStructuredErrorFunc(NULL, ignore_structured_error);
	return quiet;
}

static void quiet_end(struct quiet quiet)
{
	xmlSetExternalEntityLoader(quiet.loader);
	xmlSetStructuredErrorFunc(quiet.error_context, quiet.error);
}

int xml_query_check(const char *xpath)
{
	struct quiet quiet = quiet_begin();
	xmlXPathContextPtr context = xmlXPathNewContext(NULL);
	xmlXPathCompExprPtr compiled = context == NULL ? NULL : xmlXPathCtxtCompile(context, (const xmlChar *)xpath);
	bool no_memory = context == NULL || context->lastError.code == XML_ERR_NO_MEMORY;
	xmlXPathFreeCompExpr(compiled);
	xmlXPathFreeContext(context);
	quiet_end(quiet);
	return compiled != NULL ? 0 : no_memory ? -ENOMEM : -EINVAL;
}

int xml_schema_load(const char *path, struct xml_schema **ret_schema)
{
	struct quiet quiet = quiet_begin();
	xmlSchemaPtr schema = NULL;
	xmlSchemaParserCtxtPtr parser = xmlSchemaNewParserCtxt(path);
	if (parser != NULL) {
		schema = xmlSchemaParse(parser);
		xmlSchemaFreeParserCtxt(parser);
	}
	quiet_end(quiet);
	struct xml_schema *result = schema == NULL ? NULL : malloc(sizeof(*result));
	if (result == NULL) {
		xmlSchemaFree(schema);
		return -EINVAL;
	}
	result->schema = schema;
	*ret_schema = result;
	return 0;
}

void xml_schema_destroy(struct xml_schema *schema)
{
	if (schema == NULL)
		return;
	xmlSchemaFree(schema->schema);
	free(schema);
}

bool xml_schema_validate(const struct xml_schema *schema, struct xml_document *document)
{
	if (document->tree == NULL || !document->well_formed)
		return false;
	xmlSchemaValidCtxtPtr validator = xmlSchemaNewValidCtxt(schema->schema);
	if (validator == NULL)
		return false;
	xmlSchemaSetValidErrors(validator, ignore_error, ignore_error, NULL);
	xmlSchemaSetValidStructuredErrors(validator, ignore_structured_error, NULL);
	bool valid = xmlSchemaValidateDoc(validator, document->tree) == 0;
	xmlSchemaFreeValidCtxt(validator);
	return valid;
}

int xml_dtd_load(const char *path, struct xml_dtd **ret_dtd)
{
	struct quiet quiet = quiet_begin();
	xmlDtdPtr dtd = xmlParseDTD(NULL, (const xmlChar *)path);
	quiet_end(quiet);
	struct xml_dtd *result = dtd == NULL ? NULL : malloc(sizeof(*result));
	if (result == NULL) {
		xmlFreeDtd(dtd);
		return -EINVAL;
	}
	result->dtd = dtd;
	*ret_dtd = result;
	return 0;
}

void xml_dtd_destroy(struct xml_dtd *dtd)
{
	if (dtd == NULL)
		return;
	xmlFreeDtd(dtd->dtd);
	free(dtd);
}

bool xml_dtd_validate(const struct xml_dtd *dtd, struct xml_document *document)
{
	if (document->tree == NULL || !document->well_formed)
		return false;
	xmlValidCtxtPtr validator = xmlNewValidCtxt();
	if (validator == NULL)
		return false;
	validator->error = ignore_error;
	validator->warning = ignore_error;
	bool valid = xmlValidateDtd(validator, document->tree, dtd->dtd) == 1;
	xmlFreeValidCtxt(validator);
	return valid;
}
