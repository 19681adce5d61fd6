/* What is spent while a document of XML is read, and the refusal of its entities. Inside http only. */
#ifndef GUIA_HTTP_XML_ENTITY_H
#define GUIA_HTTP_XML_ENTITY_H

#include <libxml/parser.h>
#include <stdbool.h>
#include <stddef.h>

/* Kept in the parser context's private pointer, which libxml2 leaves to its users. */
struct xml_budget {
	size_t nodes_left;
	size_t declared; /* attributes */
	bool exceeded;
	bool entities; /* declared, or asked for and unknown */
};

/* Has the parser declare no entity and note in its budget who declares or asks for one. */
void xml_refuse_entities(xmlSAXHandler *sax);

#endif
