/* The page for when the origin is down and there is no copy: Chinese, Portuguese, English. */
#ifndef GUIA_SERVE_PAGE_H
#define GUIA_SERVE_PAGE_H

/* HTML without single quotes, backslashes and dollar signs, so that it stands between quotes of nginx's. */
extern const char page_unavailable[];

#endif
