/* The part of a flood's report that tells of packets; nothing where there were none. */
#ifndef GUIA_REPORT_PACKETS_PART_H
#define GUIA_REPORT_PACKETS_PART_H

#include "report/writer.h"

void packets_part_add(const struct writer *w);

#endif
