/* What somebody may have meant who wrote a key or a section that is not known. Pure. */
#ifndef FLUXAWS_CONFIG_SUGGEST_H
#define FLUXAWS_CONFIG_SUGGEST_H

#include <stdbool.h>
#include <stddef.h>

/* Write a hint such as "; did you mean Burst?" or "; it belongs to [Updates]", or "" where nothing
 * is near enough. */
void config_suggest_key(const char *section, const char *name, char *ret_text, size_t size);

/* The section, or its first word, that is meant by the head of one that is not known: NULL where
 * nothing is near enough. */
const char *config_suggest_section(const char *section);

/* Tell whether whoever wrote an unknown section had [Access NAME] in mind, whatever stands around
 * the word. */
bool config_suggests_access(const char *section);

#endif
