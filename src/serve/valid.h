/*
 * What may come into nginx's configuration: allow-lists. nginx's syntax gives meaning to ; { } $ quotes, backslashes,
 * '#' and white space; nothing that holds one of them passes, so no value can end its directive and begin another.
 */
#ifndef GUIA_SERVE_VALID_H
#define GUIA_SERVE_VALID_H

#include "base/address.h"
#include "base/slice.h"

/* Each returns NULL if the text is good, else what it should be ("a host name such as www.example.gov.mo"). */
const char *valid_host(struct slice text);      /* lower case; "*." may come first */
const char *valid_origin(struct slice text);    /* http[s]://HOST[:PORT] */
const char *valid_authority(struct slice text); /* http://HOST[:PORT][/PATH] */
const char *valid_listen(struct slice text);    /* ADDRESS:PORT, [V6]:PORT, or PORT */
const char *valid_path(struct slice text);      /* of a file or folder */
const char *valid_network(struct slice text);
/* What valid_network() takes, without the bits set behind its length. False for anything else. */
bool network_prefix(struct slice text, struct prefix *ret_prefix);
const char *valid_prefix(struct slice text);  /* a network with no bits set behind its length */
const char *valid_country(struct slice text); /* two capitals, as ISO 3166 has them */
const char *valid_address(struct slice text); /* ADDRESS or ADDRESS/BITS */

#endif
