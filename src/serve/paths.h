/* Where the parts of an installation are: beside the executable in a build tree, else where Debian puts them. */
#ifndef GUIA_SERVE_PATHS_H
#define GUIA_SERVE_PATHS_H

/* Each returns an absolute path for free(), or NULL if there is none. */
char *paths_recommended_rules(void); /* guia-crs.conf */
char *paths_module(void);            /* ngx_http_guia_module.so */
char *paths_nginx(void);             /* the nginx binary: of $PATH, then /usr/sbin */

/* `given`, else $XDG_CACHE_HOME/guia, else $HOME/.cache/guia, else NULL. */
char *paths_cache(const char *given);

#endif
