/* Builds JSON objects for status without a check behind every field: where memory ran out once,
 * there is no document at all. Shared by the files that write status, nobody else. */
#ifndef FLUXAWS_STATUS_JSON_H
#define FLUXAWS_STATUS_JSON_H

#include "daemon/status.h"
#include "daemon/status_summary.h"
#include <jansson.h>

/* Put a value (taken over) into an object (taken over). Returns the object, NULL if either was. */
json_t *status_put(json_t *object, const char *key, json_t *value);
/* Append a value (taken over) to an array (taken over). The same. */
json_t *status_append(json_t *array, json_t *value);

json_t *status_count(uint64_t number);
/* A text; what is not UTF-8 loses its bytes above ASCII. null where there is none: an empty text, a
 * time before all (-1), a time that never comes. */
json_t *status_text(const char *text);
json_t *status_since(int64_t then_ms, int64_t now_ms);
json_t *status_until(int64_t then_ms, int64_t now_ms);

/* --- status_facts.c: what the summary is about --- */

/* Borrows from the source and its shadows, and from `place`, which gets "FILE:LINE" of what is
 * gravest in the configuration. */
#define STATUS_PLACE_MAX 512
void status_collect(const struct status_source *source, int64_t now_ms,
                    char place[static STATUS_PLACE_MAX], struct status_facts *ret_facts);

/* --- status_config.c: what is wrong with the configuration --- */

/* Where the gravest mistake is, "" if there is none, or of no file. Returns how many there are. */
size_t status_find_problem(const struct status_source *source, char place[static STATUS_PLACE_MAX]);
/* Where the mistakes are, without what they say: everybody who may ask may read it. */
json_t *status_config_problems(const struct status_source *source);
json_t *status_needs_restart(const struct status_source *source);

/* --- status_shadows.c: the shadows, and what the cloud costs --- */

json_t *status_shadows(const struct status_source *source, int64_t now_ms);
json_t *status_cloud(const struct status_source *source);

/* --- status_storage.c: the disk --- */

json_t *status_storage(const struct status_source *source, int64_t now_ms);

#endif
