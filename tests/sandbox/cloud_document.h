/* One shadow document: the stored sections with their metadata, the service's merge and delta
 * rules. It knows no topics, versions to check or limits to enforce; it measures, others judge. */
#ifndef FLUX_TESTS_SANDBOX_CLOUD_DOCUMENT_H
#define FLUX_TESTS_SANDBOX_CLOUD_DOCUMENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cloud_document {
    json_t *state;    /* {"desired":{...},"reported":{...}}; an empty section is absent. Owned */
    json_t *metadata; /* the same shape, a timestamp for every leaf. Owned */
    int64_t version;
};

/* Make an empty document of version 0. Returns 0 or -ENOMEM. */
int cloud_document_init(struct cloud_document *ret_document);

/* Copy a document with all it holds. Returns 0 or -ENOMEM. */
int cloud_document_copy(const struct cloud_document *document, struct cloud_document *ret_copy);

/* Free what the document holds and zero it. */
void cloud_document_clear(struct cloud_document *document);

/* Merge the `state` of a request (an object, or null: clear all) as of `at_sec`, version left
 * alone. null_only_makes_nothing: an object of nothing but nulls creates no empty parent. Returns 0
 * or -ENOMEM, the document then being half merged. */
int cloud_document_merge(struct cloud_document *document, json_t *patch, int64_t at_sec,
                         bool null_only_makes_nothing);

/* Collect what `desired` holds and `reported` lacks or holds otherwise, whole from the root, and
 * its metadata. Both NULL where nothing differs; else owned by the caller. Returns 0 or -ENOMEM. */
int cloud_document_delta(const struct cloud_document *document, bool exact_numbers,
                         json_t **ret_delta, json_t **ret_metadata);

/* Return the compact size of the values of both sections, as the size limit counts it. */
size_t cloud_document_size(const struct cloud_document *document);

/* Build the metadata of a value all of whose leaves are of `at_sec`. NULL when out of memory. */
json_t *cloud_metadata_new(const json_t *value, int64_t at_sec);

/* Return how many levels of keys lie in a section; arrays add a level if `arrays_count`. */
unsigned cloud_section_depth(const json_t *section, bool arrays_count);

/* Whether an array, at any depth, holds a null. */
bool cloud_has_null_in_array(const json_t *value);

#endif
