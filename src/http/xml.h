/*
 * XML by libxml2: no network, no DTD is loaded, no entity is ever declared (a reference to one is an error), nesting is
 * bounded by libxml2 (256), nodes by `node_limit`. Memory is libxml2's own, freed with the document.
 *
 * Threads: one document, one thread. libxml2 sets itself up with a process's first document; where several threads
 * read documents, xml_library_start() does so before they begin.
 */
#ifndef GUIA_HTTP_XML_H
#define GUIA_HTTP_XML_H

#include "http/field.h"

struct xml_document;
struct xml_schema;
struct xml_dtd;

/* Prefix and address given by the action xmlns. NUL-terminated, since libxml2 wants them so. */
struct xml_namespace {
	const char *prefix;
	const char *href;
};

struct xml_options {
	size_t node_limit; /* elements, attributes and texts; 0 for 200000 */
};

void xml_library_start(void);

/* The error of what is no document to anybody; others may read what has any other. */
#define XML_NOT_WELL_FORMED "XML: Failed parsing document."

/*
 * 0, BODY_MALFORMED with *ret_error set, or -ENOMEM. For BODY_MALFORMED *ret_document is what libxml2 recovered, or
 * NULL: libmodsecurity evaluates XPath on it too. The caller destroys it. The body's encoding is auto-detected.
 */
int xml_parse(struct slice body, const struct xml_options *options, struct xml_document **ret_document,
	      struct slice *ret_error);
void xml_destroy(struct xml_document *document);

/* Whether the document was well-formed; validation wants that. */
bool xml_well_formed(const struct xml_document *document);

/*
 * The string value of each node that the XPath expression selects (the variable XML:/expression), appended to `list` as
 * fields named `name`; values are copied to the list's arena. An expression that fails or selects no nodes adds
 * nothing. The two that the Core Rule Set uses, all text and all attributes, take a shorter way than XPath. 0 or
 * -ENOMEM.
 */
int xml_query(struct xml_document *document, const char *xpath, const struct xml_namespace *namespaces,
	      size_t namespace_count, struct slice name, struct field_list *list);

/* 0, -EINVAL if that is no expression, or -ENOMEM. What its prefixes stand for is known only when it is asked. */
int xml_query_check(const char *xpath);

/* SecParseXmlIntoArgs: one argument per element without child elements, "xml.root.child" = its text. 0 or -ENOMEM. */
int xml_arguments(struct xml_document *document, size_t arguments_limit, struct field_list *list);

/* @validateSchema and @validateDTD: read at configuration time from a file. 0 with the object, or -EINVAL. */
int xml_schema_load(const char *path, struct xml_schema **ret_schema);
void xml_schema_destroy(struct xml_schema *schema);
int xml_dtd_load(const char *path, struct xml_dtd **ret_dtd);
void xml_dtd_destroy(struct xml_dtd *dtd);

/* True if the document is valid. */
bool xml_schema_validate(const struct xml_schema *schema, struct xml_document *document);
bool xml_dtd_validate(const struct xml_dtd *dtd, struct xml_document *document);

#endif
