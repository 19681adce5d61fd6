/* What the gate of a run is started with: an identity and guia.yaml, in the folder of the stage. */
#ifndef GUIA_DRILL_GATE_FILES_H
#define GUIA_DRILL_GATE_FILES_H

#include "drill/run.h"

/* 0 or -errno. */
int gate_files_write(const struct run_setting *setting);

#endif
