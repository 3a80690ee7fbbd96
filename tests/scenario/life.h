/* Programs and policies for the scenarios: who comes and goes, and what [Property] sections say.
 * Part of the tests only. */
#ifndef FLUX_TESTS_SCENARIO_LIFE_H
#define FLUX_TESTS_SCENARIO_LIFE_H

#include "daemon/shadow/policies.h"
#include "tests/scenario/scenario.h"

/* Put one more section into force, as a reload would; all keys that are not zero count. Those of
 * before stay. */
void life_policy(struct sim *sim, const char *glob, struct policy policy);
/* A reload with no sections. */
void life_no_policies(struct sim *sim);

/* A program connects (again); what is reported from now on is its. */
struct writer *life_open(struct sim *sim, const char *name);
void life_close(struct sim *sim, struct writer *writer, bool clean);
/* Report a value as this program; returns the operation. */
size_t life_set(struct sim *sim, struct writer *writer, const char *path, const char *json);
/* Keep a will of one number for it. Returns as thing_writer_will(). */
int life_will(struct sim *sim, struct writer *writer, const char *path, int64_t number,
              struct shadow_refusal *ret_refusal);

/* What shadow_write_keys() says of one property; a new reference, NULL: nothing. */
json_t *life_key(struct sim *sim, const char *path);
/* Fail unless the text of this field of it is this. */
void life_assert_key(struct sim *sim, const char *path, const char *field, const char *text);

#endif
