/* The programs that report: who they are, how many connections each has, when the last one ended,
 * and what is to be reported once they are gone. Keeps books; does not know properties or time but
 * what it is told. */
#ifndef FLUXAWS_SHADOW_WRITERS_H
#define FLUXAWS_SHADOW_WRITERS_H

#include "daemon/shadow/shadow.h"
#include "daemon/shadow/thing.h"

/* Programs that are told apart; all beyond are one. */
#define WRITERS_MAX 1024u
/* A will's paths and values, and those of all programs. */
#define WILL_BYTES_MAX  65536u
#define WILLS_BYTES_MAX (4u * 1024u * 1024u)

#endif
