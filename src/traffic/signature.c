/* share_upper_limit() of signature.h; the search is in search.c, the share of visitors in normal_share.c. */
#include "traffic/signature.h"

#include <math.h>

double share_upper_limit(double k, double n)
{
	if (n <= 0)
		return 1;
	/* Poisson's limit is half of chi-square's 0.95 quantile with 2 k + 2 degrees of freedom. */
	double degrees = 2 * k + 2, part = 2 / (9 * degrees);
	double root = 1 - part + 1.6449 * sqrt(part);
	return fmin(1, degrees * root * root * root / 2 / n);
}
