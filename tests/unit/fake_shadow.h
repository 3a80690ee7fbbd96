/* A shadow whose answers a test decides: in place of the engine for the tests of the sessions. */
#ifndef FLUXAWS_TESTS_FAKE_SHADOW_H
#define FLUXAWS_TESTS_FAKE_SHADOW_H

#include "daemon/shadow/thing.h"

/* Forget everything of the test before. */
void fake_reset(void);
/* Pins that were not released yet, users and watchers that have not left, writers not closed. */
size_t fake_pins(void);
size_t fake_users(void);
size_t fake_watchers(void);
size_t fake_writers(void);

/* Which shadow the calls below mean from now on, by its name; "" is the classic one. */
void fake_use(const char *name);
/* What opening a shadow other than the classic one says; 0: it works. */
void fake_set_open_error(int error);

/* Decide all operations on a path up to now. */
void fake_accept(const char *path, int64_t version);
void fake_refuse(const char *path, int code, const char *text);
/* Accepted ones are within the deadband from now on. */
void fake_set_deadband(bool deadband);
/* The same for all operations to come, known before they are made. */
void fake_accept_ahead(const char *path, int64_t version);
void fake_refuse_ahead(const char *path, int code, const char *text);
/* What each report costs to check, as shadow_effort() counts it. */
void fake_cost(uint64_t effort);
/* What is answered by shadow_settled_revision(). */
void fake_settle(uint64_t revision);
/* Up to which revision shadow_ask_stored() was asked; 0: not at all. */
uint64_t fake_asked(void);
/* Refuse the next report or will whole. */
void fake_refuse_next(int code, const char *path, const char *text);
/* What the last report or will looked like, in a line: "resent=0 us=5 set /a=1 unset /b". */
const char *fake_last_report(void);
/* Calls of thing_flush(). */
unsigned fake_flushes(void);
/* What shadow_write() and shadow_write_keys() answer. */
void fake_set_document(const char *json);

/* The shadow of fake_use(). */
const struct shadow *fake_used(void);
void fake_wishes_reset(void);
/* A wish changes; `text` NULL: it does not differ any more. */
void fake_know_wishes(int64_t version); /* the cloud's wishes are known from here on */
void fake_wish(const char *path, const char *text, int64_t version);
/* What shadow_is_reset() answers; how many resets were begun. */
void fake_set_reset(bool is_reset);
unsigned fake_resets(void);
/* The path of a property of the shadow by its number, NULL behind the last one. */
const char *fake_held(const struct shadow *shadow, size_t index);
/* For the parts of the fake: what is left to be refused, and what fake_last_report() says. */
bool fake_is_refused_now(struct shadow_refusal *ret_refusal);
void fake_remember(const char *head, const struct shadow_operation *operations, size_t count);
void fake_programs_reset(void);
/* What the programs did, a line each: "open NAME UID UNIT", "clean", "gone". */
const char *fake_writer_story(void);

#endif
