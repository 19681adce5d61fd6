/*
 * Two callbacks in place of libxml2's own: a declaration and an unknown reference are noted, and go no further, so that
 * the tree has neither.
 */
#include "http/xml_entity.h"

static void note(void *parser)
{
	struct xml_budget *budget = ((xmlParserCtxtPtr)parser)->_private;
	budget->entities = true;
}

/* Nothing is declared. Whoever reads on would read texts that the tree does not hold. */
static void refuse_entity(void *parser, const xmlChar *name, int type, const xmlChar *public_id,
			  const xmlChar *system_id, xmlChar *content)
{
	note(parser);
	(void)name;
	(void)type;
	(void)public_id;
	(void)system_id;
	(void)content;
}

/* With a DTD elsewhere an unknown entity is no fault of the document's: its text is there. */
static void refuse_reference(void *parser, const xmlChar *name)
{
	(void)name;
	note(parser);
}

void xml_refuse_entities(xmlSAXHandler *sax)
{
	sax->entityDecl = refuse_entity;
	sax->reference = refuse_reference;
}
