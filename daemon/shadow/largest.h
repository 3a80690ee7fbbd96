/* Names the largest properties of a shadow, for whoever has to make room. */
#ifndef FLUXAWS_SHADOW_LARGEST_H
#define FLUXAWS_SHADOW_LARGEST_H

#include "daemon/shadow/ledger.h"

#define LARGEST_COUNT 3u
/* A path is shown up to so many bytes. */
#define LARGEST_PATH_SHOWN 40

/* Write "; largest: /blob (8000 bytes), /log (120), /x (3)" of what projection_measure() has just
 * looked at; "" where there is nothing. Cut to fit. */
void largest_describe(const struct ledger *ledger, char *ret_text, size_t text_size);

#endif
