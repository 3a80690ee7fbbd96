/* What somebody may have meant who wrote a key or a section that is not known. Pure. */
#ifndef FLUXAWS_CONFIG_SUGGEST_H
#define FLUXAWS_CONFIG_SUGGEST_H

#include <stddef.h>

/* Write a hint such as "; did you mean Burst?" or "; it belongs to [Updates]", or "" where nothing
 * is near enough. */
void config_suggest_key(const char *section, const char *name, char *ret_text, size_t size);

/* The section, or its first word, that is meant by the head of one that is not known: NULL where
 * nothing is near enough. */
const char *config_suggest_section(const char *section);

#endif
