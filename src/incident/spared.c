/* Whom no decision bans: ourselves, and whoever speaks for others. */
#include "incident/inside.h"

#include "base/error.h"

#include <stdlib.h>

int defence_spare(struct defence *defence, const struct prefix *spared, size_t count)
{
	struct prefix *copy = malloc((count + 1) * sizeof(*copy));
	if (copy == NULL)
		return -ENOMEM;
	if (count > 0)
		memcpy(copy, spared, count * sizeof(*copy));
	free(defence->spared);
	defence->spared = copy;
	defence->spared_count = count;
	return 0;
}

bool defence_spares(const struct defence *d, const struct prefix *who)
{
	for (size_t i = 0; i < d->spared_count; i++)
		if (prefix_has(&d->spared[i], &who->address) || prefix_has(who, &d->spared[i].address))
			return true;
	return false;
}
