/* What profile.c and transaction.c of this room share. */
#ifndef GUIA_API_PROFILE_H
#define GUIA_API_PROFILE_H

#include "engine/profile.h"
#include "guia.h"

struct profile *profile_engine(struct guia_profile *profile);

#endif
